// The simulated CJ/T 188 meters: what they answer is compared with frames put together by hand.
#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "libs/base/bytes.h"
#include "tools/field_sim/bus.h"
#include "tools/field_sim/cjt188_meter.h"
#include "tools/field_sim/testing.h"

namespace voltwell::field_sim {
namespace {

using testing::After;
using testing::kMorning;

// Whole frame of a head and data in hex; the sum is worked out here.
std::string Frame(const std::string& head_and_data) {
  const std::string bytes = *base::FromHex(head_and_data);
  std::string frame = bytes.substr(0, 10) + static_cast<char>(bytes.size() - 10) + bytes.substr(10);
  char sum = 0;
  for (const char byte : frame) sum = static_cast<char>(sum + byte);
  return frame + sum + '\x16';
}

struct Bench {
  explicit Bench(ParkMeter meter) : config(std::move(meter)), device(config, LoadSettings{}, kMorning) {}

  // The answer from its control byte on, without sum and end; empty for silence.
  std::string Ask(const std::string& head_and_data, Moment now = kMorning) {
    Cjt188Cutter cutter;
    cutter.Append(base::AsBytes(Frame(head_and_data)));
    std::string frame;
    REQUIRE(cutter.Next(&frame));
    std::array<uint8_t, kMaxAnswer> out;
    const size_t size = device.Hear(base::AsBytes(frame), now, out);
    if (size == 0) return "";
    const std::string answer = base::ToString(Bytes(out).first(size));
    CHECK(answer == Frame(base::ToHex(base::AsBytes(answer.substr(0, 10) + answer.substr(11, size - 13)))));
    return base::ToHex(base::AsBytes(answer.substr(9, size - 11)));
  }

