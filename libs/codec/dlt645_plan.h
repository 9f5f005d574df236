// Which identifiers are read for a list of registers: two or more of one block are one read (A bus at 2400 baud carries
// about five reads a second, so each saved exchange counts).
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/codec/dlt645/register_table.h"

namespace voltwell::codec {

struct PlannedRead {
  uint32_t di = 0;
  const dlt645::Block* block = nullptr;              // Null for a single register.
  std::vector<const dlt645::Register*> wanted = {};  // Rows that this read shall show.
};

// In the order in which the registers were first named; a register named twice is read once.
// UNKNOWN_REGISTER with metadata register and position; TOO_MANY_REGISTERS; NO_REGISTERS.
absl::StatusOr<std::vector<const dlt645::Register*>> FindRows(const std::vector<std::string>& registers);

std::vector<PlannedRead> PlanReads(const std::vector<const dlt645::Register*>& rows, bool use_blocks);

}  // namespace voltwell::codec
