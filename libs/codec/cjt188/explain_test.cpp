// What is said about recorded frames, in both languages.
#include "libs/codec/cjt188/explain.h"

#include <catch2/catch.hpp>

namespace voltwell::codec::cjt188 {
namespace {

std::string MeaningAt(const Explained& explained, size_t offset) {
  for (const Span& span : explained.spans) {
    if (span.offset == offset) return span.meaning;
  }
  return "";
}

Explained ExplainHex(const char* hex, bool chinese = false) {
  return Explain(base::AsBytes(*base::FromHex(hex)), chinese);
}

TEST_CASE("a metering reply is explained field by field") {
  const Explained explained = ExplainHex("FE68104433221100337881161F9000007766552C007766552C3101221105152021841316");
  CHECK(explained.fault == Fault::kNone);
  CHECK(MeaningAt(explained, 0) == "wakes the receiver");
  CHECK(MeaningAt(explained, 2) == "meter type 10: cold water meter");
  CHECK(MeaningAt(explained, 3) == "address 78330011223344 (4 digits manufacturer, 10 digits number)");
  CHECK(MeaningAt(explained, 10) == "reply: read data");
  CHECK(MeaningAt(explained, 12) == "901F: current metering data (low byte first)");
  CHECK(MeaningAt(explained, 15) == "volume = 556677.00 m3");
  CHECK(MeaningAt(explained, 19) == "unit m3");
  CHECK(MeaningAt(explained, 25) == "clock = 2015-05-11T22:01:31");
  CHECK(MeaningAt(explained, 32) ==
        "status word (valve, battery) = 2184H: valve closed, battery good (bits of the standard; vendors differ)");
  CHECK(explained.summary ==
        "cold water meter 78330011223344, reply: read data; 901F: current metering data (low byte first); "
        "volume = 556677.00 m3");
}

TEST_CASE("the same is said in Chinese") {
  const Explained explained =
      ExplainHex("68104433221100337881161F9000007766552C007766552C3101221105152021841316", /*chinese=*/true);
  CHECK(MeaningAt(explained, 1) == "仪表类型 10: 冷水表");
  CHECK(MeaningAt(explained, 9) == "应答：读数据");
  CHECK(MeaningAt(explained, 14) == "当前累积流量 = 556677.00 m3");
  CHECK(MeaningAt(explained, 24) == "实时时间 = 2015-05-11T22:01:31");
}

TEST_CASE("valve requests and replies say what the valve does") {
  CHECK(MeaningAt(ExplainHex("6810690590051533780404A01701555016"), 14) ==
        "valve action: open the valve (water flows)");
  CHECK(MeaningAt(ExplainHex("6810690590051533780404A01701999416", true), 14) == "阀门操作：关阀");
  CHECK(MeaningAt(ExplainHex("6810690590051533788405A0170100007C16"), 14).find("valve open") != std::string::npos);
}

TEST_CASE("units that stand before their numbers are explained where they stand") {
  const Explained explained = ExplainHex(
      "682032413140000000812E901F0108020000000802000000170000000035000000002C341000003525006625000000005300121007152000"
      "00"
      "3116");
  CHECK(MeaningAt(explained, 14) == "unit MWh");
  CHECK(MeaningAt(explained, 15) == "heat on the settlement day = 0.02 MWh");
}

TEST_CASE("records that are numbered say their number") {
  CHECK(MeaningAt(ExplainHex("6830112233445566778108D12801132333432CCF16"), 14) ==
        "volume 9 settlement days back = 433323.13 m3");
  CHECK(MeaningAt(ExplainHex("6830112233445566778108D12801132333432CCF16", true), 14) ==
        "上9月结算日累积流量 = 433323.13 m3");
}

TEST_CASE("a wrong checksum is named, what it should be is said, and the rest is explained all the same") {
  const Explained explained = ExplainHex("68104433221100337881161F9000007766552C007766552C3101221105152021840816");
  CHECK(explained.fault == Fault::kBadChecksum);
  CHECK(explained.position == 33);
  CHECK(MeaningAt(explained, 33) == "checksum, wrong, should be 13");
  CHECK(MeaningAt(explained, 14) == "volume = 556677.00 m3");
}

TEST_CASE("several frames in one string are explained one after the other") {
  const Explained explained = ExplainHex(
      "68104433221100337801031F90008016"
      "FEFE68104433221100337801031F90008016");
  CHECK(explained.fault == Fault::kNone);
  CHECK(MeaningAt(explained, 16) == "wakes the receiver");
  CHECK(MeaningAt(explained, 27) == "request: read data");
}

TEST_CASE("noise before a frame is the first wrong byte, and the frame behind it is still explained") {
  const Explained explained = ExplainHex("4143FE68104433221100337801031F90008016");
  CHECK(explained.fault == Fault::kBadStart);
  CHECK(explained.position == 0);
  CHECK(MeaningAt(explained, 12) == "request: read data");
}

TEST_CASE("what nobody has explained is said to be unknown, not guessed") {
  const Explained explained = ExplainHex("6810010000000000008105971F010102BD16");
  bool unknown = false;
  for (const Span& span : explained.spans) unknown = unknown || !span.understood;
  CHECK(unknown);
}

}  // namespace
}  // namespace voltwell::codec::cjt188
