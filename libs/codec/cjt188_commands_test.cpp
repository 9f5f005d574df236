// Recorded frames say the same in our requests and our decoding as they did where they were recorded; and what a
// command refuses.
#include "libs/codec/cjt188_commands.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/codec/cjt188/body.h"
#include "libs/codec/cjt188/frame.h"
#include "libs/codec/cjt188/register_table.h"
#include "libs/codec/cjt188/request.h"
#include "libs/codec/cjt188_testing.h"
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec {
namespace {

using namespace cjt188_testing;
using Words = std::vector<std::string>;

Profile ProfileOf(const vectors::Vector& vector) {
  std::string text = "name vector\nprotocol CJT188\n";
  for (const auto& [key, rest] : vector.facts) {
    if (key == "profile") absl::StrAppend(&text, rest, "\n");
  }
  const auto profile = ParseProfile(text, vector.id);
  REQUIRE(profile.ok());
  return *profile;
}

// "number=14" among the words.
std::string Option(const Words& words, const std::string& key) {
  for (const std::string& word : words) {
    if (word.rfind(key + "=", 0) == 0) return word.substr(key.size() + 1);
  }
  FAIL("no " << key);
  return "";
}

RelayAction RelayOf(const std::string& word) {
  if (word == "open") return RelayAction::kOpen;
  return word == "close" ? RelayAction::kClose : RelayAction::kPermitClose;
}

// What the recorded request asks, as a command.
bool SetAction(const std::string& key, const std::string& rest, Command& command) {
  const Words words = absl::StrSplit(rest, ' ');
  if (key == "reads") command.action = ReadRegisters{{words[0]}};
  if (key == "read_address") command.action = ReadAddress{};
  if (key == "relay") command.action = ControlRelay{.action = RelayOf(words[0])};
  if (key == "set_clock") command.action = SetClock{.local_time = rest};
  if (key == "write_address") command.action = WriteAddress{.address = rest};
  if (key == "secure") command.action = Secure{.data_identifier = 0xA014, .body = Bytes(words[1].c_str())};
  if (key == "write") {
    command.action = WriteRegister{words[0], absl::StrJoin(words.begin() + 2, words.end(), " ")};
  }
  if (key == "prepay") {
    command.action = Prepay{.kind = PrepayKind::kTopUp,
                            .amount_fen = std::stoll(Option(words, "fen")),
                            .purchase_number = static_cast<uint32_t>(std::stoul(Option(words, "number")))};
  }
  return command.action.index() != 0;
}

Command CommandTo(const std::string& frame) {
  Command command;
  command.protocol = Protocol::kCjt188;
  command.address = cjt188::FormatAddress(FrameOf(frame).address);
  return command;
}

// Ours with the recorded sequence: it is the master's choice.
std::string WithSequence(const std::string& request, uint8_t sequence) {
  const cjt188::Frame frame = FrameOf(request);
  std::string data = base::ToString(frame.data);
  data[2] = static_cast<char>(sequence);
  return cjt188::BuildFrame(frame.address, frame.control, base::AsBytes(data));
}

TEST_CASE("our CJ/T 188 requests are byte for byte the recorded ones but for the sequence") {
  size_t requests = 0;
  for (const auto& vector : vectors::Load("cjt188.vec")) {
    if (vector.request.empty()) continue;
    CAPTURE(vector.id);
    Command command = CommandTo(vector.request);
    for (const auto& [key, rest] : vector.facts) {
      if (SetAction(key, rest, command)) break;
    }
    REQUIRE(command.action.index() != 0);
    const auto group = EncodeCjt188(command, ProfileOf(vector));
    REQUIRE(group.ok());
    REQUIRE(group->exchanges.size() == 1);
    const Exchange& exchange = group->exchanges[0];
    CHECK(exchange.frame_kind == frame::FrameKind::kCjt188);
    const std::string recorded = vector.request.substr(vector.request.find('\x68'));
    CHECK(Hex(WithSequence(exchange.request, FrameOf(recorded).data[2])) == Hex(recorded));
    CHECK_FALSE(exchange.matcher.Matches(base::AsBytes(recorded)));
    ++requests;
  }
  CHECK(requests > 20);
}

const RegisterValue* Find(const Decoded& decoded, const std::string& reg) {
  const auto found = std::find_if(decoded.values.begin(), decoded.values.end(),
                                  [&reg](const RegisterValue& value) { return value.reg == reg; });
  return found == decoded.values.end() ? nullptr : &*found;
}

void CheckValue(const Decoded& decoded, const Words& words) {
  const RegisterValue* const value = Find(decoded, words[0]);
  REQUIRE(value != nullptr);
  CHECK((value->number.has_value() ? value->number->ToString() : value->text) == words[2]);
  CHECK(value->unit == (words.size() > 3 ? words[3] : ""));
}

std::string PrepaidText(const PrepaidState& state) {
  return absl::StrCat("number=", *state.purchase_number, " remaining=", state.remaining->ToString(),
                      " last=", state.last_amount->ToString(), " accumulated=", state.accumulated->ToString());
}

// Facts about one reply to one command.
void CheckReply(const Decoded& decoded, const std::string& key, const std::string& rest) {
  const Words words = absl::StrSplit(rest, ' ');
  if (key == "value") CheckValue(decoded, words);
  if (key == "no_value") {
    REQUIRE(Find(decoded, words[0]) != nullptr);
    CHECK(Find(decoded, words[0])->quality == Quality::kNoValue);
  }
  if (key == "relay_state") {
    CHECK(decoded.relay_state == (rest == "open" ? RelayState::kOpen : RelayState::kClosed));
  }
  if (key == "meter_time") {
    for (const RegisterValue& value : decoded.values) CHECK(value.meter_time == rest);
  }
  if (key == "error") CHECK(base::MetadataOf(decoded.error)["bits"] == rest);
  if (key == "error_code") CHECK(base::MetadataOf(decoded.error)["error"] == rest);
  if (key != "error" && key != "error_code") CHECK(decoded.error.ok());
}

Words RegistersIn(const vectors::Vector& vector) {
  Words registers;
  for (const auto& [key, rest] : vector.facts) {
    if (key == "value" || key == "no_value") registers.push_back(Words(absl::StrSplit(rest, ' '))[0]);
    if (key == "relay_state") registers.emplace_back("0-0:96.3.10");
  }
  return registers.empty() ? Words{"8-0:1.0.0"} : registers;
}

// Status words stand in several bodies: read where this reply has it.
bool Reads(const vectors::Vector& vector, uint16_t di) {
  return FrameOf(vector.reply).function() == cjt188::kReadData && di == 0x901F;
}

TEST_CASE("recorded CJ/T 188 replies to reads decode to the values that were recorded with them") {
  size_t replies = 0;
  for (const auto& vector : vectors::Load("cjt188.vec")) {
    if (vector.reply.empty()) continue;
    const cjt188::Frame frame = FrameOf(vector.reply);
    if (frame.function() != cjt188::kReadData && frame.function() != cjt188::kReadKeyVersion) continue;
    CAPTURE(vector.id);
    Command command = CommandTo(vector.reply);
    Words registers = RegistersIn(vector);
    const bool purchase = vector.id.rfind("purchase", 0) == 0;
    if (purchase) {
      registers.erase(std::remove(registers.begin(), registers.end(), "0-0:96.3.10"), registers.end());
    }
    command.action = ReadRegisters{registers};
    const Decoded decoded = DecodeCjt188({command, {{vector.reply}}}, ProfileOf(vector));
    for (const auto& [key, rest] : vector.facts) {
      if (purchase && (rest.rfind("0-0:96.3.10", 0) == 0 || key == "prepaid")) continue;
      CheckReply(decoded, key, rest);
    }
    CHECK((Reads(vector, 0x901F) || !decoded.values.empty() || !decoded.error.ok()));
    ++replies;
  }
  CHECK(replies > 30);
}

TEST_CASE("recorded CJ/T 188 replies to other commands say what was recorded with them") {
  size_t replies = 0;
  for (const auto& vector : vectors::Load("cjt188.vec")) {
    if (vector.reply.empty()) continue;
    CAPTURE(vector.id);
    Command command = CommandTo(vector.reply);
    const cjt188::Frame frame = FrameOf(vector.reply);
    if (frame.function() == cjt188::kReadAddress) command.action = ReadAddress{};
    if (frame.function() == cjt188::kWriteData && frame.data.size() > 1 && frame.data[1] == 0x17) {
      const bool opens = std::find(vector.facts.begin(), vector.facts.end(),
                                   std::pair<std::string, std::string>("relay_state", "open")) != vector.facts.end();
      command.action = ControlRelay{.action = opens ? RelayAction::kOpen : RelayAction::kClose};
    }
    for (const auto& [key, rest] : vector.facts) {
      if (key == "prepaid") command.action = ReadPrepaid{};
      if (key == "answers" && rest == "A015") command.action = SetClock{.local_time = "2026-01-02T03:04:05"};
      if (key == "answers" && rest == "A018") command.action = WriteAddress{.address = "77665544332211"};
      if (key == "write" || key == "prepay" || key == "secure") SetAction(key, rest, command);
    }
    if (command.action.index() == 0) continue;
    const Decoded decoded = DecodeCjt188({command, {{vector.reply}}}, ProfileOf(vector));
    CHECK(decoded.error.ok());
    for (const auto& [key, rest] : vector.facts) {
      if (key == "address") CHECK(decoded.address == std::string(absl::StrJoin(absl::StrSplit(rest, ' '), "")));
      if (key == "prepaid") CHECK(PrepaidText(*decoded.prepaid) == rest);
      if (std::holds_alternative<ControlRelay>(command.action)) CheckReply(decoded, key, rest);
      if (key == "prepay") {
        CHECK(absl::StrCat(*decoded.prepaid->purchase_number) == Option(absl::StrSplit(rest, ' '), "number"));
      }
    }
    ++replies;
  }
  CHECK(replies > 12);
}

TEST_CASE("the recorded reply is picked by the matcher of its request") {
  size_t pairs = 0;
  for (const auto& vector : vectors::Load("cjt188.vec")) {
    if (vector.request.empty() || vector.reply.empty()) continue;
    CAPTURE(vector.id);
    const cjt188::Frame request = FrameOf(vector.request);
    const uint16_t low = cjt188::LowFirst(request.data);
    const uint16_t high = cjt188::HighFirst(request.data);
    const uint16_t di = cjt188::RecogniseIdentifier(request.data[0], request.data[1]).low_first ? low : high;
    const std::string reply = vector.reply.substr(vector.reply.find('\x68'));
    const uint8_t answered = FrameOf(reply).data[2];
    CHECK(cjt188::MatcherOf(request.address, di, answered).Matches(base::AsBytes(reply)));
    CHECK(cjt188::MatcherOf(request.address, di, std::nullopt).Matches(base::AsBytes(reply)));
    CHECK_FALSE(
        cjt188::MatcherOf(request.address, di, static_cast<uint8_t>(answered + 1)).Matches(base::AsBytes(reply)));
    ++pairs;
  }
  CHECK(pairs > 12);
}

TEST_CASE("registers of one identifier are one question, and each question has a sequence of its own") {
  Command command = To(kMeter);
  command.action = ReadRegisters{{"8-0:1.0.0", "0-0:1.0.0", "0-0:96.3.10", "8-0:1.0.0*2", "0-0:19.10.0"}};
  const auto group = EncodeCjt188(command, {});
  REQUIRE(group.ok());
  REQUIRE(group->exchanges.size() == 3);
  CHECK(Hex(group->exchanges[0].request) == "FEFEFE68104433221100337801031F90018116");
  CHECK(FrameOf(group->exchanges[1].request).data[2] == 2);
  CHECK(cjt188::LowFirst(FrameOf(group->exchanges[1].request).data) == 0xD121);
  CHECK(cjt188::LowFirst(FrameOf(group->exchanges[2].request).data) == 0x8105);
}

TEST_CASE("a late reply to the same identifier with another sequence is not taken, unless the profile says so") {
  Command command = To(kMeter);
  command.action = ReadRegisters{{"8-0:1.0.0"}};
  Profile loose;
  loose.check_sequence = false;
  const std::string late = Bytes("68104433221100337881161F9000007766552C007766552C3101221105152021841316");
  CHECK_FALSE(EncodeCjt188(command, {})->exchanges[0].matcher.Matches(base::AsBytes(late)));
  CHECK(EncodeCjt188(command, loose)->exchanges[0].matcher.Matches(base::AsBytes(late)));
}

TEST_CASE("values come back under the ids that were asked for, also for hot water") {
  Command command = To("11" + std::string(kMeter).substr(2));
  command.action = ReadRegisters{{"9-0:1.0.0", "8-0:1.0.0"}};
  const auto group = EncodeCjt188(command, {});
  REQUIRE(group->exchanges.size() == 1);
  const std::string reply = ReplyOf(group->exchanges[0], 0x81, Bytes("007766552C007766552C310122110515202184"));
  const Decoded decoded = DecodeCjt188({command, {{reply}}}, {});
  REQUIRE(decoded.values.size() == 2);
  CHECK(decoded.values[0].reg == "9-0:1.0.0");
  CHECK(decoded.values[1].reg == "8-0:1.0.0");
  CHECK(decoded.values[0].number->ToString() == "556677.00");
}

TEST_CASE("a water meter has no gas") {
  Command command = To("11" + std::string(kMeter).substr(2));
  command.action = ReadRegisters{{"7-0:3.0.0"}};
  const auto group = EncodeCjt188(command, {});
  const std::string reply = ReplyOf(group->exchanges[0], 0x81, Bytes("007766552C007766552C310122110515202184"));
  const Decoded decoded = DecodeCjt188({command, {{reply}}}, {});
  REQUIRE(decoded.values.size() == 1);
  CHECK(decoded.values[0].quality == Quality::kNoValue);
}

TEST_CASE("a wallet is asked for by the identifiers that the profile has for its registers") {
  std::string text = "name own\nprotocol CJT188\n";
  std::vector<std::string> ids;
  for (const cjt188::Reg reg :
       {cjt188::Reg::kPurchaseNumber, cjt188::Reg::kLastAmount, cjt188::Reg::kAccumulated, cjt188::Reg::kRemaining}) {
    ids.emplace_back(cjt188::RegisterOf(reg).id);
    text += absl::StrCat("register ", ids.back(), " identifier 8115\n");
  }
  const auto profile = ParseProfile(text, "own");
  REQUIRE(profile.ok());
  const auto request = [](auto action, const Profile& of) {
    Command command = To(kMeter);
    command.action = std::move(action);
    const auto group = EncodeCjt188(command, of);
    REQUIRE(group.ok());
    REQUIRE(group->exchanges.size() == 1);
    return Hex(base::ToString(FrameOf(group->exchanges[0].request).data));
  };
  CHECK(request(ReadPrepaid{}, *profile) == "158101");
  CHECK(request(ReadPrepaid{}, *profile) == request(ReadRegisters{ids}, *profile));
  CHECK(request(ReadPrepaid{}, {}) == "058101");
}

TEST_CASE("one question that fails leaves the values of the others") {
  Command command = To(kMeter);
  command.action = ReadRegisters{{"8-0:1.0.0", "cjt188:settlement_day"}};
  const auto group = EncodeCjt188(command, {});
  const std::string refused =
      cjt188::BuildFrame(*cjt188::ParseAddress(kMeter, 0x10), 0xC1, base::AsBytes("\x01\x04\xFF"));
  REQUIRE(group->exchanges[0].matcher.Matches(base::AsBytes(refused)));
  const std::string day = ReplyOf(group->exchanges[1], 0x81, "\x25");
  const Decoded decoded = DecodeCjt188({command, {{refused}, {day}}}, {});
  CHECK(Reason(decoded.error) == "METER_REFUSED");
  // A low battery is no reason.
  CHECK(base::MetadataOf(decoded.error)["bits"] == "unspecified");
  CHECK(base::MetadataOf(decoded.error)["status"] == "04FF");
  REQUIRE(decoded.values.size() == 1);
  CHECK(decoded.values[0].number == decimal::Decimal(25, 0));
}

TEST_CASE("a body of another length is named with its position, not read into something") {
  Command command = To(kMeter);
  command.action = ReadRegisters{{"cjt188:settlement_day"}};
  const auto group = EncodeCjt188(command, {});
  const Decoded decoded = DecodeCjt188({command, {{ReplyOf(group->exchanges[0], 0x81, "\x25\x01")}}}, {});
  CHECK(Reason(decoded.error) == "FRAME_NOT_UNDERSTOOD");
  CHECK(base::MetadataOf(decoded.error)["position"] == "10");
  CHECK(decoded.values.empty());
}

TEST_CASE("a valve that has not moved yet is not said to have moved") {
  Command command = To(kMeter);
  command.action = ControlRelay{.action = RelayAction::kOpen};
  const auto group = EncodeCjt188(command, {});
  REQUIRE(group.ok());
  const auto state = [&](const char* status) {
    return DecodeCjt188({command, {{ReplyOf(group->exchanges[0], 0x84, Bytes(status))}}}, {});
  };
  CHECK(state("0000").relay_state == RelayState::kUnspecified);
  CHECK(state("0100").relay_state == RelayState::kOpen);
  CHECK(state("0300").relay_state == RelayState::kUnspecified);
  CHECK(state("0300").values[0].quality == Quality::kMeterError);
  CHECK(state("").error.ok());
}

TEST_CASE("a valve knows no alarm, no keep-power and no pre-trip") {
  Command command = To(kMeter);
  for (const RelayAction action : {RelayAction::kUnspecified, RelayAction::kAlarmOn, RelayAction::kKeepPowerOff}) {
    command.action = ControlRelay{.action = action};
    CHECK(Reason(EncodeCjt188(command, {}).status()) == "BAD_RELAY_ACTION");
  }
}

TEST_CASE("a search tells who answered, and that several did when their answers lie over each other") {
  Command command = To("10AAAAAAAAAAAAAA");
  command.action = Search{};
  const auto group = EncodeCjt188(command, {});
  const std::string reply = Bytes("6810010000050800008303810A009716");
  CHECK(group->exchanges[0].matcher.any_of.size() == 5);
  CHECK(DecodeCjt188({command, {{reply}}}, {}).address == "1000000805000001");
  std::string spoilt = reply;
  spoilt[3] = '\x11';
  CHECK(DecodeCjt188({command, {{spoilt}}}, {}).collision);
}

TEST_CASE("commands that CJ/T 188 does not have are refused, and none is an error of its own") {
  Command command = To(kMeter);
  command.action = Freeze{};
  CHECK(Reason(EncodeCjt188(command, {}).status()) == "ACTION_NOT_SUPPORTED");
  CHECK(Reason(DecodeCjt188({command, {}}, {}).error) == "ACTION_NOT_SUPPORTED");
  command.action = std::monostate{};
  CHECK(Reason(EncodeCjt188(command, {}).status()) == "ACTION_MISSING");
  command.action = ReadRegisters{};
  CHECK(Reason(EncodeCjt188(command, {}).status()) == "NO_REGISTERS");
  command.action = ReadRegisters{Words(kRegistersMax + 1, "8-0:1.0.0")};
  CHECK(Reason(EncodeCjt188(command, {}).status()) == "TOO_MANY_REGISTERS");
  command.baud = 299;
  CHECK(Reason(EncodeCjt188(command, {}).status()) == "BAD_BAUD");
}

TEST_CASE("raw bytes go as they are and come back as they came") {
  Command command = To("");
  command.action = Raw{.request = "\x68raw"};
  const auto group = EncodeCjt188(command, {});
  REQUIRE(group.ok());
  CHECK(group->exchanges[0].request == "\x68raw");
  CHECK(group->exchanges[0].matcher.Matches(base::AsBytes("anything")));
  CHECK(DecodeCjt188({command, {{"back"}}}, {}).body == "back");
  command.action = Raw{};
  CHECK(Reason(EncodeCjt188(command, {}).status()) == "BAD_RAW");
  command.action = Raw{.request = std::string(301, 'x')};
  CHECK(Reason(EncodeCjt188(command, {}).status()) == "BAD_RAW");
}

TEST_CASE("every listed register that is read can be asked for, and answers under its own id") {
  for (const RegisterInfo& info : ListCjt188Registers()) {
    CAPTURE(info.reg);
    if (!info.readable) continue;
    Command command = To(kMeter);
    std::string reg = info.reg;
    if (const size_t at = reg.find("{n}"); at != std::string::npos) reg.replace(at, 3, "1");
    command.action = ReadRegisters{{reg}};
    const auto group = EncodeCjt188(command, {});
    REQUIRE(group.ok());
    CHECK(group->exchanges.size() == 1);
  }
}

// What a meter would read out of our request.
cjt188::Body WrittenBody(const WriteRegister& write, const Profile& profile) {
  Command command = To(kMeter);
  command.action = write;
  const auto group = EncodeCjt188(command, profile);
  REQUIRE(group.ok());
  const cjt188::Frame frame = FrameOf(group->exchanges[0].request);
  const uint16_t di = profile.identifier_low_first ? cjt188::LowFirst(frame.data) : cjt188::HighFirst(frame.data);
  cjt188::Body body;
  cjt188::BodyOptions options;
  options.volume_decimals = profile.volume_decimals;
  REQUIRE(cjt188::DecodeBody(di, cjt188::Use::kWrite, 0x10, frame.data.subspan(3), options, body));
  return body;
}

TEST_CASE("whatever is written reads back as it was given, in either byte order and with any decimals") {
  std::mt19937 random(188);
  const auto below = [&random](uint32_t limit) { return static_cast<int64_t>(random() % limit); };
  for (int round = 0; round < 500; ++round) {
    Profile profile;
    profile.identifier_low_first = round % 2 == 0;
    profile.volume_decimals = round % 5 - 1;
    const int scale = profile.volume_decimals < 0 ? 2 : profile.volume_decimals;
    const std::string volume = decimal::Decimal(below(100'000'000), scale).ToString();
    CAPTURE(volume, scale);
    if (volume != decimal::Decimal(99'999'999, scale).ToString()) {
      CHECK(WrittenBody({"8-0:1.0.0", volume}, profile).fields[0].Text() == volume);
    }
    const std::string day = absl::StrCat(1 + below(31));
    CHECK(WrittenBody({"cjt188:reading_day", day}, profile).fields[0].Text() == day);
    const std::string time = absl::StrFormat("20%02d-%02d-%02dT%02d:%02d:%02d", below(100), 1 + below(12),
                                             1 + below(28), below(24), below(60), below(60));
    CHECK(WrittenBody({"0-0:1.0.0", time}, profile).fields[0].Text() == time);
    Words prices;
    for (int i = 0; i < 5; ++i) prices.push_back(decimal::Decimal(below(1'000'000), i % 2 == 0 ? 2 : 0).ToString());
    prices.push_back(day);
    const cjt188::Body table = WrittenBody({"cjt188:price_table", absl::StrJoin(prices, " ")}, profile);
    for (size_t i = 0; i < prices.size(); ++i) CHECK(table.fields[i].Text() == prices[i]);
  }
}

TEST_CASE("wire time of question and answer is waited for, and the profile's turnaround") {
  Command command = To(kMeter);
  command.action = ReadRegisters{{"8-0:1.0.0"}};
  CHECK(EncodeCjt188(command, {})->exchanges[0].reply_timeout == absl::Milliseconds(500));
  command.baud = 2400;
  const absl::Duration timeout = EncodeCjt188(command, {})->exchanges[0].reply_timeout;
  CHECK(timeout > absl::Milliseconds(500 + 11 * 1000 * (19 + 35) / 2400));
  CHECK(timeout < absl::Seconds(2));
}

}  // namespace
}  // namespace voltwell::codec
