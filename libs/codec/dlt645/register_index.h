// From identifiers and ids to rows; built once from the tables.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/codec/dlt645/register_table.h"

namespace voltwell::codec::dlt645 {

// The numbers of an OBIS code, "A-B:C.D.E*F", and what stands behind it.
struct ObisId {
  std::array<uint16_t, 6> part = {};
  absl::string_view suffix = "";
};

// None when the text is no such code. "*F" may be left out and is 0 then.
std::optional<ObisId> ParseObis(absl::string_view text);

class RegisterIndex {
 public:
  explicit RegisterIndex(Edition edition);
  static const RegisterIndex& Of(Edition edition);

  std::span<const Register* const> rows() const { return rows_; }
  Match FindDi(uint32_t di) const;
  Match FindObis(absl::string_view obis) const;

 private:
  struct Candidate {
    const Register* row = nullptr;  // Null ends the candidates of a group.
    uint32_t mask = 0;              // Bits of the identifier that are no axis.
  };

  void AddDiGroups();
  void AddObis(const Register* row);

  Edition edition_;
  int group_shift_;
  std::vector<const Register*> rows_;
  std::vector<Candidate> candidates_;
  std::vector<uint16_t> groups_;  // Identifier >> group_shift_ to the first candidate.
  absl::flat_hash_map<uint64_t, std::vector<const Register*>> by_obis_;  // A, B, C, D of the id.
};

// Bits of the identifier that the row's axes take.
uint32_t AxesMask(const Register& row);
// Index on an axis; nothing when the number is not on it.
inline bool OnAxis(const Axis& axis, uint32_t row_di, uint32_t di, uint32_t& index) {
  const uint32_t mask = (1U << axis.bits) - 1;
  const uint32_t distance = ((di >> axis.shift) & mask) - ((row_di >> axis.shift) & mask);
  if (axis.step == 1) {
    index = distance;
    return distance < axis.count;
  }
  index = distance / axis.step;
  return distance % axis.step == 0 && index < axis.count;
}
inline bool IsBlock(const Axis& axis, uint32_t di) {
  const uint32_t mask = (1U << axis.bits) - 1;
  return axis.block && ((di >> axis.shift) & mask) == mask;
}

// One placeholder or literal of an id pattern: the number of part i of the OBIS code.
struct IdPart {
  const Axis* axis = nullptr;  // Null: a constant.
  uint16_t first = 0;
  uint16_t step = 0;
  bool raw = false;  // The number in the identifier itself.
};
std::array<IdPart, 6> IdParts(const Register& row, absl::string_view& suffix);
uint16_t PartOf(const IdPart& part, const Register& row, uint32_t di);

}  // namespace voltwell::codec::dlt645
