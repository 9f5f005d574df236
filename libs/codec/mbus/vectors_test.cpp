// Recorded and hand-worked frames against the decoder, and every row of the VIF tables against them; see
// libs/codec/vectors/mbus.vec.
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "libs/codec/mbus/address.h"
#include "libs/codec/mbus/telegram.h"
#include "libs/codec/mbus/value.h"
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec::mbus {
namespace {

const std::vector<vectors::Vector>& AllVectors() {
  static const auto* const all = new std::vector<vectors::Vector>(vectors::Load("mbus.vec"));
  return *all;
}

// The value as mbus.vec writes it; numbers without zeros at the end.
std::string ValueText(const Record& record, base::ByteView frame) {
  if ((record.flags & kNoValueFlag) != 0) return "-";
  switch (record.kind) {
    case ValueKind::kNone:
      return "-";
    case ValueKind::kNumber:
    case ValueKind::kFloat: {
      const auto number = NumberOf(record);
      if (!number.has_value()) return FloatText(record);
      std::string text = number->ToString();
      if (text.find('.') == std::string::npos) return text;
      while (text.back() == '0') text.pop_back();
      if (text.back() == '.') text.pop_back();
      return text == "-0" ? "0" : text;
    }
    case ValueKind::kDate:
    case ValueKind::kDateTime:
    case ValueKind::kDateTimeLong:
    case ValueKind::kTime: {
      const std::string text = TimeText(TimeOf(record));
      return text.empty() ? "-" : text;
    }
    case ValueKind::kText:
      return absl::StrCat("\"", CharactersOf(record, frame), "\"");
    case ValueKind::kErrorDigits:
      return absl::StrCat("!", HexOf(record, frame));
    default:
      return absl::StrCat("#", HexOf(record, frame));
  }
}

std::string RecordText(size_t number, const Record& record, base::ByteView frame) {
  std::string text =
      absl::StrFormat("%d %s %d.%d.%d %s = %s", number, std::string(FunctionName(record.function)), record.storage,
                      record.tariff, record.subunit, RowOf(record).name, ValueText(record, frame));
  const std::string unit = UnitOf(record, frame);
  if (!unit.empty()) absl::StrAppend(&text, " ", unit);
  return text;
}

std::string HeaderText(const Header& header) {
  return absl::StrFormat(
      "%08X %s %s %d %d %02X", header.id, header.has_maker ? ManufacturerText(header.manufacturer) : "-",
      header.has_maker ? absl::StrCat(header.version) : "-", header.medium, header.access, header.status);
}

void CheckTelegram(const vectors::Vector& vector) {
  INFO(vector.id);
  Telegram telegram;
  const base::ByteView frame = base::AsBytes(vector.reply);
  const Error error = DecodeTelegram(frame, telegram);
  INFO(FaultText(error.fault) << " at " << error.position);
  REQUIRE(error.ok());
  size_t records = 0;
  for (const auto& [key, rest] : vector.facts) {
    if (key == "header") CHECK(HeaderText(telegram.header) == rest);
    if (key != "record") continue;
    REQUIRE(records < telegram.count);
    const Record& record = telegram.buffer[records++];
    if (absl::EndsWith(rest, "?")) continue;
    CHECK(RecordText(records, record, frame) == rest);
  }
  CHECK(records == telegram.count);
}

TEST_CASE("every recorded telegram says what its source says") {
  size_t checked = 0;
  for (const vectors::Vector& vector : AllVectors()) {
    CHECK_FALSE(vector.source.empty());
    if (vector.reply.empty() || vector.facts.front().first == "refused") continue;
    CheckTelegram(vector);
    ++checked;
  }
  CHECK(checked > 50);
}

TEST_CASE("what must not be decoded is refused, and an application error is told with its code") {
  size_t checked = 0;
  for (const vectors::Vector& vector : AllVectors()) {
    if (vector.facts.front().first != "refused") continue;
    INFO(vector.id);
    Telegram telegram;
    const Error error = DecodeTelegram(base::AsBytes(vector.reply), telegram);
    CHECK_FALSE(error.ok());
    CHECK(error.position <= vector.reply.size());
    const std::vector<std::string> words = absl::StrSplit(vector.facts.front().second, ' ');
    if (words.size() == 3) {
      CHECK(error.fault == Fault::kApplicationError);
      CHECK(absl::StrCat(telegram.application_error) == words[2]);
    }
    ++checked;
  }
  CHECK(checked >= 11);
}

TEST_CASE("recorded requests are link frames with these fields") {
  size_t checked = 0;
  for (const vectors::Vector& vector : AllVectors()) {
    if (vector.request.empty()) continue;
    INFO(vector.id);
    Link link;
    REQUIRE(ParseLink(base::AsBytes(vector.request), link).ok());
    constexpr const char* kShapes[] = {"ack", "short", "control", "long"};
    std::string text =
        absl::StrFormat("%s %02X %d", kShapes[static_cast<size_t>(link.shape)], link.control, link.address);
    if (link.shape != Shape::kShort) absl::StrAppendFormat(&text, " %02X", link.ci);
    CHECK(text == vector.facts.front().second);
    ++checked;
  }
  CHECK(checked >= 6);
}

// Rows that the records of a vector use: of their VIF and of their VIFE.
std::set<size_t> RowsShown(const vectors::Vector& vector) {
  std::set<size_t> rows;
  Telegram telegram;
  const base::ByteView frame = base::AsBytes(vector.reply);
  if (frame.empty() || !DecodeTelegram(frame, telegram).ok()) return rows;
  for (const Record& record : telegram.records()) {
    rows.insert(record.row);
    if ((frame[record.vif_offset] & 0x7F) == 0x7F) continue;
    for (const uint8_t vife : FirstTableModifiersOf(record, frame)) {
      rows.insert(Entries(VifTable::kCombinable)[vife & 0x7F].row);
      if ((vife & 0x7F) == 0x7F) break;
    }
  }
  return rows;
}

TEST_CASE("each row of the VIF tables names a vector that shows it, but for a fifth at most") {
  std::map<std::string, std::set<size_t>> shown;
  for (const vectors::Vector& vector : AllVectors()) shown[vector.id] = RowsShown(vector);
  size_t rows = 0;
  size_t unproven = 0;
  for (size_t i = 0; i < VifRows().size(); ++i) {
    const VifRow& row = VifRows()[i];
    if (row.meaning == Meaning::kReserved) continue;
    ++rows;
    if (row.proof[0] == '\0') {
      ++unproven;
      continue;
    }
    INFO(row.name << " " << static_cast<int>(row.first) << " by " << row.proof);
    REQUIRE(shown.contains(row.proof));
    CHECK(shown[row.proof].contains(i));
  }
  CHECK(5 * unproven <= rows);
}

TEST_CASE("codes of two rows never overlap, and rows stand in order") {
  for (size_t i = 1; i < VifRows().size(); ++i) {
    const VifRow& before = VifRows()[i - 1];
    const VifRow& row = VifRows()[i];
    CHECK(row.first <= row.last);
    CHECK(row.last <= 0x7F);
    if (row.table == before.table) CHECK(row.first > before.last);
  }
}

// What a frame says, in full; for comparing.
std::string Everything(base::ByteView frame, const Telegram& telegram) {
  std::string text = HeaderText(telegram.header);
  for (const Record& record : telegram.records()) absl::StrAppend(&text, "\n", RecordText(1, record, frame));
  return text;
}

TEST_CASE("every truncation of a recorded frame is refused with a position inside it") {
  Telegram telegram;
  for (const vectors::Vector& vector : AllVectors()) {
    if (vector.reply.size() < 10) continue;
    for (size_t size = 0; size < vector.reply.size(); ++size) {
      const Error error = DecodeTelegram(base::AsBytes(vector.reply).first(size), telegram);
      REQUIRE_FALSE(error.ok());
      REQUIRE(error.position <= size);
    }
  }
}

TEST_CASE("every shortened frame whose lengths and checksum hold decodes or names its fault") {
  Telegram telegram;
  for (const vectors::Vector& vector : AllVectors()) {
    if (vector.reply.size() < 12) continue;
    const base::ByteView whole = base::AsBytes(vector.reply);
    for (size_t user = 1; user + 8 < whole.size(); ++user) {
      const std::string cut = BuildLong(whole[4], whole[5], whole.subspan(6, user));
      const Error error = DecodeTelegram(base::AsBytes(cut), telegram);
      REQUIRE(error.position <= cut.size());
      REQUIRE(telegram.count <= kRecordsMax);
      REQUIRE_FALSE(Everything(base::AsBytes(cut), telegram).empty());
    }
  }
}

TEST_CASE("every bit flip of a recorded frame is refused, or with its checksum mended decodes or names its fault") {
  Telegram telegram;
  for (const vectors::Vector& vector : AllVectors()) {
    if (vector.reply.size() < 10) continue;
    std::string bytes = vector.reply;
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      const size_t at = bit / 8;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit % 8));
      REQUIRE_FALSE(DecodeTelegram(base::AsBytes(bytes), telegram).ok());
      if (at >= 6 && at + 2 < bytes.size()) {
        const base::ByteView user = base::AsBytes(bytes).subspan(6, bytes.size() - 8);
        const std::string mended = BuildLong(static_cast<uint8_t>(bytes[4]), static_cast<uint8_t>(bytes[5]), user);
        const Error error = DecodeTelegram(base::AsBytes(mended), telegram);
        REQUIRE(error.position <= mended.size());
        REQUIRE_FALSE(Everything(base::AsBytes(mended), telegram).empty());
      }
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit % 8));
    }
  }
}

}  // namespace
}  // namespace voltwell::codec::mbus
