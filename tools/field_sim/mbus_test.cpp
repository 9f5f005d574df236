// The simulated M-Bus meters: what they answer is compared with frames put together by hand.
#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "libs/base/bytes.h"
#include "tools/field_sim/bus.h"
#include "tools/field_sim/mbus_meter.h"
#include "tools/field_sim/testing.h"

namespace voltwell::field_sim {
namespace {

using testing::After;
using testing::kMorning;

std::string WithSum(const std::string& hex, size_t from) {
  std::string frame = *base::FromHex(hex);
  char sum = 0;
  for (const char byte : frame.substr(from)) sum = static_cast<char>(sum + byte);
  return frame + sum + '\x16';
}
std::string Short(const std::string& control_address) { return WithSum("10" + control_address, 1); }
std::string Long(const std::string& body) {
  const std::string bytes = *base::FromHex(body);
  const std::string length = base::ToHex(base::AsBytes(std::string(1, static_cast<char>(bytes.size()))));
  return WithSum("68" + length + length + "68" + body, 4);
}

struct Bench {
  explicit Bench(ParkMeter meter) : config(std::move(meter)), device(config, LoadSettings{}, kMorning) {}

  // The answer in hex; empty for silence.
  std::string Ask(const std::string& request, Moment now = kMorning) {
    const auto cutter = MakeMbusCutter();
    cutter->Append(base::AsBytes("\x01\xFF" + request));
    std::string frame;
    REQUIRE(cutter->Next(&frame));
    REQUIRE(frame == request);
    std::array<uint8_t, kMaxAnswer> out;
    return base::ToHex(Bytes(out).first(device.Hear(base::AsBytes(frame), now, out)));
  }

  ParkMeter config;
  MbusMeter device;
};

ParkMeter Water() {
  ParkMeter meter;
  meter.protocol = MeterProtocol::kMbus;
  meter.address_text = "12345678";
  meter.supply = "water";
  meter.mbus.primary = 5;
  meter.fluid.start_litres = 123'456;
  meter.fluid.settled_litres = 100'000;
  meter.fluid.litres_per_hour = 3'600;
  return meter;
}

TEST_CASE("a water meter answers REQ_UD2 at its primary address with its records") {
  Bench bench(Water());
  CHECK(bench.Ask(Short("4005")) == "E5");
  const std::string answer = bench.Ask(Short("7B05"));
  // Header: id, VWS, version 1, water, access 1, no status, not encrypted; then 123.456 m3 as eight digits.
  CHECK(answer.substr(8, 6) == "080572");
  CHECK(answer.substr(14, 24) == "78563412F35A010701000000");
  CHECK(answer.substr(38, 12) == "0C1356341200");
  CHECK(bench.Ask(Short("7B06")).empty());
  CHECK(bench.Ask(Short("7BFE")) == answer);
}

TEST_CASE("volume grows while the valve is open; closing it by FD 1AH stops it, once for a repeated write") {
  Bench bench(Water());
  CHECK(bench.Ask(Short("4005")) == "E5");
  const Moment later = After(kMorning, 1);
  CHECK(bench.Ask(Long("730551 01FD1A00"), later) == "E5");
  CHECK(bench.Ask(Long("730551 01FD1A01"), later) == "E5");
  CHECK(bench.device.Truth(later)["valve"]["open"] == false);
  CHECK(bench.device.Truth(After(later, 100))["litres"] == 123'457);
  CHECK(bench.Ask(Long("530551 01FD1A01"), later) == "E5");
  CHECK(bench.device.Truth(later)["valve"]["open"] == true);
}

TEST_CASE("a meter is selected by its id with wildcards, and only then answers at FDH") {
  Bench bench(Water());
  CHECK(bench.Ask(Short("7BFD")).empty());
  CHECK(bench.Ask(Long("53FD52 78563412 FFFF FF FF")) == "E5");
  CHECK_FALSE(bench.Ask(Short("7BFD")).empty());
  CHECK(bench.Ask(Long("53FD52 7856341F FFFF FF FF")) == "E5");
  CHECK(bench.Ask(Long("53FD52 FFFFFFFF F35A 01 07")) == "E5");
  CHECK(bench.Ask(Long("53FD52 FFFFFF2F FFFF FF FF")).empty());
  CHECK(bench.Ask(Short("7BFD")).empty());
  CHECK(bench.Ask(Long("53FD52 FFFFFFFF FFFF FF 06")).empty());
}

TEST_CASE("a readout of two telegrams goes on when FCB toggles, and repeats when it does not") {
  ParkMeter config = Water();
  config.mbus.telegrams = 2;
  Bench bench(config);
  CHECK(bench.Ask(Short("4005")) == "E5");
  const std::string first = bench.Ask(Short("7B05"));
  CHECK(first.substr(first.size() - 6, 2) == "1F");
  CHECK(bench.Ask(Short("7B05")) == first);
  const std::string second = bench.Ask(Short("5B05"));
  CHECK(second != first);
  CHECK(bench.Ask(Short("5B05")) == second);
  CHECK(bench.Ask(Short("7B05")) != second);
}

TEST_CASE("address, identification and clock are written; broadcast gets no answer") {
  Bench bench(Water());
  CHECK(bench.Ask(Long("73FE51 017A08")) == "E5");
  CHECK(bench.device.Truth(kMorning)["primary"] == 8);
  CHECK(bench.Ask(Long("530851 0C7944332211")) == "E5");
  CHECK(bench.device.Truth(kMorning)["id"] == "11223344");
  CHECK(bench.Ask(Long("73FF51 046D3B173F1C")).empty());
  CHECK(bench.device.Registers(kMorning).back()["fields"][0]["text"] == "2009-12-31T23:59");
}

TEST_CASE("a heat meter shows energy, temperatures and a negative difference") {
  ParkMeter config = Water();
  config.supply = "heat";
  config.fluid.start_heat_wh = 5'000'000;
  config.fluid.supply_centi_c = 2'000;
  config.fluid.return_centi_c = 2'250;
  Bench bench(config);
  CHECK(bench.Ask(Short("7B05")).find("0A6225F0") != std::string::npos);
  bool found = false;
  for (const auto& one : bench.device.Registers(kMorning)) {
    if (one["id"] == "6-0:12.0.0") found = one["fields"][0]["value"] == "-2.5";
  }
  CHECK(found);
}

}  // namespace
}  // namespace voltwell::field_sim
