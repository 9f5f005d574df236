// Which identifiers are read for a list of registers: two or more of one block are one read (A bus at 2400 baud carries
// about five reads a second, so each saved exchange counts).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/codec/dlt645/register_table.h"
#include "libs/codec/profile.h"

namespace voltwell::codec {

// A register that was asked for.
struct WantedRegister {
  std::string id = {};
  dlt645::Match match = {};  // Its suffix is a part of the id.
  const RegisterOverride* differs = nullptr;
};

struct PlannedRead {
  uint32_t di = 0;                                // As it goes on the wire.
  dlt645::Match match = {};                       // What the table knows of it: a register, or a block.
  std::vector<WantedRegister> wanted = {};        // What this read shall show.
  std::optional<dlt645::FieldSpec> instead = {};  // The profile's format of the register.

  bool is_block() const { return match.block != nullptr; }
};

// In the order in which the registers were first named; a register named twice is read once.
// UNKNOWN_REGISTER with metadata register and position; NOT_READABLE; TOO_MANY_REGISTERS; NO_REGISTERS.
absl::StatusOr<std::vector<WantedRegister>> FindWanted(dlt645::Edition edition,
                                                       const std::vector<std::string>& registers,
                                                       const Profile& profile);

std::vector<PlannedRead> PlanReads(dlt645::Edition edition, const std::vector<WantedRegister>& wanted, bool use_blocks);

// What the profile says of the register, however its id was spelled; null: nothing.
const RegisterOverride* OverrideOf(dlt645::Edition edition, const dlt645::Match& match, const Profile& profile);
// The field of the register as the profile has it; the table's where it says nothing.
dlt645::FieldSpec SpecOf(const WantedRegister& wanted);
uint32_t IdentifierOf(const WantedRegister& wanted);

}  // namespace voltwell::codec
