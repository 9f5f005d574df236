// The tables' own rules: every register is found by its identifier and its id, blocks, names, and the way back from
// text to bytes as a property over all rows.
#include "libs/codec/dlt645/register_table.h"

#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/register_index.h"
#include "libs/codec/dlt645/reply.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr Edition kEditions[] = {Edition::k2007, Edition::k1997};

// Every register of a row, up to the last settlement day and the last record.
std::vector<Match> AllMembers(Edition edition, const Register& row) {
  std::vector<Match> members = {{&row, row.di}};
  for (const Axis* const axis : row.axes) {
    if (axis == nullptr) break;
    std::vector<Match> more;
    for (const Match& match : members) {
      const Match whole = {&row, match.di, axis};
      for (size_t i = 0; i < axis->count; ++i) more.push_back(MemberOf(edition, whole, i));
    }
    members = std::move(more);
  }
  return members;
}

TEST_CASE("every register of every row is found by its identifier and by its id, and no two share one") {
  for (const Edition edition : kEditions) {
    std::set<uint32_t> identifiers;
    std::set<std::string> ids;
    size_t wrong = 0;
    for (const Register* const row : Registers(edition)) {
      for (const Match& match : AllMembers(edition, *row)) {
        const std::string id = IdOf(edition, match);
        const Match by_di = FindByDi(edition, match.di);
        const Match by_id = FindByObis(edition, id);
        const bool right = by_di.row == row && by_di.block == nullptr && by_id.row == row && by_id.di == match.di &&
                           identifiers.insert(match.di).second && ids.insert(id).second;
        if (!right) UNSCOPED_INFO("wrong: " << id);
        wrong += right ? 0 : 1;
      }
    }
    CHECK(wrong == 0);
    CHECK(ids.size() > (edition == Edition::k2007 ? 30'000U : 1'000U));
  }
}

TEST_CASE("rows are ordered, named in both languages, and say where they are from") {
  for (const Edition edition : kEditions) {
    uint32_t last = 0;
    for (const Register* const row : Registers(edition)) {
      CAPTURE(std::string(row->name));
      CHECK((row->di > last || row->di == 0));
      last = row->di;
      CHECK_FALSE(row->source.empty());
      CHECK(LengthOf(*row) >= 1);
      for (const Match& match : UsualMembers(edition, *row)) {
        for (const std::string& text :
             {NameOf(match), TitleOf(match, Language::kChinese), TitleOf(match, Language::kEnglish)}) {
          CHECK_FALSE(text.empty());
          CHECK(text.find('{') == std::string::npos);
        }
      }
      for (const FieldSpec& field : row->fields()) {
        CHECK(field.length >= 1);
        CHECK_FALSE(Notation(field).empty());
        CHECK((row->list.empty() || field.is_time || !field.suffix.empty() || row->list.size() == 2));
      }
    }
  }
}

TEST_CASE("the ids that stand in databases are those of the same registers as before") {
  const auto id = [](uint32_t di) { return IdOf(Edition::k2007, FindByDi(Edition::k2007, di)); };
  CHECK(id(0x00000000) == "1-0:15.8.0");
  CHECK(id(0x00010000) == "1-0:1.8.0");
  CHECK(id(0x00010400) == "1-0:1.8.4");
  CHECK(id(0x00020200) == "1-0:2.8.2");
  CHECK(id(0x00030000) == "1-0:3.8.0");
  CHECK(id(0x00900200) == "0-0:19.10.0");
  CHECK(id(0x00900201) == "0-0:19.10.1");
  CHECK(id(0x02010300) == "1-0:72.7.0");
  CHECK(id(0x02020200) == "1-0:51.7.0");
  CHECK(id(0x02030000) == "1-0:1.7.0");
  CHECK(id(0x02040100) == "1-0:23.7.0");
  CHECK(id(0x02050300) == "1-0:69.7.0");
  CHECK(id(0x02060000) == "1-0:13.7.0");
  CHECK(id(0x02800002) == "1-0:14.7.0");
  CHECK(id(0x04000101) == "0-0:0.9.2");
  CHECK(id(0x04000102) == "0-0:0.9.1");
  CHECK(id(0x0400010C) == "0-0:1.0.0");
  CHECK(id(0x04000401) == "0-0:96.1.0");
  CHECK(id(0x04000402) == "0-0:96.1.1");
  CHECK(id(0x04000503) == "0-0:96.3.10");
}

