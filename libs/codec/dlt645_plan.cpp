// Grouping registers into reads; see dlt645_plan.h.
#include "libs/codec/dlt645_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/codec/codec.h"

namespace voltwell::codec {

absl::StatusOr<std::vector<const dlt645::Register*>> FindRows(const std::vector<std::string>& registers) {
  if (registers.empty()) return base::InvalidArgument("NO_REGISTERS", "a read names at least one register");
  if (registers.size() > kRegistersMax) {
    return base::InvalidArgument("TOO_MANY_REGISTERS", "a read names at most 32 registers",
                                 {{"size", absl::StrCat(registers.size())}, {"limit", absl::StrCat(kRegistersMax)}});
  }
  std::vector<const dlt645::Register*> rows;
  for (size_t i = 0; i < registers.size(); ++i) {
    const dlt645::Register* const row = dlt645::FindByObis(registers[i]);
    if (row == nullptr) {
      return base::InvalidArgument("UNKNOWN_REGISTER", absl::StrCat("no register has the id ", registers[i]),
                                   {{"register", registers[i]}, {"position", absl::StrCat(i)}});
    }
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
  }
  return rows;
}

std::vector<PlannedRead> PlanReads(const std::vector<const dlt645::Register*>& rows, bool use_blocks) {
  std::vector<PlannedRead> reads;
  for (const dlt645::Register* const row : rows) {
    const dlt645::Block* const block = use_blocks ? dlt645::BlockOf(*row) : nullptr;
    const auto same = std::find_if(reads.begin(), reads.end(), [block](const PlannedRead& read) {
      return block != nullptr && read.block == block;
    });
    if (same != reads.end()) {
      same->wanted.push_back(row);
    } else {
      reads.push_back({block == nullptr ? row->di : block->di, block, {row}});
    }
  }
  // A block of which one register is wanted is longer than that register.
  for (PlannedRead& read : reads) {
    if (read.block == nullptr || read.wanted.size() > 1) continue;
    read.di = read.wanted.front()->di;
    read.block = nullptr;
  }
  return reads;
}

}  // namespace voltwell::codec
