// What the meters showed: pages of history and the latest value of each register.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/pg.h"
#include "services/meter_scheduler/store_registers.h"
#include "voltwell/scheduler/v1/reading.pb.h"

namespace voltwell::scheduler {

// A place in a history, latest first: (time, register, origin) all descending.
struct ReadingPlace {
  int64_t time_us = 0;
  int64_t register_no = 0;
  int64_t origin = 0;
};

struct ReadingPage {
  std::vector<voltwell::scheduler::v1::Reading> readings = {};
  std::optional<ReadingPlace> next = std::nullopt;
};

struct HistoryQuery {
  std::string meter = {};  // Id.
  int32_t meter_no = 0;
  std::vector<int64_t> registers = {};  // Numbers; empty: all that the meter has shown.
  absl::Time from = absl::UnixEpoch();
  absl::Time before = absl::InfiniteFuture();
  std::optional<ReadingPlace> after = std::nullopt;
  int limit = 100;
};

// A meter whose latest values are asked.
struct LatestMeter {
  int32_t number = 0;
  std::string id = {};
};

// All within the caller's transaction, which bears the tenant.
class ReadingStore {
 public:
  using Reading = voltwell::scheduler::v1::Reading;
  explicit ReadingStore(RegisterStore& registers) : registers_(registers) {}

  absl::StatusOr<ReadingPage> History(pg::Tx& tx, const HistoryQuery& query);
  // By meter, then by register.
  absl::StatusOr<std::vector<Reading>> Latest(pg::Tx& tx, const std::vector<LatestMeter>& meters,
                                              const std::vector<int64_t>& registers);
  // Those of one operation.
  absl::StatusOr<std::vector<Reading>> OfOperation(pg::Tx& tx, const std::string& meter, int64_t operation,
                                                   absl::Time from, absl::Time to);
  // Meters of the tenant below the paths (empty: all), after the number.
  static absl::StatusOr<std::vector<LatestMeter>> Meters(pg::Tx& tx, const std::string& tenant,
                                                         const std::vector<std::string>& paths, int64_t after,
                                                         int limit);
  static absl::StatusOr<std::vector<LatestMeter>> MetersNamed(pg::Tx& tx, const std::string& tenant,
                                                              const std::vector<std::string>& paths,
                                                              const std::vector<std::string>& ids);

 private:
  absl::StatusOr<Reading> At(const pg::Result& rows, int row, const std::string& meter);
  RegisterStore& registers_;
};

}  // namespace voltwell::scheduler
