// Names and blocks of registers; see register_table.h. The rows are in table_*.cpp.
#include "libs/codec/dlt645/register_table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/load_profile.h"
#include "libs/codec/dlt645/register_index.h"

namespace voltwell::codec::dlt645 {
namespace {

// Repetitions that an open-ended field (time tables) usually has: the most that the standard allows.
constexpr size_t kOpenEnded = 14;
// A reply full of load profile records.
constexpr size_t kLoadProfileUsual = 196;

enum class Style { kName, kChinese, kEnglish };

std::string Choose(Style style, absl::string_view name, absl::string_view zh, absl::string_view en) {
  return std::string(style == Style::kName ? name : style == Style::kChinese ? zh : en);
}

// A whole axis, of a block.
std::string AllWord(const Axis& axis, Style style) {
  switch (axis.words) {
    case AxisWords::kPhase:
      return Choose(style, "all", "A、B、C", "A, B, C");
    case AxisWords::kTotalPhase:
      return Choose(style, "all", "总及各相", "total and phases");
    case AxisWords::kTariff:
      return Choose(style, "all", "总及各费率", "total and tariffs");
    case AxisWords::kSettlement:
      return Choose(style, "_all", "（各结算日）", " (all settlement days)");
    default:
      return Choose(style, "all", "各", "all");
  }
}

std::string AxisWordOf(const Axis& axis, const Register& row, uint32_t di, Style style) {
  uint32_t index = 0;
  OnAxis(axis, row.di, di, index);
  const bool all = IsBlock(axis, di) && index >= axis.count;
  std::string number = absl::StrCat(static_cast<int>((di >> axis.shift) & ((1U << axis.bits) - 1)) + axis.shown);
  const std::string phase(1, static_cast<char>('A' + index - (axis.words == AxisWords::kTotalPhase ? 1 : 0)));
  if (all) return AllWord(axis, style);
  switch (axis.words) {
    case AxisWords::kTariff:
      if (index == 0) return Choose(style, "total", "总", "total");
      return Choose(style, absl::StrCat("tariff_", index), absl::StrCat("费率", index), absl::StrCat("tariff ", index));
    case AxisWords::kSettlement:
      if (index == 0) return "";
      return Choose(style, absl::StrCat("_back_", index), absl::StrCat("（上", index, "结算日）"),
                    absl::StrCat(" (", index, index == 1 ? " settlement day back)" : " settlement days back)"));
    case AxisWords::kPhase:
      return Choose(style, absl::AsciiStrToLower(phase), phase, phase);
    case AxisWords::kTotalPhase:
      if (index == 0) return Choose(style, "total", "总", "total");
      return Choose(style, absl::AsciiStrToLower(phase), phase + "相", "phase " + phase);
    case AxisWords::kList:
      return Choose(style, axis.list[index].name, axis.list[index].zh, axis.list[index].en);
    case AxisWords::kNumber:
      break;
  }
  return number;
}

std::string Fill(absl::string_view pattern, const Match& match, Style style) {
  std::string text(pattern);
  for (const Axis* const axis : match.row->axes) {
    if (axis == nullptr) break;
    const std::string placeholder = {'{', axis->letter, '}'};
    if (!absl::StrContains(text, placeholder)) continue;
    absl::StrReplaceAll({{placeholder, AxisWordOf(*axis, *match.row, match.di, style)}}, &text);
  }
  return text;
}

uint32_t BlockMask(const Axis& axis) { return ((1U << axis.bits) - 1) << axis.shift; }

std::string ObisText(const std::array<uint16_t, 6>& part, absl::string_view suffix) {
  std::string text = absl::StrCat(part[0], "-", part[1], ":", part[2], ".", part[3], ".", part[4]);
  if (part[5] != 0) absl::StrAppend(&text, "*", part[5]);
  absl::StrAppend(&text, suffix);
  return text;
}

// A placeholder where an axis has the bits, else the hexadecimal digit.
std::string DigitsWithAxes(const Register& row, int from_bit, int digits) {
  std::string text;
  for (int bit = from_bit; digits > 0; --digits, bit -= 4) {
    const Axis* taken = nullptr;
    for (const Axis* const axis : row.axes) {
      if (axis != nullptr && bit < axis->shift + axis->bits && bit + 4 > axis->shift) taken = axis;
    }
    if (taken == nullptr) {
      absl::StrAppendFormat(&text, "%X", row.di >> bit & 0xF);
    } else if (const std::string placeholder = {'{', taken->letter, '}'}; !absl::EndsWith(text, placeholder)) {
      text += placeholder;
    }
  }
  return text;
}

}  // namespace

std::span<const Register* const> Registers(Edition edition) { return RegisterIndex::Of(edition).rows(); }
Match FindByDi(Edition edition, uint32_t di) { return RegisterIndex::Of(edition).FindDi(di); }
Match FindByObis(Edition edition, absl::string_view obis) { return RegisterIndex::Of(edition).FindObis(obis); }

uint32_t BlockOf(Edition edition, const Match& match) {
  if (!match || match.block != nullptr) return 0;
  const Axis* const axis = match.row->axes[0];
  if (axis == nullptr || !axis->block || axis->count < 2) return 0;
  const uint32_t block = match.di | BlockMask(*axis);
  // Another row may have this identifier.
  return FindByDi(edition, block).row == match.row ? block : 0;
}

Match MemberOf(Edition, const Match& block, size_t place) {
  if (block.block == nullptr || place >= block.block->count) return {};
  const uint32_t mask = BlockMask(*block.block);
  const auto step = static_cast<uint32_t>(place * block.block->step);
  return {block.row, (block.di & ~mask) | (((block.row->di & mask) + (step << block.block->shift)) & mask)};
}

size_t LengthOf(const Register& row) {
  size_t length = 0;
  for (const FieldSpec& field : row.fields()) length += field.length * (field.count == 0 ? kOpenEnded : field.count);
  return length;
}

size_t UsualReplyLength(const Match& match) {
  if (match.row->di >> 24 == kLoadProfileClass) return kLoadProfileUsual;
  if (match.block == nullptr) return LengthOf(*match.row);
  return LengthOf(*match.row) * (match.block->usual != 0 ? match.block->usual : match.block->count);
}

std::vector<Match> UsualMembers(Edition, const Register& row) {
  std::vector<Match> members = {{&row, row.di}};
  for (const Axis* const axis : row.axes) {
    if (axis == nullptr) break;
    uint32_t count = 1;
    if (axis->words == AxisWords::kTariff) count = std::max<uint32_t>(axis->usual, 1);
    const bool small = axis->count <= 4 || axis->words == AxisWords::kList;
    if (small && axis->words != AxisWords::kSettlement) count = axis->count;
    std::vector<Match> more;
    for (const Match& match : members) {
      for (uint32_t i = 0; i < count; ++i) {
        const uint32_t step = i * axis->step << axis->shift;
        const uint32_t mask = BlockMask(*axis);
        more.push_back({&row, (match.di & ~mask) | (((row.di & mask) + step) & mask)});
      }
    }
    members = std::move(more);
  }
  return members;
}

std::string IdOf(Edition edition, const Match& match) {
  const uint32_t di = match.di;
  if (match.row->obis.empty()) {
    const auto byte = [di](int index) { return static_cast<uint16_t>(di >> (8 * index) & 0xFF); };
    if (edition == Edition::k2007) return ObisText({0, byte(3), 199, byte(2), byte(1), byte(0)}, "");
    return ObisText({0, 0, 198, byte(1), byte(0), 0}, "");
  }
  absl::string_view suffix;
  const std::array<IdPart, 6> parts = IdParts(*match.row, suffix);
  std::array<uint16_t, 6> numbers = {};
  for (size_t i = 0; i < parts.size(); ++i) numbers[i] = PartOf(parts[i], *match.row, di);
  return ObisText(numbers, suffix);
}

std::string PatternOf(Edition edition, const Register& row) {
  if (!row.obis.empty()) return std::string(row.obis);
  const auto part = [&row](int shift) {
    for (const Axis* const axis : row.axes) {
      if (axis != nullptr && axis->shift == shift && axis->bits == 8) return std::string{'{', axis->letter, '}'};
    }
    return absl::StrCat(row.di >> shift & 0xFF);
  };
  if (edition == Edition::k1997) {
    // Axes of nibbles do not show in the decimal number.
    return absl::StrCat(
        "0-0:198.", row.di >> 8 & 0xFF, ".",
        AxesMask(row) != 0 ? "{" + std::string(1, row.axes[0]->letter) + "}" : absl::StrCat(row.di & 0xFF));
  }
  const std::string last = part(0);
  return absl::StrCat("0-", part(24), ":199.", part(16), ".", part(8), last == "0" ? "" : "*", last == "0" ? "" : last);
}

std::string NameOf(const Match& match) { return Fill(match.row->name, match, Style::kName); }

std::string TitleOf(const Match& match, Language language) {
  return language == Language::kChinese ? Fill(match.row->title_zh, match, Style::kChinese)
                                        : Fill(match.row->title_en, match, Style::kEnglish);
}

std::string IdentifierText(Edition edition, const Register& row) {
  return edition == Edition::k2007 ? DigitsWithAxes(row, 28, 8) : DigitsWithAxes(row, 12, 4);
}

std::vector<std::string> BitWords(const FieldSpec& spec, uint64_t word, Language language) {
  std::vector<std::string> words;
  for (const BitName& bit : spec.bits) {
    if ((word >> bit.shift & ((uint64_t{1} << bit.width) - 1)) != bit.value) continue;
    words.emplace_back(language == Language::kChinese ? bit.zh : bit.en);
  }
  return words;
}

absl::StatusOr<std::string> EncodeValue(const Match& match, absl::string_view text) {
  const Register& row = *match.row;
  if (!row.writable() || match.block != nullptr) {
    return base::InvalidArgument("NOT_WRITABLE", "the register cannot be written",
                                 {{"identifier", absl::StrFormat("%X", match.di)}});
  }
  const std::span<const FieldSpec> fields = row.fields();
  if (fields.size() == 1 && fields[0].count == 1) return EncodeField(fields[0], text);
  std::string data;
  size_t at = 0;  // In the text.
  const auto bad = [&at](absl::string_view why) {
    return base::InvalidArgument("BAD_VALUE", absl::StrCat("no value of the register: ", why),
                                 {{"position", absl::StrCat(at)}});
  };
  for (const FieldSpec& field : fields) {
    for (size_t i = 0; field.count == 0 ? at < text.size() : i < field.count; ++i) {
      if (field.count == 0 && i >= kOpenEnded) return bad("more entries than the table has");
      if (at >= text.size()) return bad("fewer fields than the register has");
      const size_t end = std::min(text.find(',', at), text.size());
      auto bytes = EncodeField(field, text.substr(at, end - at));
      if (!bytes.ok()) return bad(bytes.status().message());
      data += *bytes;
      at = end + 1;
    }
  }
  if (data.empty()) return bad("at least one entry is wanted");
  if (at <= text.size()) return bad("more fields than the register has");
  return data;
}

}  // namespace voltwell::codec::dlt645
