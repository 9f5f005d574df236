// The registers of DL/T 645 that we know, as data, for both editions. A row is one register or a pattern of them: its
// identifier has up to four axes (tariff, settlement day, phase, number of a record ...), each a few bits of the
// identifier that count. A new register is one row in table_*.cpp and one vector in libs/codec/vectors
// (docs/adding-a-meter.md).
//
// How to use it:
//   FindByObis(Edition::k2007, "1-0:1.8.2*1")  -> Match {row, di 00010201}   what to read or write
//   FindByDi(Edition::k2007, 0x00010201)       -> the same Match             what a reply is about
//   FindByDi(Edition::k2007, 0x0001FF01)       -> Match with block set       all tariffs at once
//   BlockOf(edition, match)                    -> 0001FF01                   what reads it with its siblings
//   reply.h decodes the data of any Match; EncodeValue makes the data of a write.
//
// Ids: an OBIS code of IEC 62056-61 where it has one for the quantity. All others stand in the manufacturer specific
// range of that list, made of the identifier: 2007 DI3 DI2 DI1 DI0 is "0-DI3:199.DI2.DI1*DI0", 1997 DI1 DI0 is
// "0-0:198.DI1.DI0" (decimal numbers; "*0" is left out). A row of several fields adds what it is: ".../start".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/codec/command.h"
#include "libs/codec/dlt645/field.h"

namespace voltwell::codec::dlt645 {

enum class Edition : uint8_t { k2007 = 0, k1997 = 1 };

// How the index of an axis is said in titles ({x} of the axis's letter).
enum class AxisWords : uint8_t {
  kNumber,      // "3", the number in the identifier.
  kTariff,      // "total", "tariff 2".
  kSettlement,  // "" for now, " (1 settlement day back)".
  kPhase,       // "A", "B", "C".
  kTotalPhase,  // "total", "phase A", ...
  kList,        // Axis::list.
};

struct AxisWord {
  absl::string_view name = "";
  absl::string_view zh = "";
  absl::string_view en = "";
};

// Some bits of the identifier count: index i is the number that the row's own identifier has there, plus i * step.
struct Axis {
  char letter = 0;  // {t} in ids, names, titles.
  uint8_t shift = 0;
  uint8_t bits = 8;
  uint8_t step = 1;
  uint16_t count = 1;
  bool block = true;  // All ones there read the whole axis.
  uint8_t usual = 0;  // Members that a meter usually sends in a block; 0: count.
  AxisWords words = AxisWords::kNumber;
  int8_t shown = 0;  // kNumber: added to the number in the identifier (quadrant 1 is 5 there).
  std::span<const AxisWord> list = {};
};

inline constexpr size_t kAxesMax = 4;

enum class Access : uint8_t { kRead, kReadWrite, kWrite };

struct Register {
  uint32_t di = 0;  // Of index 0 on all axes; DI3 (1997: DI1) is the leftmost byte.
  std::array<const Axis*, kAxesMax> axes = {};
  // Id with placeholders: "{t}" is the number of an axis in the identifier, "{p:21+20}" is 21 + 20 * index. Empty: made
  // of the identifier, see above.
  absl::string_view obis = "";
  absl::string_view name = "";  // Stable, for programs and vectors; placeholders as words.
  absl::string_view title_zh = "";
  absl::string_view title_en = "";
  FieldSpec value = {};                  // Of a row with one field.
  std::span<const FieldSpec> list = {};  // Of a row with several.
  Access access = Access::kRead;
  absl::string_view source = "";  // Where format and identifier are from.
  absl::string_view proof = "";   // The vector that shows it; empty: unproven.

  std::span<const FieldSpec> fields() const { return list.empty() ? std::span(&value, 1) : list; }
  bool readable() const { return access != Access::kWrite; }
  bool writable() const { return access != Access::kRead; }
};

// A register, or a block of them, with its place on the axes of its row.
struct Match {
  const Register* row = nullptr;
  uint32_t di = 0;
  const Axis* block = nullptr;  // Set: the identifier reads this whole axis.
  // FindByObis only, and a part of its argument: the field of the row that was asked for; empty: all.
  absl::string_view suffix = "";

  explicit operator bool() const { return row != nullptr; }
  friend bool operator==(const Match& a, const Match& b) { return a.di == b.di && a.suffix == b.suffix; }
};

// Ordered by data identifier.
std::span<const Register* const> Registers(Edition edition);

// Without a row when the table has none. By identifier: constant time, no allocation, a hot path.
Match FindByDi(Edition edition, uint32_t di);
Match FindByObis(Edition edition, absl::string_view obis);

// The identifier of the block that holds this register; 0 when none does.
uint32_t BlockOf(Edition edition, const Match& match);
// One register of the block, by its place from 0.
Match MemberOf(Edition edition, const Match& block, size_t place);

// Bytes of one register of the row (an open-ended field counts as 14 repetitions), and of what a meter usually answers,
// without the identifier. More than 200 come in several frames.
size_t LengthOf(const Register& row);
size_t UsualReplyLength(const Match& match);

// What of a row is worth a line in a list: all phases and quadrants, tariffs 0 to 4, now, the newest record.
std::vector<Match> UsualMembers(Edition edition, const Register& row);

// "1-0:1.8.2*1"; for a pattern (no di) "1-0:1.8.{t}*{n}".
std::string IdOf(Edition edition, const Match& match);
std::string PatternOf(Edition edition, const Register& row);
// "energy_forward_active_tariff_2_back_1"; of a pattern "energy_forward_active_{t}{n}".
std::string NameOf(const Match& match);
std::string TitleOf(const Match& match, Language language);
// "00010000", "B611"; of a pattern "0001{t}{n}".
std::string IdentifierText(Edition edition, const Register& row);

// Words for the bits set in a bit word, e.g. {"relay open", "pre-trip alarm"}.
std::vector<std::string> BitWords(const FieldSpec& spec, uint64_t word, Language language);

// Data of a write WITHOUT 33H: one text for a row of one field, else (and for open-ended rows) texts of all fields
// divided by commas. NOT_WRITABLE, BAD_VALUE with metadata position.
absl::StatusOr<std::string> EncodeValue(const Match& match, absl::string_view text);

// Bit 4 of status word 3 (04000503): set while the relay is open.
inline constexpr uint32_t kRelayStatusDi = 0x04000503;
inline constexpr uint32_t kRelayOpenBit = 1U << 4;

}  // namespace voltwell::codec::dlt645
