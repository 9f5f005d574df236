// What one item of the road is: one meter of a run or of an operation, with all that is needed to speak to the meter.
// Values come from the claim and from the projection of the registry; nothing here is looked up.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace voltwell::scheduler::domain {

// Numbers stand in the database.
enum class Kind : int16_t { kRun = 0, kReadNow = 1, kOpen = 2, kClose = 3 };

// Numbers of voltwell.gateway.v1.Priority, which stand in the database too.
enum class Priority : int16_t { kBackfill = 1, kScheduled = 2, kInteractive = 3, kRelay = 4 };

// Where an operation on a relay stands. kAttempted is committed before the first byte can be sent: a process that died
// there leaves an unknown outcome, never a second attempt.
enum class Phase : int16_t { kRead = 0, kToAttempt = 1, kAttempted = 2, kVerify = 3 };

// voltwell.codec.v1.RelayState.
enum class Relay : int16_t { kUnknown = 0, kClosed = 1, kOpen = 2 };

// Status word 3 of DL/T 645-2007 (04000503): bit 4 shows the relay.
inline constexpr char kRelayRegister[] = "0-0:96.3.10";

// What the items of one run or operation have in common.
struct Work {
  int64_t origin = 0;
  std::string tenant = {};
  int32_t tenant_no = 0;
  Kind kind = Kind::kRun;
  std::vector<std::string> registers = {};
  int max_attempts = 1;
  absl::Time give_up_time = absl::InfiniteFuture();
};

struct Item {
  std::shared_ptr<const Work> work = nullptr;
  Priority priority = Priority::kScheduled;
  Phase phase = Phase::kRead;
  int attempts = 0;  // Made before this one.
  std::string last_reason = {};
  int32_t meter_no = 0;
  int32_t bus_no = 0;
  std::string meter = {};  // Id without prefix.
  std::string site_path = {};
  std::string address = {};
  std::string protocol = {};  // "DLT645_2007"
  std::string profile = {};
  std::string registration_id = {};  // Of the collector.
  int bus = 1;
  int baud = 0;  // bit/s
};

}  // namespace voltwell::scheduler::domain