TEST_CASE("an id tells tariff and settlement day, and the editions share the ids of the same quantity") {
  const Match match = FindByObis(Edition::k2007, "1-0:1.8.2*1");
  REQUIRE(match);
  CHECK(match.di == 0x00010201);
  CHECK(TitleOf(match, Language::kEnglish) == "forward active energy, tariff 2 (1 settlement day back)");
  CHECK(TitleOf(match, Language::kChinese) == "正向有功费率2电能（上1结算日）");
  CHECK(NameOf(match) == "energy_forward_active_tariff_2_back_1");
  CHECK(FindByObis(Edition::k2007, "1-0:1.8.2*0").di == 0x00010200);
  CHECK(FindByObis(Edition::k1997, "1-0:1.8.0").di == 0x9010);
  CHECK(FindByObis(Edition::k1997, "1-0:1.8.2*1").di == 0x9412);
  CHECK(FindByObis(Edition::k1997, "1-0:1.6.0*2/time").di == 0xB810);
  CHECK(PatternOf(Edition::k2007, *match.row) == "1-0:1.8.{t}*{n}");
  CHECK(IdentifierText(Edition::k2007, *match.row) == "0001{t}{n}");
}

TEST_CASE("a field of a record has an id of its own") {
  const Match start = FindByObis(Edition::k2007, "0-3:199.17.0*1/start");
  REQUIRE(start);
  CHECK(start.di == 0x03110001);
  CHECK(start.suffix == "/start");
  CHECK(FindByObis(Edition::k2007, "0-3:199.48.0*1/identifier_10"));
  CHECK_FALSE(FindByObis(Edition::k2007, "0-3:199.48.0*1/identifier_11"));
  CHECK_FALSE(FindByObis(Edition::k2007, "0-3:199.17.0*1/stop"));
}

TEST_CASE("what is no register is not found") {
  for (const char* const id :
       {"", "1-0:99.99.99", "1-0:1.8.64", "1-0:1.8.0*13", "1-0:1.8", "1-0:1.8.0*", "1-0:1.8.0/x", "1-0:1.8.0x",
        "0-3:199.17.0*11", "0-0:199.144.2", "0-2:199.1.1", "1-0:1.8.999", "a-0:1.8.0", "0-0:198.144.16"}) {
    CAPTURE(id);
    CHECK_FALSE(FindByObis(Edition::k2007, id));
  }
  for (const uint32_t di :
       {0x00014000U, 0x0001000DU, 0x02010400U, 0x0301010BU, 0xFFFFFFFFU, 0x0001FFFFU, 0x12345678U}) {
    CAPTURE(di);
    CHECK_FALSE(FindByDi(Edition::k2007, di));
  }
  CHECK_FALSE(FindByDi(Edition::k1997, 0x9C10));
  CHECK_FALSE(FindByDi(Edition::k1997, 0x00010000));
}

TEST_CASE("a block reads a register with its siblings") {
  const auto block = [](uint32_t di) { return BlockOf(Edition::k2007, FindByDi(Edition::k2007, di)); };
  CHECK(block(0x00010203) == 0x0001FF03);
  CHECK(block(0x02010100) == 0x0201FF00);
  CHECK(block(0x02030000) == 0x0203FF00);
  CHECK(block(0x04050101) == 0x040501FF);
  CHECK(block(0x020A0105) == 0x020A01FF);
  CHECK(block(0x00900200) == 0);
  CHECK(block(0x04000501) == 0);
  CHECK(BlockOf(Edition::k1997, FindByDi(Edition::k1997, 0x9411)) == 0x941F);
  CHECK(UsualReplyLength(FindByDi(Edition::k2007, 0x0001FF00)) == 20);
  CHECK(UsualReplyLength(FindByDi(Edition::k2007, 0x0201FF00)) == 6);
}

// A text that the field shows, at random.
std::string RandomText(const FieldSpec& spec, std::mt19937& random) {
  std::string plain(spec.length, '\0');
  for (int tries = 0; tries < 10'000; ++tries) {
    for (char& c : plain) {
      const bool any = spec.format == Format::kBits || spec.format == Format::kHex || spec.format == Format::kBinary ||
                       spec.format == Format::kIdentifier || spec.format == Format::kPassword;
      const auto byte = any ? random() % 256 : random() % 10 * 16 + random() % 10;
      c = static_cast<char>((spec.format == Format::kAscii ? 'A' + random() % 26 : byte) + kOffset);
    }
    const FieldValue value = DecodeField(base::AsBytes(plain), spec);
    if (value.kind == FieldValue::Kind::kNumber) return value.number.ToString();
    if (value.kind == FieldValue::Kind::kText || value.kind == FieldValue::Kind::kBits) return value.Text();
  }
  FAIL("no value found");
  return "";
}

