// The live meter: registers that agree with each other, and a relay that obeys only those who may command it.
#include "tools/field_sim/meter.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tools/field_sim/testing.h"

namespace voltwell::field_sim {
namespace {

using testing::After;
using testing::kMorning;

const char kAddress[] = "260305510009";
// Level 02, password 000000, trip, N2 = 01, until 2099-12-31 23:59:59: captured from a master, with the meter's answer.
const char kCapturedTrip[] = "68 09 00 51 05 03 26 68 1C 10 35 33 33 33 33 33 33 33 4D 34 8C 8C 56 64 45 CC 82 16";
const char kCapturedTripAnswer[] = "68090051050326689C00F416";

ParkMeter Config() {
  ParkMeter config;
  config.address = *ParseAddress(kAddress);
  config.forward_centi_kwh = {1000, 20000, 30000, 4056};  // 550.56 kWh.
  config.power_w = 1000;
  return config;
}

struct Fixture {
  explicit Fixture(const ParkMeter& c = Config()) : config(c), meter(config, LoadSettings(), kMorning) {}
  std::string Read(const std::string& di_wire, double seconds = 0) {
    return testing::Summary(
        testing::Ask(meter, testing::RequestFrame(kAddress, 0x11, di_wire), After(kMorning, seconds)));
  }
  std::string Relay(const std::string& data, double seconds = 0) {
    return testing::Summary(testing::Ask(meter, testing::RequestFrame(kAddress, 0x1C, data), After(kMorning, seconds)));
  }
  int64_t Energy(const std::string& di_wire, double seconds) {
    const std::string text = Read(di_wire, seconds);  // 91: DI, then four bytes lowest first.
    REQUIRE(text.size() == 3 + 16);
    return std::stoll(text.substr(17, 2) + text.substr(15, 2) + text.substr(13, 2) + text.substr(11, 2));
  }
  ParkMeter config;
  Meter meter;
};

const char kForward[] = "00000100";
const char kStatus3[] = "03050004";
std::string Command(const char* action, const char* until = "595923311299", const char* password = "02000000") {
  return std::string(password) + "44332211" + action + "00" + until;
}

TEST_CASE("energy grows with power and time, and the four tariffs sum to the total at every moment") {
  Fixture fixture;
  CHECK(fixture.Read(kForward) == "91:0000010056500500");
  // 1 kW, which varies by a fifth, for ten hours that cross three tariffs.
  int64_t last = 55056;
  for (int minute = 0; minute <= 600; minute += 15) {
    const double now = minute * 60.0;
    const int64_t total = fixture.Energy(kForward, now);
    int64_t sum = 0;
    for (const char* tariff : {"00010100", "00020100", "00030100", "00040100"}) sum += fixture.Energy(tariff, now);
    CHECK(sum == total);
    CHECK(total >= last);
    last = total;
  }
  CHECK(last - 55056 > 900);
  CHECK(last - 55056 < 1100);
}

TEST_CASE("the captured trip command opens the relay and gets the captured answer") {
  Fixture fixture;
  const std::string answer = testing::Ask(fixture.meter, *base::FromHex(kCapturedTrip), After(kMorning, 1));
  CHECK(base::ToHex(base::AsBytes(answer)) == kCapturedTripAnswer);
  CHECK(fixture.Read(kStatus3, 2) == "91:030500045000");  // Bit 4 relay open, bit 6 trip commanded.
  CHECK(fixture.meter.counts().relay_opened == 1);
}

TEST_CASE("energy, power and current stop while the relay is open, voltage does not") {
  Fixture fixture;
  REQUIRE(fixture.Relay(Command("1A"), 60) == "9C:");
  const int64_t at_trip = fixture.Energy(kForward, 60);
  CHECK(fixture.Energy(kForward, 7200) == at_trip);
  CHECK(fixture.Read("00000302", 7200) == "91:00000302000000");
  CHECK(fixture.Read("00010202", 7200) == "91:00010202000000");
  CHECK(fixture.Read("00010102", 7200).substr(0, 11) == "91:00010102");
  REQUIRE(fixture.Relay(Command("1C"), 7200) == "9C:");
  CHECK(fixture.Read(kStatus3, 7200) == "91:030500040000");
  CHECK(fixture.Energy(kForward, 10800) > at_trip);
  CHECK(fixture.meter.counts().relay_closed == 1);
}

TEST_CASE("a relay command with a wrong password, level or operator is refused as unauthorised") {
  ParkMeter config = Config();
  config.password = 0x123456;
  config.operator_code = 0x11223344;
  Fixture fixture(config);
  CHECK(fixture.Relay(Command("1A")) == "DC:04");
  CHECK(fixture.Relay(Command("1A", "595923311299", "04563412")) == "DC:04");
  CHECK(fixture.Relay("02563412"
                      "00000000"
                      "1A00"
                      "595923311299") == "DC:04");
  CHECK(fixture.meter.counts().relay_opened == 0);
  CHECK(fixture.Relay(Command("1A", "595923311299", "02563412")) == "9C:");
  CHECK(fixture.meter.counts().relay_commands == 4);
}

TEST_CASE("a relay command is refused once the meter's own clock has passed its expiry") {
  ParkMeter config = Config();
  config.clock_offset_s = 600;  // The meter's clock is ten minutes ahead: 10:10.
  Fixture fixture(config);
  CHECK(fixture.Relay(Command("1A", "000510010126")) == "DC:01");
  CHECK(fixture.Relay(Command("1A", "000000000000")) == "DC:01");
  CHECK(fixture.Relay(Command("1A", "001110010126")) == "9C:");
  config.expiry_checked = false;
  Fixture careless(config);
  CHECK(careless.Relay(Command("1A", "000000000000")) == "9C:");
}

TEST_CASE("keep-power refuses a trip until it is lifted, and unknown actions are refused") {
  Fixture fixture;
  REQUIRE(fixture.Relay(Command("3A")) == "9C:");
  CHECK(fixture.Relay(Command("1A")) == "DC:01");
  REQUIRE(fixture.Relay(Command("3B")) == "9C:");
  CHECK(fixture.Relay(Command("1A")) == "9C:");
  CHECK(fixture.Relay(Command("77")) == "DC:01");
  CHECK(fixture.Relay("020000004433") == "DC:01");
}

TEST_CASE("a permit closes at once, or waits for the button where the meter has one") {
  ParkMeter config = Config();
  Fixture at_once(config);
  at_once.Relay(Command("1A"));
  at_once.Relay(Command("1B"), 1);
  CHECK(at_once.Read(kStatus3, 2) == "91:030500040000");
  config.permit_needs_button = true;
  Fixture waits(config);
  waits.Relay(Command("1A"));
  CHECK(waits.Relay(Command("1B"), 1) == "9C:");
  CHECK(waits.Read(kStatus3, 2) == "91:030500041000");  // Open still, close commanded.
}

TEST_CASE("a slow relay shows its command first and its state later, a stuck one never moves") {
  ParkMeter config = Config();
  config.relay_delay_ms = 3000;
  Fixture slow(config);
  REQUIRE(slow.Relay(Command("1A")) == "9C:");
  CHECK(slow.Read(kStatus3, 1) == "91:030500044000");
  CHECK(slow.Read(kStatus3, 3) == "91:030500045000");
  config.relay_delay_ms = 0;
  config.faults.relay_stuck = true;
  Fixture stuck(config);
  REQUIRE(stuck.Relay(Command("1A")) == "9C:");
  CHECK(stuck.Read(kStatus3, 60) == "91:030500044000");
}

TEST_CASE("an unknown register is refused with no such data, as a real meter was recorded to do") {
  ParkMeter config = Config();
  config.address = *ParseAddress("123456789012");
  Meter meter(config, LoadSettings(), kMorning);
  const std::string answer = testing::Ask(meter, testing::RequestFrame("123456789012", 0x11, "010203FE"), kMorning);
  CHECK(base::ToHex(base::AsBytes(answer)) == "6812907856341268D101358D16");
}

TEST_CASE("a long block comes in numbered follow-up frames that make up the whole") {
  Fixture fixture;
  const auto more = [&](int sequence) {
    char data[16];
    std::snprintf(data, sizeof data, "01053003%02X", sequence);
    return testing::Summary(testing::Ask(fixture.meter, testing::RequestFrame(kAddress, 0x12, data), kMorning));
  };
  std::string first = fixture.Read("01053003");
  REQUIRE(first.substr(0, 11) == "B1:01053003");
  size_t bytes = (first.size() - 11) / 2;
  for (int sequence = 1; sequence <= 3; ++sequence) {
    const std::string part = more(sequence);
    CHECK(part.substr(0, 3) == (sequence < 3 ? "B2:" : "92:"));
    CHECK(part.substr(3, 8) == "01053003");
    CHECK(part.substr(part.size() - 2) == std::string("0") + static_cast<char>('0' + sequence));
    bytes += (part.size() - 11 - 2) / 2;
  }
  CHECK(bytes == 682);
  CHECK(more(4) == "D2:02");
  CHECK(more(0) == "D2:02");
}

TEST_CASE("all tariffs of all settlement days are a block of two frames, each in its single register as well") {
  Fixture fixture;
  const std::string block = fixture.Read("FFFF0100");
  CHECK(block.substr(0, 3) == "B1:");
  CHECK(block.substr(11, 8) == "56500500");
  CHECK(block.substr(11 + 40, 8) == fixture.Read("01000100").substr(11));
}

TEST_CASE("a single-phase meter fills phases it lacks with FF in a block and refuses them alone") {
  Fixture fixture;
  const std::string block = fixture.Read("00FF0102");
  CHECK(block.size() == 3 + 8 + 12);
  CHECK(block.substr(15) == "FFFFFFFF");
  CHECK(fixture.Read("00020102") == "D1:02");
}

TEST_CASE("the powers of three phases sum to the total to the last digit") {
  ParkMeter config = Config();
  config.phases = 3;
  config.power_w = 12'345;
  Fixture fixture(config);
  for (int second = 0; second < 900; second += 90) {
    const std::string block = fixture.Read("00FF0302", second).substr(11);
    const auto value = [&](size_t i) {
      const std::string b = block.substr(i * 6, 6);
      return std::stoi(b.substr(4, 2) + b.substr(2, 2) + b.substr(0, 2));
    };
    CHECK(value(0) == value(1) + value(2) + value(3));
    CHECK(value(0) > 0);
  }
}

TEST_CASE("the clock drifts by its ppm, and is set by broadcast in silence, but not across five minutes") {
  ParkMeter config = Config();
  config.clock_drift_ppm = 1000;
  Fixture fixture(config);
  CHECK(fixture.Read("02010004") == "91:02010004000010");        // 10:00:00
  CHECK(fixture.Read("02010004", 3000) == "91:02010004035010");  // 10:50:03, three seconds ahead.
  const auto broadcast = [&](const char* time, double seconds) {
    return testing::Ask(fixture.meter, testing::RequestFrame("999999999999", 0x08, time), After(kMorning, seconds));
  };
  CHECK(broadcast("005010010126", 3000).empty());
  CHECK(fixture.Read("02010004", 3000) == "91:02010004005010");
  CHECK(broadcast("005610010126", 3000).empty());
  CHECK(fixture.Read("02010004", 3000) == "91:02010004005010");
  CHECK(fixture.Read("01010004", 3000) == "91:0101000404010126");  // Thursday, 1 January 2026.
}

TEST_CASE("the remaining amount falls by the price of what was used, then turns into an overdraft") {
  ParkMeter config = Config();
  config.remaining_fen = 100;
  config.price_yuan = 1;
  Fixture fixture(config);
  CHECK(fixture.Read("00029000") == "91:0002900000010000");
  CHECK(fixture.Read(kStatus3) == "91:030500040002");  // Bits 8 and 9: money prepaid.
  fixture.Read(kForward, 7200);                        // About 2 kWh for 2 yuan.
  CHECK(fixture.Read("00029000", 7200) == "91:0002900000000000");
  CHECK(fixture.Read("01029000", 7200) != "91:0102900000000000");
  Fixture plain;
  CHECK(plain.Read("00029000") == "D1:02");
}

TEST_CASE("a meter tells its address, and stays silent to broadcasts, reserved functions and replies") {
  Fixture fixture;
  const auto ask = [&](const char* address, uint8_t control, const char* data) {
    return testing::Summary(testing::Ask(fixture.meter, testing::RequestFrame(address, control, data), kMorning));
  };
  CHECK(ask("AAAAAAAAAAAA", 0x13, "") == "93:090051050326");
  CHECK(ask("999999999999", 0x11, kForward) == "");
  CHECK(ask(kAddress, 0x00, "") == "");
  CHECK(ask(kAddress, 0x91, "0000010056500500") == "");
  CHECK(ask(kAddress, 0x03, "FF028107") == "C3:01");
}

TEST_CASE("the truth tells energy, relay and what was last said of each register") {
  Fixture fixture;
  fixture.Read(kForward);
  fixture.Relay(Command("1A"));
  const nlohmann::json truth = fixture.meter.Truth(kMorning);
  CHECK(truth["energy_kwh"]["total"] == "550.56");
  CHECK(truth["energy_kwh"]["t2"] == "200.00");
  CHECK(truth["relay"] == "open");
  CHECK(truth["said"]["00010000"]["last_hex"] == "56500500");
  CHECK(truth["said"]["00010000"]["times"] == 1);
}

TEST_CASE("the answers to sixteen registers are remembered, the seventeenth is answered all the same") {
  Fixture fixture;
  for (int history = 0; history <= 12; ++history) {
    fixture.Read(std::string("0") + "0123456789ABC"[history] + "000100");
  }
  for (const char* di : {"00010102", "00010202", "00000302"}) fixture.Read(di);
  CHECK(fixture.Read("00000602").substr(0, 11) == "91:00000602");
  const nlohmann::json said = fixture.meter.Truth(kMorning)["said"];
  CHECK(said.size() == 16);
  CHECK(said.contains("0001000C"));
  CHECK_FALSE(said.contains("02060000"));
}

TEST_CASE("a replay meter gives recorded bytes back, preamble included, and refuses what was not recorded") {
  ParkMeter config;
  config.kind = MeterKind::kReplay;
  config.address = *ParseAddress("100023669245");
  config.recorded = {{*base::FromHex("68459266230010681104333434352516"),
                      *base::FromHex("FEFE684592662300106891063334343566556216"), 0x11}};
  ReplayMeter meter(config);
  const auto ask = [&](const char* di) {
    const std::string answer = testing::Ask(meter, testing::RequestFrame("100023669245", 0x11, di), kMorning);
    return base::ToHex(base::AsBytes(answer));
  };
  CHECK(ask("00010102") == "FEFE684592662300106891063334343566556216");
  CHECK(ask("00000100").substr(16, 4) == "D101");
  config.unrecorded = Unrecorded::kSilence;
  CHECK(ask("00000100").empty());
}

TEST_CASE("civil time and seconds are each other's inverse over leap years") {
  CHECK(CivilToSeconds({1970, 1, 1, 0, 0, 0}) == 0);
  CHECK(CivilToSeconds({2024, 2, 29, 23, 59, 59}) == 1'709'251'199);
  for (int64_t seconds = -86'400; seconds < 4'102'444'800; seconds += 8'640'007) {
    CHECK(CivilToSeconds(SecondsToCivil(seconds)) == seconds);
  }
  CHECK(SecondsToCivil(1'709'251'199).weekday == 4);  // A Thursday.
}

}  // namespace
}  // namespace voltwell::field_sim
