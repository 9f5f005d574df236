// What a readout of M-Bus does not take for a value: other moments, other units, other functions.
#include "libs/codec/mbus_read.h"

#include <catch2/catch.hpp>

#include "libs/base/status.h"
#include "libs/codec/mbus/link.h"
#include "libs/codec/mbus_commands.h"

namespace voltwell::codec {
namespace {

std::string Bytes(absl::string_view hex) { return *base::FromHex(hex); }

// A reply of a meter of this medium.
std::string Telegram(absl::string_view medium, absl::string_view records) {
  const std::string user = "72 78563412 F35A 01 " + std::string(medium) + " 01 00 0000" + std::string(records);
  return mbus::BuildLong(mbus::kRspUd, 5, base::AsBytes(Bytes(user)));
}

Decoded Read(absl::string_view medium, absl::string_view records, std::vector<std::string> registers,
             const Profile& profile = {}) {
  const Command command = {
      .protocol = Protocol::kMbus, .address = "p5", .baud = 2400, .action = ReadRegisters{std::move(registers)}};
  return DecodeMbus({command, {{Bytes("E5")}, {Telegram(medium, records)}}}, profile);
}

RegisterValue ReadOne(absl::string_view medium, absl::string_view records, const std::string& reg) {
  const Decoded decoded = Read(medium, records, {reg});
  REQUIRE(decoded.error.ok());
  REQUIRE(decoded.values.size() == 1);
  return decoded.values[0];
}

TEST_CASE("a meter of heat and cooling has no cooling energy where it tells heat only") {
  CHECK(ReadOne("0D", "04 06 10270000", "6-0:1.0.0").number->ToString() == "10000");
  CHECK(ReadOne("0D", "04 06 10270000", "5-0:1.0.0").quality == Quality::kNoValue);
  // One that counts a single quantity may be set up as its neighbour.
  CHECK(ReadOne("04", "04 06 10270000", "5-0:1.0.0").number->ToString() == "10000");
}

TEST_CASE("a valve's state is the present value, not a maximum nor what stood there during an error") {
  Profile profile;
  profile.valve_open = Bytes("51 01FD1A01");
  profile.valve_close = Bytes("51 01FD1A00");
  const auto state = [&](absl::string_view records) { return Read("07", records, {"mbus:*"}, profile).relay_state; };
  CHECK(state("01FD1A00 11FD1A01") == RelayState::kOpen);
  CHECK(state("01FD1A00 31FD1A01") == RelayState::kOpen);
  CHECK(state("11FD1A01") == RelayState::kUnspecified);
  CHECK(state("01FD1A01") == RelayState::kClosed);
}

TEST_CASE("a stored value has the time of its storage, not that of a maximum or of another tariff") {
  const std::string stored = "4C13 00001000";  // 100.000 m3 of storage 1.
  for (const char* other : {"52 6C 0121", "72 6C 0121", "C210 6C 0121"}) {
    INFO(other);
    const RegisterValue value = ReadOne("07", std::string(other) + "42 6C 1F2C" + stored, "8-0:1.0.0*1");
    CHECK(value.meter_time == "2016-12-31T00:00");
    CHECK(ReadOne("07", other + stored, "8-0:1.0.0*1").meter_time.empty());
  }
}

TEST_CASE("a quantity in another unit than its register's keeps its own id") {
  CHECK(ReadOne("07", "04 FB23 10270000", "8-0:1.0.0").quality == Quality::kNoValue);
  CHECK(ReadOne("07", "04 FB23 10270000", "mbus:0.0.0:FB23").unit == "gal");
  CHECK(ReadOne("04", "04 FB0D 10270000", "6-0:1.0.0").quality == Quality::kNoValue);
  CHECK(ReadOne("04", "04 0F 10270000", "6-0:1.0.0").unit == "GJ");
}

TEST_CASE("what a phase is said to be changes no number") {
  const RegisterValue voltage = ReadOne("02", "02 FDC8FC01 E100", "mbus:0.0.0:FDC8FC01");
  CHECK(voltage.number->ToString() == "22.5");
  CHECK(voltage.unit == "V");
  CHECK(ReadOne("02", "02 FDC8FC74 E100", "mbus:0.0.0:FDC8FC74").number->ToString() == "22.5");
  const std::string frame = Telegram("02", "02 FDC8FC01 E100");
  bool told = false;
  for (const Explanation& part : ExplainMbus(base::AsBytes(frame), {}).explanations) {
    told = told || part.meaning.find("at phase L1") != std::string::npos;
  }
  CHECK(told);
}

TEST_CASE("every year is no year") {
  CHECK(ReadOne("07", "42 6C FFFC", "mbus:1.0.0:6C").quality == Quality::kNoValue);
  CHECK(ReadOne("07", "04 6D 0000FFFC", "0-0:1.0.0").quality == Quality::kNoValue);
  CHECK(ReadOne("07", "42 6C FFFC 4C13 00001000", "8-0:1.0.0*1").meter_time.empty());
}

TEST_CASE("the lowest binary number is the meter's sign that it has none") {
  const RegisterValue value = ReadOne("07", "04 13 00000080", "8-0:1.0.0");
  CHECK(value.quality == Quality::kOutOfRange);
  CHECK_FALSE(value.number.has_value());
  CHECK(value.text == "80000000");
  CHECK(ReadOne("07", "04 13 01000080", "8-0:1.0.0").number->ToString() == "-2147483.647");
}

}  // namespace
}  // namespace voltwell::codec