TEST_CASE("text of every field goes to bytes and back to the same text") {
  std::mt19937 random(7);
  for (const Edition edition : kEditions) {
    for (const Register* const row : Registers(edition)) {
      for (const FieldSpec& spec : row->fields()) {
        for (int i = 0; i < 5; ++i) {
          const std::string text = RandomText(spec, random);
          CAPTURE(std::string(row->name), text);
          auto bytes = EncodeField(spec, text);
          if (!bytes.ok() && text.find("-02-") != std::string::npos) continue;  // A day that February has not.
          if (!bytes.ok() && text.find("-31") != std::string::npos) continue;
          REQUIRE(bytes.ok());
          REQUIRE(bytes->size() == spec.length);
          for (char& c : *bytes) c = static_cast<char>(c + kOffset);
          const FieldValue value = DecodeField(base::AsBytes(*bytes), spec);
          CHECK((value.kind == FieldValue::Kind::kNumber ? value.number.ToString() : value.Text()) == text);
        }
      }
    }
  }
}

TEST_CASE("what every writable row takes, every reader of it shows again") {
  std::mt19937 random(8);
  size_t rows = 0;
  for (const Edition edition : kEditions) {
    for (const Register* const row : Registers(edition)) {
      if (!row->writable()) {
        CHECK(base::ReasonOf(EncodeValue({row, row->di}, "1").status()) == "NOT_WRITABLE");
        continue;
      }
      std::vector<std::string> texts;
      for (const FieldSpec& spec : row->fields()) {
        for (int i = 0; i < (spec.count == 0 ? 3 : spec.count); ++i) texts.push_back(RandomText(spec, random));
      }
      const std::string text = absl::StrJoin(texts, ",");
      CAPTURE(std::string(row->name), text);
      auto data = EncodeValue({row, row->di}, text);
      if (!data.ok() && base::MetadataOf(data.status()).contains("position")) continue;  // February 30th.
      REQUIRE(data.ok());
      for (char& c : *data) c = static_cast<char>(c + kOffset);
      std::vector<Field> fields;
      REQUIRE(DecodeData(edition, row->di, base::AsBytes(*data), fields) == ReadOutcome::kValues);
      REQUIRE(fields.size() == texts.size());
      for (size_t i = 0; i < texts.size(); ++i) {
        const FieldValue& value = fields[i].value;
        CHECK((value.kind == FieldValue::Kind::kNumber ? value.number.ToString() : value.Text()) == texts[i]);
      }
      ++rows;
    }
  }
  CHECK(rows > 100);
}

TEST_CASE("a value that a register cannot take is refused with the place of the first wrong character") {
  const auto refused = [](const char* id, const char* text) {
    const absl::Status status = EncodeValue(FindByObis(Edition::k2007, id), text).status();
    CHECK(base::ReasonOf(status) == "BAD_VALUE");
    return base::MetadataOf(status)["position"];
  };
  CHECK(refused("0-4:199.0.16*1", "1x.00") == "1");
  CHECK(refused("0-4:199.0.16*1", "12.345") == "5");
  CHECK(refused("0-4:199.0.16*1", "-1.00") == "0");
  CHECK(refused("0-4:199.0.16*1", "1000000.00") == "0");
  CHECK(refused("0-4:199.0.16*1", "") == "0");
  CHECK(refused("0-0:0.9.1", "24:00:00") == "0");
  CHECK(refused("0-0:0.9.1", "23:60:00") == "3");
  CHECK(refused("0-0:0.9.1", "23:59") == "5");
  CHECK(refused("0-0:0.9.1", "23:59:00Z") == "8");
  CHECK(refused("0-0:0.9.2", "2026-02-30") == "8");
  CHECK(refused("0-0:0.9.2", "1999-01-01") == "0");
  CHECK(refused("0-0:96.1.0", "12345678901") == "11");
  CHECK(refused("0-0:96.1.0", "12345678901A") == "11");
  CHECK(refused("0-0:96.1.2", "a name that is longer than 32 char") == "32");
  CHECK(refused("0-4:199.1.0", "01-01/01,13-01/02") == "9");
  CHECK(refused("0-4:199.1.0", "") == "0");
  CHECK(refused("0-4:199.0.6*1", "0G") == "1");
}

TEST_CASE("writing the date sends the weekday that it has") {
  // 2026-11-22 is a Sunday, 00; 2026-11-28 a Saturday, 06.
  CHECK(base::ToHex(base::AsBytes(*EncodeValue(FindByObis(Edition::k2007, "0-0:0.9.2"), "2026-11-22"))) == "00221126");
  CHECK(base::ToHex(base::AsBytes(*EncodeValue(FindByObis(Edition::k2007, "0-0:0.9.2"), "2026-11-28"))) == "06281126");
}

TEST_CASE("words name the bits of a status word") {
  const Match word = FindByDi(Edition::k2007, 0x04000503);
  const auto words = BitWords(word.row->value, 0x0250, Language::kEnglish);
  CHECK(std::find(words.begin(), words.end(), "relay open") != words.end());
  CHECK(std::find(words.begin(), words.end(), "prepaid meter for money") != words.end());
  CHECK(std::find(words.begin(), words.end(), "relay closed") == words.end());
}

}  // namespace
}  // namespace voltwell::codec::dlt645
