// The wallet, the load profile and what else a DL/T 645-2007 meter keeps.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tools/field_sim/meter.h"
#include "tools/field_sim/testing.h"

namespace voltwell::field_sim {
namespace {

using testing::After;
using testing::kMorning;

const char kAddress[] = "260305510009";
const char kOperator[] = "44332211";
const char kCustomer[] = "563412000000";  // 000000123456.

ParkMeter Config() {
  ParkMeter config;
  config.address = *ParseAddress(kAddress);
  config.address_text = kAddress;
  config.power_w = 0;
  config.remaining_fen = 10000;
  config.customer = "000000123456";
  config.purchase_count = 3;
  return config;
}

struct Fixture {
  explicit Fixture(const ParkMeter& c = Config()) : config(c), meter(config, {.steady = true}, kMorning) {}
  std::string Ask(uint8_t control, const std::string& data, double seconds = 1) {
    return testing::Summary(
        testing::Ask(meter, testing::RequestFrame(kAddress, control, data), After(kMorning, seconds)));
  }
  // Amounts and counts are binary, lowest byte first.
  std::string TopUp(const char* fen, const char* count, const char* mac = "00000000",
                    const char* customer = kCustomer) {
    return Ask(0x03, std::string("FF020107") + kOperator + fen + count + mac + customer + mac);
  }
  std::string Read(const char* di) { return Ask(0x11, di); }
  ParkMeter config;
  Meter meter;
};

TEST_CASE("a purchase with the next count goes into the wallet once, and its record can be read") {
  Fixture fixture;
  CHECK(fixture.TopUp("10270000", "04000000") == "83:FF020107");  // 100.00 yuan.
  CHECK(fixture.Read("00029000") == "91:0002900000000200");
  CHECK(fixture.Read("01023303") == "91:010233030400");
  CHECK(fixture.Read("01033303") == "91:0103330300000100");
  CHECK(fixture.Read("01043303") == "91:0104330300000100");
  CHECK(fixture.Read("01053303") == "91:0105330300000200");
  CHECK(fixture.TopUp("10270000", "04000000") == "C3:0200");  // The same once more: it is in already.
  CHECK(fixture.Read("00029000") == "91:0002900000000200");
}

TEST_CASE("a purchase is refused for its count, its customer, its MAC and what would be too much") {
  ParkMeter config = Config();
  config.wallet_mac = 0x11223344;
  config.hoarding_fen = 15000;
  Fixture fixture(config);
  CHECK(fixture.TopUp("10270000", "06000000", "44332211") == "C3:2000");
  CHECK(fixture.TopUp("10270000", "04000000", "44332211", "573412000000") == "C3:1000");
  CHECK(fixture.TopUp("10270000", "04000000", "00000000") == "C3:0400");
  CHECK(fixture.TopUp("10270000", "04000000", "44332211") == "C3:4000");
  CHECK(fixture.TopUp("88130000", "04000000", "44332211") == "83:FF020107");
}

TEST_CASE("a wallet that wants an authentication refuses a purchase without one, and after it ran out") {
  ParkMeter config = Config();
  config.wallet_authenticates = true;
  Fixture fixture(config);
  CHECK(fixture.TopUp("10270000", "04000000") == "C3:0800");
  const std::string ask = std::string("FF000007") + kOperator + std::string(48, '0');
  CHECK(fixture.Ask(0x03, ask).substr(0, 11) == "83:FF000007");
  CHECK(fixture.TopUp("10270000", "04000000") == "83:FF020107");
  const std::string again =
      std::string("FF020107") + kOperator + "1027000005000000" + "00000000" + kCustomer + "00000000";
  CHECK(fixture.Ask(0x03, again, 400) == "C3:0800");
}

TEST_CASE("an account is opened once, with count 0 or 1, and gives the meter its customer") {
  ParkMeter config = Config();
  config.customer.clear();
  config.purchase_count = 0;
  Fixture fixture(config);
  const std::string open = std::string("FF010107") + kOperator +
                           "88130000"
                           "01000000"
                           "00000000" +
                           kCustomer + "00000000";
  CHECK(fixture.TopUp("10270000", "01000000") == "C3:0100");
  CHECK(fixture.Ask(0x03, open) == "83:FF010107");
  CHECK(fixture.Ask(0x03, open) == "C3:0100");
  CHECK(fixture.Ask(0x03, std::string("FF028107") + kOperator) ==
        "83:FF028107"
        "983A0000"
        "00000000"
        "01000000"
        "00000000"
        "563412000000"
        "01000000");
  CHECK(fixture.meter.Truth(kMorning)["customer"] == "000000123456");
}

TEST_CASE("load records of the last hours, one for each class that was asked for") {
  Fixture fixture;
  const std::string one = fixture.Read("02000306");  // The latest of class 3: 10:00 on 2026-01-01.
  REQUIRE(one.size() == 3 + 2 * (4 + 8 + 8 + 6 + 2));
  CHECK(one.substr(3, 24) ==
        "02000306"
        "A0A0"
        "13"
        "0010010126");
  CHECK(one.substr(27, 4) == "AAAA");
  CHECK(one.substr(one.size() - 2) == "E5");
  CHECK(fixture.Ask(0x11, "0200030602").size() == 3 + 2 * (4 + 2 * 24));
  CHECK(fixture
            .Ask(0x11,
                 "01000306"
                 "01"
                 "0009010126")
            .substr(17, 10) == "0009010126");
  CHECK(fixture
            .Ask(0x11,
                 "02000006"
                 "05")
            .substr(0, 2) == "B1");  // All classes, five hours: several frames.
  CHECK(fixture.Read("02000706") == "D1:02");
}

TEST_CASE("passwords are changed, and demand, meter and events cleared, by who knows the password") {
  Fixture fixture;
  const std::string wrong = std::string("02010101") + kOperator, right = std::string("02000000") + kOperator;
  CHECK(fixture.Ask(0x19, wrong) == "D9:04");
  CHECK(fixture.Ask(0x19, right) == "99:");
  CHECK(fixture.Ask(0x1A, right) == "9A:");
  CHECK(fixture.Ask(0x1B, right + "FFFFFFFF") == "9B:");
  CHECK(fixture.Ask(0x1B, right) == "DB:01");
  CHECK(fixture.Ask(0x18,
                    "030C0004"
                    "02999999"
                    "02010101") == "D8:04");
  CHECK(fixture.Ask(0x18,
                    "030C0004"
                    "02000000"
                    "02010101") == "98:02010101");
  CHECK(fixture.Ask(0x19, wrong) == "99:");
  CHECK(fixture.Ask(0x17, "08") == "97:08");
  CHECK(fixture.meter.Truth(kMorning)["cleared"] == nlohmann::json::parse(R"({"19": 2, "1A": 1, "1B": 1})"));
}

TEST_CASE("a parameter is kept as it was written, and only in its own length") {
  Fixture fixture;
  const std::string authority = std::string("02000000") + kOperator;
  CHECK(fixture.Ask(0x14, "01100004" + authority + "00500000") == "94:");
  CHECK(fixture.Read("01100004") == "91:0110000400500000");
  CHECK(fixture.Ask(0x14, "01100004" + authority + "0050") == "D4:02");
  CHECK(fixture.Ask(0x14, "00000100" + authority + "00000000") == "D4:02");
}

TEST_CASE("what the admin port tells and what the meter answers are of the same length, register by register") {
  Fixture fixture;
  const nlohmann::json registers = fixture.meter.Registers(After(kMorning, 1));
  CHECK(registers.size() > 2500);
  for (const nlohmann::json& row : registers) {
    const std::string di = row["di"];
    const std::string wire = di.substr(6, 2) + di.substr(4, 2) + di.substr(2, 2) + di.substr(0, 2);
    const std::string answer = fixture.Read(wire.c_str());
    INFO(di);
    CHECK((answer.substr(0, 2) == "91" || answer.substr(0, 2) == "B1"));
    CHECK(answer.substr(3, 8) == wire);
    CHECK_FALSE(row["fields"].empty());
  }
}

}  // namespace
}  // namespace voltwell::field_sim
