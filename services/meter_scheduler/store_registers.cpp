#include "services/meter_scheduler/store_registers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::scheduler {
namespace {

constexpr pg::Query kAdd{
    "register.add",
    "INSERT INTO register (register, unit) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING"};
constexpr pg::Query kSome{
    "register.some",
    "SELECT r.number, r.register, r.unit FROM register r JOIN unnest($1::text[], $2::text[]) AS u (register, unit) "
    "ON r.register = u.register AND r.unit = u.unit"};
constexpr pg::Query kAll{"register.all", "SELECT number, register, unit FROM register"};

}  // namespace

absl::Status RegisterStore::Load() {
  return pool_.Transact({.name = "register.load", .read_only = true}, [&](pg::Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kAll));
    Keep(rows);
    return absl::OkStatus();
  });
}

void RegisterStore::Keep(const pg::Result& rows) {
  const std::lock_guard lock(mutex_);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto number = static_cast<int32_t>(rows.Int(row, 0));
    Register entry{rows.Text(row, 1), rows.Text(row, 2)};
    registers_[number] = entry;
    numbers_[std::move(entry)] = number;
  }
}

absl::Status RegisterStore::Ensure(const std::vector<Register>& registers) {
  std::vector<std::string> ids;
  std::vector<std::string> units;
  {
    const std::lock_guard lock(mutex_);
    for (const Register& entry : registers) {
      if (numbers_.contains(entry)) continue;
      ids.push_back(entry.first);
      units.push_back(entry.second);
    }
  }
  if (ids.empty()) return absl::OkStatus();
  // Only these are read back: a table of thousands, read for each new one, would cost more than the reading itself.
  return pool_.Transact({.name = "register.add"}, [&](pg::Tx& tx) -> absl::Status {
    VW_RETURN_IF_ERROR(tx.Execute(kAdd, ids, units).status());
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kSome, ids, units));
    Keep(rows);
    return absl::OkStatus();
  });
}

absl::StatusOr<int32_t> RegisterStore::NumberOf(const std::string& id, const std::string& unit) {
  for (int pass = 0; pass < 2; ++pass) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = numbers_.find({id, unit}); found != numbers_.end()) return found->second;
    }
    VW_RETURN_IF_ERROR(Ensure({{id, unit}}));
  }
  return base::Internal("REGISTER_NOT_KEPT", "a register was written and not found", {{"register", id}});
}

absl::StatusOr<RegisterStore::Register> RegisterStore::Of(int32_t number) {
  for (int pass = 0; pass < 2; ++pass) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = registers_.find(number); found != registers_.end()) return found->second;
    }
    VW_RETURN_IF_ERROR(Load());
  }
  return base::Internal("REGISTER_NOT_KEPT", "a reading names a register that is not there",
                        {{"number", absl::StrCat(number)}});
}

absl::StatusOr<std::vector<int64_t>> RegisterStore::NumbersOf(const std::vector<std::string>& ids) {
  VW_RETURN_IF_ERROR(Load());
  std::vector<int64_t> numbers;
  const std::lock_guard lock(mutex_);
  for (const auto& [entry, number] : numbers_) {
    if (std::find(ids.begin(), ids.end(), entry.first) != ids.end()) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace voltwell::scheduler
