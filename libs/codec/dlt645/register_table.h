// The registers of DL/T 645-2007 that we know, as data. A new register is one row here and one vector in
// libs/codec/vectors (docs/adding-a-meter.md).
#pragma once

#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"
#include "libs/codec/dlt645/field.h"

namespace voltwell::codec::dlt645 {

struct Register {
  uint32_t di = 0;              // DI3 is the leftmost byte.
  absl::string_view obis = "";  // Id everywhere outside this library.
  absl::string_view name = "";  // Stable, for programs and vectors.
  absl::string_view title_zh = "";
  absl::string_view title_en = "";
  absl::string_view unit = "";
  Format format = Format::kBcd;
  uint8_t length = 0;  // Bytes.
  uint8_t scale = 0;   // Digits after the point.
  bool writable = false;
  absl::string_view notation = "";  // As the standard writes it, e.g. "BCD XXXXXX.XX".
  absl::string_view source = "";    // Where format and identifier are from.
  absl::string_view proof = "";     // The vector that shows it; empty: unproven.
};

// A block: DI1 = FF reads all values of one item, one after the other without separators.
struct Block {
  uint32_t di = 0;
  uint32_t first = 0;       // DI of the first member; those of the others follow by adding 00000100H.
  uint8_t members = 0;      // How many of them are in the table.
  uint8_t length = 0;       // Bytes of one member.
  bool open_ended = false;  // A meter with more tariffs sends more, up to 63 and the total.
  absl::string_view name = "";
};

// Ordered by data identifier.
std::span<const Register> Registers();
std::span<const Block> Blocks();

// Null when the table has none. By DI: constant time, a hot path.
const Register* FindByDi(uint32_t di);
const Register* FindByObis(absl::string_view obis);
const Block* FindBlock(uint32_t di);
// The block that holds the register; null when none does.
const Block* BlockOf(const Register& row);

// Bit 4 of status word 3 (04000503): set while the relay is open.
inline constexpr uint32_t kRelayStatusDi = 0x04000503;
inline constexpr uint32_t kRelayOpenBit = 1U << 4;

}  // namespace voltwell::codec::dlt645
