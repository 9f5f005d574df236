// Ids of registers with their units as the small numbers that stand in rows, and back. Kept in memory: there are
// thousands: parts of records have ids of their own.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/pg/pg.h"

namespace voltwell::scheduler {

class RegisterStore {
 public:
  using Register = std::pair<std::string, std::string>;  // Id, unit.
  explicit RegisterStore(pg::Pool& pool) : pool_(pool) {}

  // Numbers of all of them; new ones are written first.
  absl::Status Ensure(const std::vector<Register>& registers);
  absl::StatusOr<int32_t> NumberOf(const std::string& id, const std::string& unit);
  absl::StatusOr<Register> Of(int32_t number);
  // Numbers of an id with whatever unit.
  absl::StatusOr<std::vector<int64_t>> NumbersOf(const std::vector<std::string>& ids);

  // Reads all that are there; the others do so by themselves when they miss one.
  absl::Status Load();

 private:
  void Keep(const pg::Result& rows);

  pg::Pool& pool_;
  std::mutex mutex_;
  std::map<Register, int32_t> numbers_;
  std::map<int32_t, Register> registers_;
};

}  // namespace voltwell::scheduler