  ParkMeter config;
  Cjt188Meter device;
};

ParkMeter Water() {
  ParkMeter meter;
  meter.protocol = MeterProtocol::kCjt188;
  meter.address_text = "1000000805000001";
  meter.fluid.start_litres = 123'000;
  meter.fluid.settled_litres = 100'000;
  meter.fluid.litres_per_hour = 3'600;
  meter.relay_delay_ms = 10'000;
  meter.remaining_fen = 5'000;
  meter.cjt188.purchase_number = 4;
  return meter;
}

constexpr char kTo[] = "681001000005080000";

std::string To(const std::string& rest) { return kTo + rest; }

TEST_CASE("a water meter answers its volume, settlement, clock and status, in the order of the question") {
  Bench bench(Water());
  // 2026-01-01 10:00:00 in China.
  CHECK(bench.Ask(To("011F9007")) ==
        "81161F900700230100"
        "2C"
        "000001002C"
        "00001001012620"
        "0000");
  CHECK(bench.Ask(To("01901F07")) ==
        "8116901F0700230100"
        "2C"
        "000001002C"
        "00001001012620"
        "0000");
}

TEST_CASE("volume grows while the valve is open, and the valve needs its motor's time") {
  Bench bench(Water());
  CHECK(bench.Ask(To("0417A00199")) == "840517A0010000");
  CHECK(bench.Ask(To("011F9002"), After(kMorning, 5)).substr(44) == "0000");
  const std::string closed = bench.Ask(To("011F9003"), After(kMorning, 20));
  CHECK(closed.substr(44) == "0100");
  // Ten seconds of a litre a second.
  CHECK(bench.device.Truth(After(kMorning, 60))["litres"] == 123'010);
  CHECK(bench.Ask(To("04A0170155"), After(kMorning, 60)) == "8405A017010100");
  CHECK(bench.device.Truth(After(kMorning, 90))["valve"]["open"] == true);
  CHECK(bench.device.Truth(After(kMorning, 90))["litres"] == 123'030);
}

TEST_CASE("a purchase is taken once, by its number") {
  Bench bench(Water());
  CHECK(bench.Ask(To("0413A0050500500000")) == "840813A0050500500000");
  CHECK(bench.Ask(To("0413A0050500500000")) == "840813A0050500500000");
  CHECK(bench.Ask(To("0105810A")) ==
        "811205810A"
        "05"
        "00500000"
        "00500000"
        "00000100"
        "0000");
  CHECK(bench.Ask(To("0413A0050500510000")).substr(0, 2) == "C4");
  CHECK(bench.Ask(To("0413A0070700500000")).substr(0, 2) == "C4");
  CHECK(bench.device.Truth(kMorning)["purchase"]["accumulated_fen"] == 5'000);
}

TEST_CASE("wildcards find the meter, broadcasts are heard in silence, other meters are left alone") {
  Bench bench(Water());
  CHECK(bench.Ask("6810AAAAAAAAAAAAAA03810A01") == "8303810A01");
  CHECK(bench.Ask("68AAAAAAAAAAAAAAAA03810A01") == "8303810A01");
  CHECK(bench
            .Ask("681002000005080000"
                 "011F9001")
            .empty());
  CHECK(bench
            .Ask("682001000005080000"
                 "011F9001")
            .empty());
  CHECK(bench
            .Ask("681099999999999999"
                 "0415A001"
                 "00000002012620")
            .empty());
  CHECK(bench.Ask(To("017F9001")) ==
        "810A7F9001"
        "00000002012620");
}

TEST_CASE("what a meter does not have is refused with sequence and status") {
  Bench bench(Water());
  CHECK(bench.Ask(To("01119109")) == "C103090000");
  CHECK(bench.Ask(To("0437A10900")) == "C403090000");
  CHECK(bench.Ask(To("0417A00100")) == "C403010000");
}

TEST_CASE("peculiarities of vendors are fields of the park") {
  ParkMeter meter = Water();
  meter.cjt188.litres = true;
  meter.cjt188.mirrored_status = true;
  meter.cjt188.answers_query = true;
  meter.cjt188.century_first = true;
  meter.cjt188.fixed_sequence = 0;
  meter.fluid.battery_low = true;
  meter.relay_delay_ms = 0;
  Bench bench(std::move(meter));
  CHECK(bench.Ask(To("011F9007")) ==
        "81161F900000301200"
        "29"
        "0000100029"
        "20260101100000"
        "2000");
  CHECK(bench.Ask(To("0417A00199")) == "840517A0006000");
  CHECK(bench.Ask(To("0417A00100")) == "840517A0006000");
}

TEST_CASE("a heat meter has the body of its edition") {
  ParkMeter meter = Water();
  meter.address_text = "2000000805000001";
  meter.fluid.start_heat_wh = 1'234'560;
  meter.fluid.heat_w = 7'500;
  Bench old(meter);
  const std::string to = "682001000005080000011F9001";
  CHECK(old.Ask(to) ==
        "812E1F900100000000"
        "05"
        "5634120005"
        "5007000017"
        "6003000035"
        "002301002C"
        "006500"
        "004000"
        "452301"
        "00001001012620"
        "0000");
  meter.cjt188.edition_2018 = true;
  Bench young(meter);
  CHECK(young.Ask(to) ==
        "812B1F900100000000"
        "05"
        "5634120005"
        "50070017"
        "00360035"
        "002301002C"
        "0065"
        "0040"
        "45230100"
        "00001001012620"
        "0000");
}

TEST_CASE("base value and address are written until the meter has left the factory") {
  Bench bench(Water());
  CHECK(bench.Ask(To("1616A001785634122C")) == "960516A0010000");
  CHECK(bench.device.Truth(kMorning)["litres"] == 123'456'780);
  CHECK(bench.Ask(To("1518A00102000005080000")) == "950318A001");
  CHECK(bench.Ask(To("011F9001")).empty());
  CHECK(bench.Ask("6810020000050800000419A001") == "840319A001");
  CHECK(bench.Ask("6810020000050800001616A001785634122C").substr(0, 2) == "D6");
}

TEST_CASE("frames are cut out of noise, and broken ones are counted") {
  Cjt188Cutter cutter;
  std::string bytes = "noise" + Frame(To("011F9001"));
  std::string broken = Frame(To("011F9002"));
  broken[11] = '\x20';
  cutter.Append(base::AsBytes(bytes + broken + Frame(To("011F9003"))));
  std::string frame;
  CHECK(cutter.Next(&frame));
  CHECK(frame == Frame(To("011F9001")));
  CHECK(cutter.Next(&frame));
  CHECK(frame == Frame(To("011F9003")));
  CHECK_FALSE(cutter.Next(&frame));
  CHECK(cutter.empty());
  CHECK(cutter.bad_frames() == 1);
}

TEST_CASE("what the admin port tells of registers is what the meter shows") {
  Bench bench(Water());
  bool found = false;
  for (const auto& one : bench.device.Registers(kMorning)) {
    if (one["id"] != "8-0:1.0.0*2") continue;
    found = true;
    CHECK(one["di"] == "D121");
    CHECK(one["fields"][0]["value"] == "84.61");
    CHECK(one["fields"][0]["unit"] == "m3");
  }
  CHECK(found);
  CHECK(bench.Ask(To("0121D101")) ==
        "810821D101"
        "61840000"
        "2C");
}

TEST_CASE("a park names CJ/T 188 meters, and prints them back") {
  const auto park = ParsePark(R"({"collectors":[{"id":"W1","buses":[{"meters":[
      {"protocol":"CJT188","address":"1100000805000001","start_m3":"12.345","flow_l_per_h":60,"litres":true}]}]}]})",
                              {});
  REQUIRE(park.ok());
  const ParkMeter& meter = park->collectors[0].buses[0].meters[0];
  CHECK(meter.protocol == MeterProtocol::kCjt188);
  CHECK(meter.fluid.start_litres == 12'345);
  CHECK(meter.cjt188.litres);
  const std::string printed = ParkToJson(*park).dump();
  const auto again = ParsePark(printed, {});
  REQUIRE(again.ok());
  CHECK(ParkToJson(*again).dump() == printed);
  CHECK_FALSE(ParsePark(R"({"collectors":[{"id":"W1","buses":[{"meters":[
      {"protocol":"CJT188","address":"AA00000805000001"}]}]}]})",
                        {})
                  .ok());
}

TEST_CASE("a bus with both kinds of meters lets each hear its own") {
  const auto park = ParsePark(R"({"collectors":[{"id":"W1","buses":[{"wire_time":false,"meters":[
      {"address":"202411110001"},{"protocol":"CJT188","address":"00000805000001"}]}]}]})",
                              {});
  REQUIRE(park.ok());
  const ParkCollector& collector = park->collectors[0];
  Bus bus(collector.buses[0], LoadSettings{}, kMorning);
  std::string out;
  bus.Receive(base::AsBytes(Frame(To("011F9001"))), kMorning, &out);
  CHECK(out.size() == 35);
  out.clear();
  bus.Receive(base::AsBytes(testing::RequestFrame("202411110001", 0x11, "00000100")), kMorning, &out);
  CHECK(testing::Summary(out).substr(0, 3) == "91:");
}

}  // namespace
}  // namespace voltwell::field_sim
