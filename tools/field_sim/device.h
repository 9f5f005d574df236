// What hangs on a bus: it hears a request and answers with a whole frame, or stays silent.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "tools/field_sim/load.h"
#include "tools/field_sim/park.h"

namespace voltwell::field_sim {

// A recorded answer may carry a preamble.
inline constexpr size_t kMaxAnswer = kMaxFrame + 16;

struct DeviceCounts {
  uint64_t requests = 0;                        // Heard and addressed to this meter.
  uint64_t reads_served = 0;                    // Answered with data.
  uint64_t errors_served = 0;                   // Answered with an error word.
  uint64_t relay_commands = 0;                  // Received, right or wrong.
  uint64_t relay_opened = 0, relay_closed = 0;  // Times that the relay really moved.
  uint64_t clock_set = 0;
};

class Device {
 public:
  explicit Device(const ParkMeter& config) : config_(config), faults_(config.faults), has_faults_(faults_.any()) {}
  virtual ~Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // DL/T 645. The request is addressed to this device, to all, or by a pattern that fits. Returns the length of the
  // answer written to out, 0 for silence.
  virtual size_t Answer(const Request&, Moment, std::span<uint8_t, kMaxAnswer>) { return 0; }
  // All other protocols: any whole, valid request on the bus, also one to another meter, which gets silence (0).
  virtual size_t Hear(Bytes /*frame*/, Moment, std::span<uint8_t, kMaxAnswer>) { return 0; }
  // The truth, for tests that compare it with what the suite believes.
  virtual nlohmann::json Truth(Moment now) = 0;
  // All registers that this meter would answer with a value, in no particular order: a list of {"id": the OBIS id,
  // "di": as hex, "fields": [{"value": a decimal, "unit"} or {"text"}]}, out of its state and not out of a frame.
  virtual nlohmann::json Registers(Moment now);

  const ParkMeter& config() const { return config_; }
  const DeviceCounts& counts() const { return counts_; }
  const Faults& faults() const { return faults_; }
  bool has_faults() const { return has_faults_; }
  void SetFaults(const Faults& faults) {
    faults_ = faults;
    has_faults_ = faults.any();
  }

 protected:
  nlohmann::json CommonTruth() const;

  const ParkMeter& config_;  // Owned by the park, which outlives us.
  Faults faults_;
  bool has_faults_;
  DeviceCounts counts_;
};

}  // namespace voltwell::field_sim
