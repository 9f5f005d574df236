// The whole search against a simulated line: meters of all protocols that answer as theirs do, lie over each other or
// follow one another, with noise, a babbler, and a searcher that is killed.
#include "libs/codec/scan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_format.h"
#include "libs/base/status.h"
#include "libs/codec/cjt188/frame.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/frame/frame_cutter.h"
#include "libs/codec/mbus/address.h"
#include "libs/codec/mbus/link.h"

namespace voltwell::codec {
namespace {

// Empty: silence. `delayed`: speaks when the others are done, so that both are heard whole.
struct TestMeter {
  std::function<std::string(base::ByteView request)> answer;
  bool delayed = false;
};

class TestLine {
 public:
  std::vector<TestMeter> meters;
  std::function<void(std::string&)> spoil = [](std::string&) {};
  size_t asked = 0;

  ScanAnswer Ask(const ExchangeGroup& group) {
    ++asked;
    ScanAnswer answer;
    for (const Exchange& exchange : group.exchanges) {
      CHECK(exchange.listen);
      std::string heard = Answers(exchange.request);
      spoil(heard);
      ReplyFrames& frames = answer.replies.emplace_back();
      frame::FrameCutter cutter(exchange.frame_kind);
      base::ByteView bytes = base::AsBytes(heard);
      const auto take = [&] {
        while (const auto frame = cutter.Next()) frames.push_back(base::ToString(*frame));
      };
      while (!bytes.empty()) {
        bytes = bytes.subspan(cutter.Push(bytes));
        take();
      }
      while (cutter.DropStalled()) take();
      if (cutter.counts().noise_bytes > 0 || cutter.counts().bad_checksums > 0) answer.noise += heard;
      if (frames.empty()) break;
    }
    return answer;
  }

