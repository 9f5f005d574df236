// The meter of the older edition, against what its documents say.
#include "tools/field_sim/meter_1997.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tools/field_sim/testing.h"

namespace voltwell::field_sim {
namespace {

using testing::After;
using testing::kMorning;

const char kAddress[] = "199700000001";

struct Fixture {
  Fixture() : meter(config, {.steady = true}, kMorning) {}
  std::string Ask(uint8_t control, const std::string& data, const char* address = kAddress) {
    return testing::Summary(testing::Ask(meter, testing::RequestFrame(address, control, data), After(kMorning, 1)));
  }
  static ParkMeter Config() {
    ParkMeter config;
    config.protocol = MeterProtocol::kDlt645_1997;
    config.address = *ParseAddress(kAddress);
    config.address_text = kAddress;
    config.phases = 3;
    config.power_w = 0;
    config.voltage_dv = 2204;
    config.forward_centi_kwh = {1000, 20000, 30000, 4056};  // 550.56 kWh.
    config.password = 0x123456;
    return config;
  }
  ParkMeter config = Config();
  Meter1997 meter;
};

TEST_CASE("1997: identifiers have two bytes, and energies four, alone and as a block of tariffs") {
  Fixture fixture;
  CHECK(fixture.Ask(0x01, "1090") == "81:109056500500");
  CHECK(fixture.Ask(0x01, "1390") == "81:139000000300");
  CHECK(fixture.Ask(0x01, "1F90") == "81:1F905650050000100000000002000000030056400000");
}

TEST_CASE("1997: a block of demands is its members, one after the other") {
  Fixture fixture;
  std::string members;
  for (const char* di : {"10A0", "11A0", "12A0", "13A0", "14A0"}) members += fixture.Ask(0x01, di).substr(7);
  CHECK(members.size() == 5 * 6);
  CHECK(fixture.Ask(0x01, "1FA0") == "81:1FA0" + members);
}

TEST_CASE("1997: voltage is in whole volts, which only this edition has") {
  Fixture fixture;
  CHECK(fixture.Ask(0x01, "11B6") == "81:11B62002");
  CHECK(fixture.Ask(0x01, "1FB6") == "81:1FB6200220022002");
  CHECK(fixture.Ask(0x01, "3FB6") == "81:3FB6" + std::string(4 * 6, '0'));
}

TEST_CASE("1997: what it has not is refused with one byte, and codes of the other edition are not heard") {
  Fixture fixture;
  CHECK(fixture.Ask(0x01, "FFFF") == "C1:02");
  CHECK(fixture.Ask(0x01, "10") == "C1:01");
  CHECK(fixture.Ask(0x11, "00000100").empty());
  CHECK(fixture.Ask(0x1C, "0200000000000000").empty());
}

TEST_CASE("1997: a parameter is written with a password and without an operator") {
  Fixture fixture;
  CHECK(fixture.Ask(0x04,
                    "12C1"
                    "02000000"
                    "05") == "C4:04");
  CHECK(fixture.Ask(0x04,
                    "12C1"
                    "02563412"
                    "0505") == "C4:01");
  CHECK(fixture.Ask(0x04,
                    "1090"
                    "02563412"
                    "00000000") == "C4:01");
  CHECK(fixture.Ask(0x04,
                    "12C1"
                    "02563412"
                    "05") == "84:");
  CHECK(fixture.Ask(0x01, "12C1") == "81:12C105");
  CHECK(fixture.meter.Truth(kMorning)["written"]["C112"] == "05");
}

TEST_CASE("1997: the clock is set by a write, and by a broadcast that nobody answers") {
  Fixture fixture;
  CHECK(fixture.Ask(0x04,
                    "11C0"
                    "02563412"
                    "000011") == "84:");
  CHECK(fixture.Ask(0x01, "11C0") == "81:11C0000011");
  CHECK(fixture.Ask(0x08, "300211010126", "999999999999").empty());
  CHECK(fixture.Ask(0x01, "11C0") == "81:11C0300211");
}

TEST_CASE("1997: the number is read from 99..99, as this edition has no question for the address") {
  Fixture fixture;
  CHECK(fixture.Ask(0x01, "32C0", "999999999999") == "81:32C0010000009719");
}

TEST_CASE("1997: password, baud rate and demand") {
  Fixture fixture;
  CHECK(fixture.Ask(0x0F,
                    "02000000"
                    "02665544") == "CF:04");
  CHECK(fixture.Ask(0x0F,
                    "02563412"
                    "02665544") == "8F:02665544");
  CHECK(fixture.Ask(0x04,
                    "12C1"
                    "02563412"
                    "05") == "C4:04");
  CHECK(fixture.Ask(0x0C, "08") == "8C:08");
  CHECK(fixture.Ask(0x10, "02665544") == "90:");
  CHECK(fixture.meter.Truth(kMorning)["demand_cleared"] == 1);
}

TEST_CASE("1997: the admin port tells registers by meaning, under the names of readings") {
  Fixture fixture;
  size_t found = 0;
  for (const nlohmann::json& row : fixture.meter.Registers(kMorning)) {
    if (row["id"] == "1-0:1.8.0") {
      ++found;
      CHECK(row["fields"] == nlohmann::json::parse(R"([{"value": "550.56", "unit": "kWh"}])"));
    }
    if (row["di"] == "A412") {
      ++found;
      CHECK(row["id"] == "1-0:1.6.2*1");
    }
  }
  CHECK(found == 2);
}

}  // namespace
}  // namespace voltwell::field_sim
