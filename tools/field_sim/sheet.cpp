#include "tools/field_sim/sheet.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "tools/field_sim/faults.h"
#include "tools/field_sim/frame.h"

namespace voltwell::field_sim {
namespace {

int Number(absl::string_view text) {
  int number = 0;
  VW_CHECK(absl::SimpleAtoi(text, &number));
  return number;
}

int PartOf(char letter, const CivilTime& time, int number) {
  switch (letter) {
    case 's':
      return time.second;
    case 'm':
      return time.minute;
    case 'h':
      return time.hour;
    case 'D':
      return time.day;
    case 'M':
      return time.month;
    case 'Y':
      return time.year % 100;
    case 'W':
      return time.weekday;
    default:
      return number;
  }
}

std::string CivilText(absl::string_view letters, const CivilTime& time, int number) {
  const auto has = [&](char letter) { return letters.find(letter) != absl::string_view::npos; };
  std::string text;
  const auto add = [&](char letter, absl::string_view before) {
    if (has(letter)) absl::StrAppendFormat(&text, "%s%02d", text.empty() ? "" : before, PartOf(letter, time, number));
  };
  if (has('Y')) text = "20";
  add('Y', "");
  add('M', "-");
  add('D', "-");
  add('h', "T");
  add('m', ":");
  add('s', ":");
  add('N', "/");
  return text;
}

// A day that every month has, so that no reader can doubt it.
CivilTime InventTime(Random* random) {
  CivilTime time;
  time.year = 2024 + static_cast<int>(random->Below(2));
  time.month = 1 + static_cast<int>(random->Below(12));
  time.day = 1 + static_cast<int>(random->Below(28));
  time.hour = static_cast<int>(random->Below(24));
  time.minute = static_cast<int>(random->Below(60));
  time.second = static_cast<int>(random->Below(60));
  time.weekday = SecondsToCivil(CivilToSeconds(time)).weekday;
  return time;
}

int64_t InventDigits(size_t digits, Random* random) {
  uint64_t limit = 1;
  for (size_t i = 0; i < digits; ++i) limit *= 10;
  return static_cast<int64_t>(random->Below(limit));
}

std::vector<uint8_t> InventBytes(size_t size, Random* random) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random->Below(0x80));  // Never all FF.
  return bytes;
}

struct AxisOfRow {
  int shift = 0;
  uint32_t count = 1, step = 1;
};

std::vector<AxisOfRow> AxesOf(const SheetRow& row) {
  std::vector<AxisOfRow> out;
  for (const absl::string_view word : absl::StrSplit(row.axes, ' ', absl::SkipEmpty())) {
    const std::vector<absl::string_view> parts = absl::StrSplit(word, ':');
    out.push_back({Number(parts[0]), static_cast<uint32_t>(Number(parts[1])),
                   parts.size() > 2 ? static_cast<uint32_t>(Number(parts[2])) : 1U});
  }
  return out;
}

}  // namespace

std::string Fixed(int64_t value, int scale) {
  std::string digits = absl::StrFormat("%0*d", scale + 1, std::abs(value));
  if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  return absl::StrCat(value < 0 ? "-" : "", digits);
}

void Sheet::Bcd(int64_t value, size_t bytes, int scale, absl::string_view unit) {
  Reply reply;
  reply.PutBcd(value, bytes);
  wire_.insert(wire_.end(), reply.data.begin(), reply.data.begin() + static_cast<std::ptrdiff_t>(bytes));
  fields_.push_back({{"value", Fixed(value, scale)}, {"unit", std::string(unit)}});
}

void Sheet::Nothing(size_t bytes) {
  wire_.insert(wire_.end(), bytes, 0xFF);
  fields_.push_back({{"none", true}});
}

void Sheet::Civil(absl::string_view wire_letters, const CivilTime& time, int number) {
  for (const char letter : wire_letters) wire_.push_back(ToBcd(PartOf(letter, time, number)));
  fields_.push_back({{"text", CivilText(wire_letters, time, number)}});
}

void Sheet::TakenAt(const CivilTime& time) {
  for (const char letter : {'m', 'h', 'D', 'M', 'Y'}) wire_.push_back(ToBcd(PartOf(letter, time, 0)));
  fields_.back()["time"] = CivilText("mhDMY", time, 0);
}

void Sheet::Ascii(absl::string_view text, size_t bytes) {
  for (size_t i = bytes; i > 0; --i) wire_.push_back(i <= text.size() ? static_cast<uint8_t>(text[i - 1]) : uint8_t{0});
  fields_.push_back({{"text", std::string(text)}});
}

void Sheet::Word(uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) wire_.push_back(static_cast<uint8_t>(value >> (8 * i)));
  fields_.push_back({{"text", absl::StrFormat("%0*X", static_cast<int>(2 * bytes), value)}});
}

void Sheet::Opaque(const std::vector<uint8_t>& bytes) {
  wire_.insert(wire_.end(), bytes.begin(), bytes.end());
  fields_.push_back({{"text", base::ToHex(bytes)}});
}

void Sheet::Invent(absl::string_view layout, uint64_t seed) {
  Random random(seed);
  for (absl::string_view word : absl::StrSplit(layout, ' ', absl::SkipEmpty())) {
    int times = 1;
    if (const size_t star = word.find('*'); star != absl::string_view::npos) {
      times = Number(word.substr(0, star));
      word = word.substr(star + 1);
    }
    const std::vector<absl::string_view> parts = absl::StrSplit(word, absl::MaxSplits(':', 1));
    const absl::string_view unit = parts.size() > 1 ? parts[1] : "";
    const std::vector<absl::string_view> sizes = absl::StrSplit(parts[0].substr(1), '.');
    const size_t bytes = sizes[0].empty() ? 0 : static_cast<size_t>(Number(sizes[0]));
    for (int i = 0; i < times; ++i) {
      switch (word[0]) {
        case 'b':
          Bcd(InventDigits(2 * bytes, &random), bytes, Number(sizes[1]), unit);
          break;
        case 's': {
          // One digit less: the sign takes the highest bit.
          const int64_t value = InventDigits(2 * bytes - 1, &random);
          Bcd(random.Below(2) == 0 ? value : -value, bytes, Number(sizes[1]), unit);
          break;
        }
        case 'c':
          Civil(unit, InventTime(&random), 1 + static_cast<int>(random.Below(8)));
          break;
        case '@':
          TakenAt(InventTime(&random));
          break;
        case 'a':
          Ascii(absl::StrFormat("VW%d", random.Below(100)), bytes);
          break;
        case 'w':
          Word(random.Below(uint64_t{1} << (8 * bytes - 1)), bytes);
          break;
        case 'n': {
          uint64_t digits = 0;
          for (size_t d = 0; d < 2 * bytes; ++d) digits = digits << 4 | random.Below(10);
          Word(digits, bytes);
          break;
        }
        default:
          VW_CHECK(word[0] == 'o');
          Opaque(InventBytes(bytes, &random));
      }
    }
  }
}

bool RowHas(const SheetRow& row, uint32_t di) {
  const std::vector<uint32_t> members = MembersOf(row);
  return std::find(members.begin(), members.end(), di) != members.end();
}

std::vector<uint32_t> MembersOf(const SheetRow& row) {
  std::vector<uint32_t> out = {row.di};
  for (const AxisOfRow& axis : AxesOf(row)) {
    std::vector<uint32_t> wider;
    for (const uint32_t di : out) {
      for (uint32_t i = 0; i < axis.count; ++i) wider.push_back(di + (i * axis.step << axis.shift));
    }
    out = std::move(wider);
  }
  return out;
}

}  // namespace voltwell::field_sim
