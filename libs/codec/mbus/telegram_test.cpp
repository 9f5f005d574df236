// Limits of chains, faults with their positions, ciphers, and that decoding allocates nothing.
#include "libs/codec/mbus/telegram.h"

#include <catch2/catch.hpp>

#include "libs/codec/mbus/address.h"
#include "libs/codec/mbus/request.h"
#include "libs/codec/mbus/value.h"
#include "libs/codec/vectors/vector_file.h"
#include "libs/testing/allocations.h"

namespace voltwell::codec::mbus {
namespace {

std::string Bytes(absl::string_view hex) { return *base::FromHex(hex); }

// CI 78H: records right behind CI, at byte 7.
std::string Records(absl::string_view hex) { return BuildLong(kRspUd, 1, base::AsBytes("\x78" + Bytes(hex))); }

Error Decode(const std::string& frame, Telegram& telegram) { return DecodeTelegram(base::AsBytes(frame), telegram); }

void CheckFault(absl::string_view records, Fault fault, size_t position) {
  Telegram telegram;
  const Error error = Decode(Records(records), telegram);
  INFO(records << ": " << FaultText(error.fault) << " at " << error.position);
  CHECK(error.fault == fault);
  CHECK(error.position == position);
}

TEST_CASE("ten DIFE and ten VIFE are read, the eleventh is named") {
  Telegram telegram;
  CHECK(Decode(Records("84 80808080808080808000 13 01000000"), telegram).ok());
  CHECK(telegram.count == 1);
  CHECK(telegram.buffer[0].units == 1);
  CheckFault("84 8080808080808080808000 13 01000000", Fault::kTooManyDife, 7 + 11);
  CHECK(Decode(Records("04 93 BBBBBBBBBBBBBBBBBB3B 01000000"), telegram).ok());
  CheckFault("04 93 BBBBBBBBBBBBBBBBBBBB3B 01000000", Fault::kTooManyVife, 7 + 12);
  // The byte behind FDH is one of the ten.
  CHECK(Decode(Records("04 FD BA BBBBBBBBBBBBBBBB3B 01000000"), telegram).ok());
  CheckFault("04 FD BA BBBBBBBBBBBBBBBBBB3B 01000000", Fault::kTooManyVife, 7 + 12);
}

TEST_CASE("records that end early are named where they should go on") {
  CheckFault("04", Fault::kNoVif, 8);
  CheckFault("84", Fault::kDifeCut, 8);
  CheckFault("84 80", Fault::kDifeCut, 9);
  CheckFault("84 00", Fault::kNoVif, 9);
  CheckFault("04 93", Fault::kVifeCut, 9);
  CheckFault("04 FD", Fault::kVifeCut, 9);
  CheckFault("04 13 010203", Fault::kDataCut, 12);
  CheckFault("0D 13", Fault::kDataCut, 9);
  CheckFault("0D 13 05 414243", Fault::kDataCut, 13);
  CheckFault("04 7C", Fault::kTextCut, 9);
  CheckFault("04 7C 05 4142", Fault::kTextCut, 9);
  CheckFault("04 13 01000000 8F 00", Fault::kReservedDif, 13);
  CheckFault("3F 00", Fault::kReservedDif, 7);
  CheckFault("0D 13 CA 00", Fault::kReservedLength, 9);
  CheckFault("0D 13 FF 00", Fault::kReservedLength, 9);
}

TEST_CASE("records before a fault stand in the telegram") {
  Telegram telegram;
  CHECK_FALSE(Decode(Records("04 13 01000000 04 13 0200"), telegram).ok());
  CHECK(telegram.count == 1);
}

TEST_CASE("a frame full of the shortest records fits") {
  std::string records;
  for (size_t i = 0; i < kRecordsMax; ++i) records += "0013";
  Telegram telegram;
  CHECK(Decode(Records(records), telegram).ok());
  CHECK(telegram.count == kRecordsMax);
}

TEST_CASE("numbers that name something are unsigned, other integers are not") {
  const auto units = [](const std::string& records) {
    Telegram telegram;
    REQUIRE(Decode(Records(records), telegram).ok());
    REQUIRE(telegram.count == 1);
    return telegram.buffer[0].units;
  };
  for (const char* const vif :
       {"78", "79", "7A", "FD08", "FD09", "FD0A", "FD0B", "FD0C", "FD0D", "FD0E", "FD0F", "FD1C", "FD1D", "FD1E"}) {
    CAPTURE(vif);
    CHECK(units(std::string("01") + vif + "FE") == 254);
    CHECK(units(std::string("02") + vif + "FEFF") == 65534);
    CHECK(units(std::string("04") + vif + "FEFFFFFF") == 4294967294);
  }
  for (const char* const vif : {"13", "5B", "7E", "FD07"}) {
    CAPTURE(vif);
    CHECK(units(std::string("02") + vif + "FEFF") == -2);
  }
}

TEST_CASE("an encrypted telegram tells its header only") {
  // Signature 0510: mode 5, AES-CBC.
  Telegram telegram;
  const std::string user = Bytes("72 78563412 C514 01 06 01 00 1005 0102030405060708");
  CHECK(Decode(BuildLong(kRspUd, 1, base::AsBytes(user)), telegram).ok());
  CHECK(telegram.encrypted);
  CHECK(telegram.count == 0);
  CHECK(telegram.header.id == 0x12345678);
}

TEST_CASE("the fixed structure shows two counters with their units, BCD, binary and stored") {
  Telegram telegram;
  // Energy 10 Wh binary 1000, and volume 10^-6 m3 (26H) binary 4096; medium bits 0100: heat.
  REQUIRE(
      Decode(BuildLong(kRspUd, 5, base::AsBytes(Bytes("73 78563412 0A 03 0366 E8030000 00100000"))), telegram).ok());
  CHECK(telegram.header.medium == 4);
  CHECK(NumberOf(telegram.buffer[0])->ToString() == "10000");
  CHECK(UnitText(telegram.buffer[0].unit) == "Wh");
  CHECK(NumberOf(telegram.buffer[1])->ToString() == "0.004096");
  CHECK(telegram.buffer[1].storage == 1);
  const Error error =
      Decode(BuildLong(kRspUd, 5, base::AsBytes(Bytes("73 78563412 0A 03 0366 E8030000 001000"))), telegram);
  CHECK(error.fault == Fault::kFixedLength);
}

TEST_CASE("decoding a frame allocates nothing") {
  const std::vector<vectors::Vector> all = vectors::Load("mbus.vec");
  const auto telegram = std::make_unique<Telegram>();
  size_t records = 0;
  const size_t before = testing::allocations;
  for (const vectors::Vector& vector : all) {
    DecodeTelegram(base::AsBytes(vector.reply), *telegram);
    records += telegram->count;
    for (const Record& record : telegram->records()) {
      if (record.kind == ValueKind::kNumber || record.kind == ValueKind::kFloat) NumberOf(record);
      if (record.kind == ValueKind::kDateTime) TimeOf(record);
    }
  }
  CHECK(testing::allocations == before);
  CHECK(records > 500);
}

TEST_CASE("link frames are built as the public ones stand") {
  const auto hex = [](const std::string& bytes) { return base::ToHex(base::AsBytes(bytes)); };
  CHECK(hex(BuildShort(kSndNke, kSelectedAddress)) == "1040FD3D16");
  CHECK(hex(BuildShort(kReqUd2, 4)) == "105B045F16");
  // Set primary address 8, as the libmbus documentation sends it.
  CHECK(hex(BuildLong(kSndUd, kEveryoneAnswers, base::AsBytes(Bytes("51017A08")))) == "6806066853FE51017A082516");
  // Selecting 00025770 and anything else; recorded with FCB 1, which we send as 0.
  CHECK(hex(BuildSelect({.id = 0x00025770})) == "680B0B6853FD5270570200FFFFFFFF6716");
  CHECK(CiOfBaud(9600) == 0xBD);
  CHECK(CiOfBaud(1234) == 0);
  CHECK(BaudOfCi(0xB8) == 300);
}

TEST_CASE("addresses are read as people write them, and a wrong character is named") {
  CHECK(ParseMeterAddress("p250")->primary == 250);
  CHECK(ParseMeterAddress("7")->primary == 7);
  CHECK(ParseMeterAddress("12345678")->secondary == SecondaryAddress{.id = 0x12345678});
  const auto full = ParseMeterAddress("12345678C5140106");
  REQUIRE(full.ok());
  CHECK(full->secondary == SecondaryAddress{0x12345678, 0x14C5, 1, 6});
  CHECK(FormatSecondary(full->secondary) == "12345678C5140106");
  CHECK(ManufacturerText(0x14C5) == "EFE");
  CHECK(Covers({.id = 0x1234FFFF}, full->secondary));
  CHECK_FALSE(Covers({.id = 0x1235FFFF}, full->secondary));
  for (const char* wrong : {"", "p251", "p", "x1", "1234567", "1234567G", "12345678C51401", "p1234"}) {
    INFO(wrong);
    CHECK_FALSE(ParseMeterAddress(wrong).ok());
  }
}

TEST_CASE("a late telegram of another meter does not match") {
  const std::string reply = BuildLong(kRspUd, 1, base::AsBytes(Bytes("72 78563412 C514 01 06 01 00 0000 01 13 05")));
  const auto matches = [&](const MeterAddress& address) {
    return TelegramMatcher(address).Matches(base::AsBytes(reply));
  };
  CHECK(matches({.primary = 1}));
  CHECK_FALSE(matches({.primary = 2}));
  CHECK(matches({.is_secondary = true, .secondary = {.id = 0x12345678}}));
  CHECK(matches({.is_secondary = true, .secondary = {.id = 0x1F34FFFF}}));
  CHECK_FALSE(matches({.is_secondary = true, .secondary = {.id = 0x12345679}}));
  CHECK_FALSE(AckMatcher().Matches(base::AsBytes(reply)));
  CHECK(AckMatcher().Matches(base::AsBytes("\xE5")));
}

}  // namespace
}  // namespace voltwell::codec::mbus