 private:
  std::string Answers(const std::string& request) {
    base::ByteView bytes = base::AsBytes(request);
    while (!bytes.empty() && bytes[0] == frame::kPreamble) bytes = bytes.subspan(1);
    std::string at_once;
    std::string later;
    size_t speakers = 0;
    for (const TestMeter& meter : meters) {
      const std::string said = meter.answer(bytes);
      if (said.empty()) continue;
      if (meter.delayed) {
        later += said;
        continue;
      }
      // No two begin at the same instant. A dominant zero wins on the line.
      const size_t begin = speakers++;
      if (at_once.size() < begin + said.size()) at_once.resize(begin + said.size(), '\xFF');
      for (size_t i = 0; i < said.size(); ++i) at_once[begin + i] = static_cast<char>(at_once[begin + i] & said[i]);
    }
    return at_once + later;
  }
};

TestMeter Dlt645(const std::string& address, bool knows_13h = true, bool knows_patterns = true) {
  const dlt645::Address own = *dlt645::ParseAddress(address);
  return {[=](base::ByteView request) -> std::string {
    if (request.size() < 12 || request[0] != 0x68 || request[7] != 0x68) return "";
    dlt645::Address asked;
    std::copy(request.begin() + 1, request.begin() + 7, asked.wire.begin());
    if (!dlt645::AnswersTo(asked, own)) return "";
    const std::string wire(own.wire.begin(), own.wire.end());
    if (request[8] == 0x13) return knows_13h ? dlt645::BuildFrame(own, 0x93, base::AsBytes(wire)) : "";
    if (request[8] != 0x11 || (!knows_patterns && asked != own)) return "";
    return dlt645::BuildFrame(own, 0x91, base::AsBytes(std::string("\x01\x04\x00\x04", 4) + wire));
  }};
}

TestMeter Cjt188(const std::string& address, bool knows_patterns = true) {
  const cjt188::Address own = *cjt188::ParseAddress(address, 0x10);
  return {[=](base::ByteView request) -> std::string {
    const cjt188::Parsed parsed = cjt188::ParseFrame(request);
    if (parsed.fault != cjt188::Fault::kNone || parsed.frame.is_reply()) return "";
    const cjt188::Address& asked = parsed.frame.address;
    if (asked.type != 0xAA && asked.type != own.type) return "";
    if (!cjt188::AnswersTo(asked, own)) return "";
    const bool all = std::all_of(asked.wire.begin(), asked.wire.end(), [](uint8_t byte) { return byte == 0xAA; });
    if (!knows_patterns && !all) return "";
    return cjt188::BuildFrame(own, parsed.frame.control | 0x80, parsed.frame.data.first(3));
  }};
}

struct MbusSelected {
  bool selected = false;
};

TestMeter Mbus(const std::string& address, uint8_t primary = 0) {
  const mbus::SecondaryAddress own = mbus::ParseMeterAddress(address)->secondary;
  const auto state = std::make_shared<MbusSelected>();
  return {[=](base::ByteView request) -> std::string {
    const std::string telegram = [&] {
      std::string user = "\x72";
      for (int shift = 0; shift < 32; shift += 8) user.push_back(static_cast<char>(own.id >> shift));
      user.push_back(static_cast<char>(own.manufacturer));
      user.push_back(static_cast<char>(own.manufacturer >> 8));
      user.push_back(static_cast<char>(own.version));
      user.push_back(static_cast<char>(own.medium));
      user += std::string("\x01\x00\x00\x00", 4);
      return mbus::BuildLong(mbus::kRspUd, primary, base::AsBytes(user));
    }();
    if (request.size() == 17 && request[0] == 0x68 && request[6] == 0x52) {
      mbus::SecondaryAddress mask;
      mask.id = static_cast<uint32_t>(request[7] | request[8] << 8 | request[9] << 16) |
                static_cast<uint32_t>(request[10]) << 24;
      state->selected = mbus::Covers(mask, own);
      return state->selected ? "\xE5" : "";
    }
    if (request.size() != 5 || request[0] != 0x10 || (request[1] & 0xCF) != 0x4B) return "";
    return request[2] == primary || (request[2] == 0xFD && state->selected) ? telegram : "";
  }};
}

struct Met {
  std::map<std::string, ScanFinding> found;
  std::set<std::string> unresolved;
  std::vector<std::string> troubles;
};

// Each state is kept as text, and every now and then the search begins anew from it.
Met Find(TestLine& line, const ScanRules& rules, size_t at_most = 100'000) {
  Met met;
  auto step = BeginScan(rules);
  REQUIRE(step.ok());
  int32_t done = 0;
  for (;;) {
    for (const ScanFinding& finding : step->findings) {
      if (finding.unresolved) {
        met.unresolved.insert(finding.address);
      } else {
        ScanFinding& known = met.found[finding.address];
        const std::vector<std::string> before = known.aliases;
        known = finding;
        for (const std::string& alias : before) known.aliases.push_back(alias);
      }
    }
    if (step->trouble.has_value()) met.troubles.push_back(step->trouble->reason);
    if (!step->question.has_value()) return met;
    REQUIRE(line.asked < at_most);
    CHECK(step->state.size() <= kScanStateMax);
    CHECK(step->done_per_mille >= done);
    done = step->done_per_mille;
    if (line.asked % 7 == 3) {
      const auto again = ResumeScan(step->state);
      REQUIRE(again.ok());
      REQUIRE(again->question.has_value());
      CHECK(again->question->exchanges[0].request == step->question->exchanges[0].request);
      line.Ask(*again->question);  // Its answer was lost with who asked.
    }
    step = ContinueScan(step->state, line.Ask(*step->question));
    INFO(step.status().ToString());
    REQUIRE(step.ok());
  }
}

std::set<std::string> Addresses(const Met& met) {
  std::set<std::string> addresses;
  for (const auto& [address, finding] : met.found) addresses.insert(address);
  return addresses;
}

ScanRules Only(Protocol protocol) {
  ScanRules rules;
  rules.protocols = {protocol};
  rules.baud = 2400;
  return rules;
}

}  // namespace

TEST_CASE("a lone DL/T 645 meter is found in two questions, with or without 13H") {
  for (const bool knows_13h : {true, false}) {
    TestLine line;
    line.meters = {Dlt645("000000000017", knows_13h)};
    const Met met = Find(line, Only(Protocol::kDlt645_2007));
    CHECK(Addresses(met) == std::set<std::string>{"000000000017"});
    CHECK(met.found.at("000000000017").medium == "ELECTRICITY");
    CHECK(met.unresolved.empty());
    CHECK(line.asked <= 2 + 1);
  }
}

TEST_CASE("an empty line is known to be empty after the roots and the sweep") {
  TestLine line;
  const Met met = Find(line, {});
  CHECK(met.found.empty());
  CHECK(met.unresolved.empty());
  CHECK(met.troubles.empty());
  CHECK(line.asked < 1.2 * (2 + 1 + 1 + 1 + 250));
}

TEST_CASE("a full DL/T 645 line is found by patterns of its low bytes") {
  TestLine line;
  std::set<std::string> wanted;
  std::mt19937 random(1);
  while (wanted.size() < 64) wanted.insert(absl::StrFormat("%012d", random() % 1'000'000'000));
  for (const std::string& address : wanted) line.meters.push_back(Dlt645(address));
  const Met met = Find(line, Only(Protocol::kDlt645_2007));
  CHECK(Addresses(met) == wanted);
  CHECK(met.unresolved.empty());
  CHECK(line.asked < 3000);
}

TEST_CASE("meters numbered in a row take a hundred questions, whatever their number is") {
  TestLine line;
  for (int i = 0; i < 32; ++i) line.meters.push_back(Dlt645(absl::StrFormat("2024111100%02d", i)));
  CHECK(Find(line, Only(Protocol::kDlt645_2007)).found.size() == 32);
  CHECK(line.asked < 130);
}

TEST_CASE("a slower meter behind a faster one is found: both answers are taken") {
  TestLine line;
  line.meters = {Dlt645("000000000101"), Dlt645("000000000201")};
  line.meters[1].delayed = true;
  const Met met = Find(line, Only(Protocol::kDlt645_2007));
  CHECK(Addresses(met) == std::set<std::string>{"000000000101", "000000000201"});
}

TEST_CASE("DL/T 645 meters that know no patterns are told as unresolved") {
  TestLine line;
  line.meters = {Dlt645("000000000101", true, false), Dlt645("000000000202", true, false)};
  const Met met = Find(line, Only(Protocol::kDlt645_2007));
  CHECK(met.found.empty());
  CHECK(met.unresolved == std::set<std::string>{"AAAAAAAAAAAA"});
}

TEST_CASE("idle bytes around answers make no collision, and noise in every answer hides nobody") {
  TestLine idle;
  idle.meters = {Dlt645("000000000017")};
  idle.spoil = [](std::string& heard) {
    if (!heard.empty()) heard = std::string("\x00\xFF\xFE", 3) + heard + '\0';
  };
  CHECK(Find(idle, Only(Protocol::kDlt645_2007)).found.size() == 1);
  CHECK(idle.asked <= 3);

  TestLine noisy;
  noisy.meters = {Dlt645("000000000017"), Dlt645("000000000018"), Dlt645("123456789017")};
  noisy.spoil = [](std::string& heard) {
    if (!heard.empty()) heard.insert(0, "\x31\x32");
  };
  CHECK(Find(noisy, Only(Protocol::kDlt645_2007)).found.size() == 3);
}

TEST_CASE("a babbler ends the search of each protocol with a reason, in bounded time") {
  TestLine line;
  line.meters = {Dlt645("000000000017")};
  std::mt19937 random(9);
  line.spoil = [&](std::string& heard) {
    for (int i = 0; i < 12; ++i) heard.push_back(static_cast<char>(random() % 256));
  };
  const Met met = Find(line, {});
  CHECK(met.troubles.size() == 4);
  CHECK(met.troubles[0] == "BUS_BABBLES");
  CHECK(line.asked < 250);
}

TEST_CASE("meters of 2007 that refuse the codes of 1997 are found once, and no meter of 1997 is made of them") {
  TestLine line;
  for (const char* const address : {"202411110002", "202411110003", "000000000047"}) {
    const TestMeter known = Dlt645(address);
    const dlt645::Address own = *dlt645::ParseAddress(address);
    line.meters.push_back({[=](base::ByteView request) -> std::string {
      if (request.size() < 12 || request[8] != 0x01) return known.answer(request);
      dlt645::Address asked;
      std::copy(request.begin() + 1, request.begin() + 7, asked.wire.begin());
      return dlt645::AnswersTo(asked, own) ? dlt645::BuildFrame(own, 0xC1, base::AsBytes(std::string("\x02"))) : "";
    }});
  }
  ScanRules both;
  both.protocols = {Protocol::kDlt645_2007, Protocol::kDlt645_1997};
  const Met met = Find(line, both);
  CHECK(met.found.size() == 3);
  for (const auto& [address, finding] : met.found) CHECK(finding.protocol == Protocol::kDlt645_2007);
  CHECK(met.unresolved.empty());
}

TEST_CASE("water meters of several types are told apart by type and by pattern") {
  TestLine line;
  const std::set<std::string> wanted = {"1000112233445566", "1000112233445577", "2000112233445566", "3000112233445501"};
  for (const std::string& address : wanted) line.meters.push_back(Cjt188(address));
  const Met met = Find(line, Only(Protocol::kCjt188));
  CHECK(Addresses(met) == wanted);
  CHECK(met.found.at("1000112233445566").medium == "WATER");
  CHECK(met.found.at("1000112233445566").aliases == std::vector<std::string>{"00112233445566"});
  CHECK(met.found.at("2000112233445566").medium == "HEAT");
  CHECK(met.found.at("3000112233445501").medium == "GAS");
}

TEST_CASE("two water meters that know only the broadcast are unresolved, one beside another type is found") {
  TestLine line;
  line.meters = {Cjt188("1000000000000001", false), Cjt188("1000000000000002", false),
                 Cjt188("2000000000000003", false)};
  const Met met = Find(line, Only(Protocol::kCjt188));
  CHECK(Addresses(met) == std::set<std::string>{"2000000000000003"});
  CHECK(met.unresolved == std::set<std::string>{"10AAAAAAAAAAAAAA"});
}

TEST_CASE("M-Bus meters are found by secondary address, and the sweep adds their primary ones") {
  TestLine line;
  line.meters = {Mbus("123456781415F306", 5), Mbus("123456791415F307", 6), Mbus("99999999C5140107", 0)};
  const Met met = Find(line, Only(Protocol::kMbus));
  CHECK(Addresses(met) == std::set<std::string>{"123456781415F306", "123456791415F307", "99999999C5140107"});
  const ScanFinding& one = met.found.at("123456781415F306");
  CHECK(std::find(one.aliases.begin(), one.aliases.end(), "p5") != one.aliases.end());
  CHECK(std::find(one.aliases.begin(), one.aliases.end(), "12345678") != one.aliases.end());
  CHECK(one.medium == "WATER");
  CHECK(one.version == 0xF3);
  CHECK(one.manufacturer.size() == 3);
  CHECK(met.found.at("99999999C5140107").manufacturer == "EFE");
  CHECK(met.unresolved.empty());
}

TEST_CASE("two M-Bus meters with one id and other makers are told as unresolved, and so are two with one primary") {
  TestLine line;
  line.meters = {Mbus("12345678C5140107", 5), Mbus("12345678AC480306", 5), Mbus("00000001C5140107", 6)};
  const Met met = Find(line, Only(Protocol::kMbus));
  CHECK(met.found.contains("00000001C5140107"));
  CHECK(met.unresolved.contains("12345678"));
  CHECK(met.unresolved.contains("p5"));
}

TEST_CASE("all of random mixed lines are found, within the questions of their protocols") {
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::mt19937 random(seed);
    TestLine line;
    std::set<std::string> wanted;
    const size_t meters = 1 + random() % 40;
    while (wanted.size() < meters) {
      const unsigned kind = random() % 3;
      const uint32_t number = static_cast<uint32_t>(random() % (seed % 2 == 0 ? 100'000'000 : 200));
      std::string address = kind == 0   ? absl::StrFormat("%012d", number)
                            : kind == 1 ? absl::StrFormat("%d0%014d", 1 + random() % 3, number)
                                        : absl::StrFormat("%08dC5140107", number);
      if (!wanted.insert(address).second) continue;
      line.meters.push_back(kind == 0 ? Dlt645(address) : kind == 1 ? Cjt188(address) : Mbus(address));
      line.meters.back().delayed = random() % 10 == 0;
    }
    const Met met = Find(line, {});
    INFO("seed " << seed);
    CHECK(Addresses(met) == wanted);
    CHECK(met.unresolved.empty());
    CHECK(line.asked < 600 + meters * 300);
  }
}

TEST_CASE("rules and states that are none are refused by name") {
  ScanRules twice;
  twice.protocols = {Protocol::kMbus, Protocol::kMbus};
  CHECK(base::ReasonOf(BeginScan(twice).status()) == "PROTOCOL_NOT_SUPPORTED");
  ScanRules baud;
  baud.baud = 5;
  CHECK(base::ReasonOf(BeginScan(baud).status()) == "BAD_BAUD");
  ScanRules patience;
  patience.patience = kScanPatienceMax + absl::Milliseconds(1);
  CHECK(base::ReasonOf(BeginScan(patience).status()) == "BAD_PATIENCE");

  TestLine line;
  line.meters = {Dlt645("000000000101"), Dlt645("000000000102"), Mbus("123456781415F306", 5)};
  auto step = BeginScan({});
  for (int i = 0; i < 150; ++i) step = ContinueScan(step->state, line.Ask(*step->question));
  REQUIRE(step.ok());
  CHECK(ResumeScan(step->state).ok());
  // Every text that differs in one place is a state or is refused; none of them does harm.
  for (size_t at = 0; at < step->state.size(); ++at) {
    for (const char c : {' ', '-', '0', '9', 'x', '\0'}) {
      std::string text = step->state;
      text[at] = c;
      const auto resumed = ResumeScan(text);
      if (!resumed.ok()) CHECK(base::ReasonOf(resumed.status()) != "");
    }
    CHECK_FALSE(ResumeScan(step->state.substr(0, at)).ok());
  }
  CHECK(base::ReasonOf(ResumeScan(std::string(kScanStateMax + 1, '1')).status()) == "BAD_SCAN_STATE");
  CHECK(base::ReasonOf(ContinueScan("", {}).status()) == "BAD_SCAN_STATE");
}

}  // namespace voltwell::codec
