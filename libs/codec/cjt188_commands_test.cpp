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
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec {
namespace {

using Words = std::vector<std::string>;

constexpr char kMeter[] = "1078330011223344";

std::string Hex(absl::string_view bytes) { return base::ToHex(base::AsBytes(bytes)); }
std::string Bytes(const char* hex) { return *base::FromHex(hex); }

std::string Reason(const absl::Status& status) { return base::ReasonOf(status); }

Profile ProfileOf(const vectors::Vector& vector) {
  std::string text = "name vector\nprotocol CJT188\n";
  for (const auto& [key, rest] : vector.facts) {
    if (key == "profile") absl::StrAppend(&text, rest, "\n");
  }
  const auto profile = ParseProfile(text, vector.id);
  REQUIRE(profile.ok());
  return *profile;
}

cjt188::Frame FrameOf(const std::string& bytes) {
  const auto parsed = cjt188::ParseFrame(base::AsBytes(bytes));
  REQUIRE(parsed.fault == cjt188::Fault::kNone);
  return parsed.frame;
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

Command To(const std::string& address) {
  Command command;
  command.protocol = Protocol::kCjt188;
  command.address = address;
  return command;
}

std::string ReplyOf(const Exchange& exchange, uint8_t control, const std::string& body) {
  const cjt188::Frame request = FrameOf(exchange.request);
  return cjt188::BuildFrame(request.address, control, base::AsBytes(base::ToString(request.data.first(3)) + body));
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
  CHECK(base::MetadataOf(decoded.error)["bits"] == "battery_low");
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

TEST_CASE("a purchase bears its number as sequence, so that its repetition is the same frame") {
  Command command = To(kMeter);
  command.action = Prepay{.kind = PrepayKind::kTopUp, .amount_fen = 5000, .purchase_number = 255};
  const auto group = EncodeCjt188(command, {});
  REQUIRE(group.ok());
  REQUIRE(group->exchanges.size() == 1);
  CHECK(Hex(base::ToString(FrameOf(group->exchanges[0].request).data)) == "13A0FFFF00500000");
  CHECK_FALSE(group->exchanges[0].no_reply);
  CHECK_FALSE(group->exchanges[0].follow_up.has_value());
}

TEST_CASE("a meter that confirms another purchase than ours is not believed") {
  Command command = To(kMeter);
  command.action = Prepay{.kind = PrepayKind::kTopUp, .amount_fen = 5000, .purchase_number = 7};
  const auto group = EncodeCjt188(command, {});
  const auto reply = [&](const char* body) {
    return DecodeCjt188({command, {{ReplyOf(group->exchanges[0], 0x84, Bytes(body))}}}, {});
  };
  CHECK(reply("0700500000").error.ok());
  CHECK(reply("0700500000").prepaid->purchase_number == 7U);
  CHECK(Reason(reply("0800500000").error) == "FRAME_NOT_UNDERSTOOD");
  CHECK(Reason(reply("0700510000").error) == "FRAME_NOT_UNDERSTOOD");
  CHECK_FALSE(reply("0700510000").prepaid.has_value());
  CHECK(reply("").error.ok());
}

TEST_CASE("a purchase counts only by an answer to itself, of a shape that is known") {
  Command command = To(kMeter);
  command.action = Prepay{.kind = PrepayKind::kTopUp, .amount_fen = 5000, .purchase_number = 7};
  const auto reply = [&](const char* data, bool checks = true) {
    Profile profile;
    profile.check_sequence = checks;
    const cjt188::Address meter = *cjt188::ParseAddress(kMeter, 0x10);
    return Reason(
        DecodeCjt188({command, {{cjt188::BuildFrame(meter, 0x84, base::AsBytes(Bytes(data)))}}}, profile).error);
  };
  CHECK(reply("13A007").empty());
  CHECK(reply("13A0070000").empty());
  CHECK(reply("13A0070700500000").empty());
  for (const char* const data : {"13A00701", "13A007010203", "13A00707005000", "13A007070050000000"}) {
    CAPTURE(data);
    CHECK(reply(data) == "FRAME_NOT_UNDERSTOOD");
  }
  // Of the purchase before, and without a sequence.
  CHECK(reply("13A006") == "FRAME_NOT_UNDERSTOOD");
  CHECK(reply("13A0060000") == "FRAME_NOT_UNDERSTOOD");
  CHECK(reply("13A0") == "FRAME_NOT_UNDERSTOOD");
  CHECK(reply("13A006", false).empty());
}

TEST_CASE("a late answer of one kind of request is not taken for that of another") {
  const auto sequence = [](decltype(Command::action) action, const Profile& profile = {}) {
    Command command = To(kMeter);
    command.action = std::move(action);
    const auto group = EncodeCjt188(command, profile);
    REQUIRE(group.ok());
    return FrameOf(group->exchanges.back().request).data[2];
  };
  Profile query;
  query.valve_by_query = true;
  CHECK(sequence(ReadRegisters{{"8-0:1.0.0"}}) == 1);
  CHECK(sequence(ReadRegisters{{"0-0:96.3.10"}}, query) == 0x40);
  CHECK(sequence(ControlRelay{.action = RelayAction::kClose}) == 0x55);
  CHECK(sequence(ControlRelay{.action = RelayAction::kPermitClose}) == 0x55);
  CHECK(sequence(ControlRelay{.action = RelayAction::kOpen}) == 0x99);
  CHECK(sequence(WriteRegister{"cjt188:reading_day", "14"}) == 0x60);
  CHECK(sequence(WriteAddress{.address = "78330011223355"}) == 0x60);

  Command valve = To(kMeter);
  valve.action = ReadRegisters{{"0-0:96.3.10"}};
  const std::string late = ReplyOf(EncodeCjt188(valve, query)->exchanges[0], 0x84, Bytes("0100"));
  CHECK(EncodeCjt188(valve, query)->exchanges[0].matcher.Matches(base::AsBytes(late)));
  valve.action = ControlRelay{.action = RelayAction::kOpen};
  CHECK_FALSE(EncodeCjt188(valve, query)->exchanges[0].matcher.Matches(base::AsBytes(late)));
}

Profile LitresProfile() {
  return *ParseProfile("name l\nprotocol CJT188\nvolume_decimals 0\nregister 8-0:1.0.0 scale 0 unit L\n", "l");
}

TEST_CASE("a profile's litres hold for the register by whichever id it is written") {
  for (const char* const id : {"8-0:1.0.0", "9-0:1.0.0", "7-0:3.0.0"}) {
    CAPTURE(id);
    Command command = To(kMeter);
    command.action = WriteRegister{id, "1234"};
    const auto group = EncodeCjt188(command, LitresProfile());
    REQUIRE(group.ok());
    CHECK(Hex(base::ToString(FrameOf(group->exchanges[0].request).data)) == "16A0603412000029");
  }
}

TEST_CASE("a profile's unit does not turn the unit of the frame into another") {
  Command command = To(kMeter);
  command.action = ReadRegisters{{"8-0:1.0.0", "9-0:1.0.0"}};
  const auto group = EncodeCjt188(command, LitresProfile());
  for (const auto& [code, unit] : {std::pair("29", "L"), std::pair("2C", "m3")}) {
    const std::string volume = absl::StrCat("34120000", code);
    const std::string reply =
        ReplyOf(group->exchanges[0], 0x81, Bytes((volume + volume + "31012211051520" + "2184").c_str()));
    const Decoded decoded = DecodeCjt188({command, {{reply}}}, LitresProfile());
    REQUIRE(decoded.values.size() == 2);
    for (const RegisterValue& value : decoded.values) {
      CHECK(value.number->ToString() == "1234");
      CHECK(value.unit == unit);
    }
  }
}

TEST_CASE("an explanation of a broken frame says what and where, and shows no key") {
  const cjt188::Address meter = *cjt188::ParseAddress(kMeter, 0x10);
  const std::string key = cjt188::BuildFrame(meter, 0x04, base::AsBytes(Bytes("14A060010203040506070899")));
  std::string spoilt = key;
  spoilt[spoilt.size() - 2] = static_cast<char>(spoilt[spoilt.size() - 2] + 1);
  std::vector<std::string> frames = {spoilt};
  for (size_t size = 15; size < key.size() - 2; ++size) frames.push_back(key.substr(0, size));
  for (const std::string& frame : frames) {
    CAPTURE(Hex(frame));
    const ExplainedBytes explained = ExplainCjt188(base::AsBytes(frame), {});
    const base::ErrorMetadata metadata = base::MetadataOf(explained.error);
    CHECK(Reason(explained.error) == "FRAME_NOT_UNDERSTOOD");
    CHECK(metadata.count("why") + metadata.count("position") == metadata.size());
    for (const Explanation& part : explained.explanations) {
      if (part.offset < 14 && part.offset + part.length <= 14) continue;
      if (part.offset + 2 >= key.size()) continue;
      CHECK(part.hex.find("0203") == std::string::npos);
      CHECK(part.meaning.find("0203") == std::string::npos);
    }
  }
  // What a meter answers holds no key.
  const std::string reply = cjt188::BuildFrame(meter, 0x81, base::AsBytes(Bytes("1F900102030405")));
  const ExplainedBytes cut = ExplainCjt188(base::AsBytes(reply).first(16), {});
  CHECK(cut.explanations.back().hex.find('*') == std::string::npos);
}

TEST_CASE("amounts and purchase numbers that a meter cannot hold are refused before anything is sent") {
  Command command = To(kMeter);
  const auto reason = [&command](Prepay prepay, const Profile& profile = {}) {
    command.action = prepay;
    return Reason(EncodeCjt188(command, profile).status());
  };
  Profile bcd;
  bcd.prepay.number_bcd = true;
  const auto top_up = [](int64_t fen, uint32_t number) {
    return Prepay{.kind = PrepayKind::kTopUp, .amount_fen = fen, .purchase_number = number};
  };
  CHECK(reason(top_up(99'999'999, 255)).empty());
  CHECK(reason(top_up(100'000'000, 1)) == "BAD_AMOUNT");
  CHECK(reason(top_up(0, 1)) == "BAD_AMOUNT");
  CHECK(reason(top_up(-1, 1)) == "BAD_AMOUNT");
  CHECK(reason(top_up(1, 256)) == "BAD_PURCHASE_NUMBER");
  CHECK(reason(top_up(1, 0)) == "BAD_PURCHASE_NUMBER");
  for (const uint32_t number : {0U, 1U}) {
    CHECK(reason({.kind = PrepayKind::kOpenAccount, .amount_fen = 1, .purchase_number = number}).empty());
  }
  CHECK(reason(top_up(1, 99), bcd).empty());
  CHECK(reason(top_up(1, 100), bcd) == "BAD_PURCHASE_NUMBER");
  CHECK(reason(Prepay{.amount_fen = 1, .purchase_number = 1}) == "BAD_PREPAY_KIND");
  CHECK(reason(Prepay{.kind = PrepayKind::kRefund, .amount_fen = 1, .purchase_number = 1}) == "ACTION_NOT_SUPPORTED");
}

TEST_CASE("a broadcast clock goes to 99 and waits for nobody") {
  Command command = To(kMeter);
  command.action = SetClock{.local_time = "2026-02-28T23:59:58", .broadcast = true};
  const auto group = EncodeCjt188(command, {});
  REQUIRE(group.ok());
  CHECK(group->exchanges[0].no_reply);
  const cjt188::Frame frame = FrameOf(group->exchanges[0].request);
  CHECK(cjt188::FormatSerial(frame.address) == "99999999999999");
  CHECK(Hex(base::ToString(frame.data)) == "15A06058592328022620");
  CHECK(DecodeCjt188({command, {}}, {}).error.ok());
}

TEST_CASE("what cannot be written is refused with its place") {
  Command command = To(kMeter);
  const auto refused = [&command](const char* reg, const char* value) {
    command.action = WriteRegister{reg, value};
    return EncodeCjt188(command, {}).status();
  };
  CHECK(Reason(refused("0-0:96.3.10", "01")) == "NOT_WRITABLE");
  CHECK(Reason(refused("0-0:19.10.0", "5.00")) == "NOT_WRITABLE");
  CHECK(Reason(refused("cjt188:nothing", "1")) == "UNKNOWN_REGISTER");
  CHECK(Reason(refused("cjt188:settlement_day", "32")) == "BAD_VALUE");
  CHECK(Reason(refused("cjt188:settlement_day", "0")) == "BAD_VALUE");
  CHECK(Reason(refused("8-0:1.0.0", "1.234")) == "BAD_VALUE");
  CHECK(Reason(refused("8-0:1.0.0", "1000000")) == "BAD_VALUE");
  CHECK(Reason(refused("8-0:1.0.0", "-1")) == "BAD_VALUE");
  CHECK(Reason(refused("0-0:1.0.0", "2026-02-29T00:00:00")) == "BAD_VALUE");
  CHECK(Reason(refused("cjt188:factory_enable", "yes")) == "BAD_VALUE");
  CHECK(base::MetadataOf(refused("cjt188:price_table", "1.00 10 2.001 20 3.00 1"))["position"] == "2");
  command.action = ReadRegisters{{"cjt188:price_table"}};
  CHECK(Reason(EncodeCjt188(command, {}).status()) == "NOT_READABLE");
  command.action = SetClock{.local_time = "2026-01-02 03:04:05"};
  CHECK(Reason(EncodeCjt188(command, {}).status()) == "BAD_TIME");
}

TEST_CASE("keys come in as bytes of the right length; purchases and the valve do not come this way") {
  Command command = To(kMeter);
  const auto reason = [&command](uint32_t di, size_t size) {
    command.action = Secure{.data_identifier = di, .body = std::string(size, 'k')};
    return Reason(EncodeCjt188(command, {}).status());
  };
  CHECK(reason(0xA014, 9).empty());
  CHECK(reason(0xA014, 8) == "BAD_VALUE");
  CHECK(reason(0xA107, 40).empty());
  CHECK(reason(0xA107, 253) == "VALUE_TOO_LONG");
  CHECK(reason(0xA013, 5) == "ACTION_NOT_SUPPORTED");
  CHECK(reason(0xA017, 1) == "ACTION_NOT_SUPPORTED");
  CHECK(reason(0x901F, 0) == "BAD_VALUE");
  CHECK(reason(0x1A014, 9) == "BAD_VALUE");
}

TEST_CASE("an address is written without wildcards, and the reply may come from the old one or the new") {
  Command command = To(kMeter);
  command.action = WriteAddress{.address = "78330011223355"};
  const auto group = EncodeCjt188(command, {});
  REQUIRE(group.ok());
  for (const char* from : {"78330011223344", "78330011223355"}) {
    const std::string reply =
        cjt188::BuildFrame(*cjt188::ParseAddress(from, 0x10), 0x95, base::AsBytes("\x18\xA0\x60"));
    CHECK(group->exchanges[0].matcher.Matches(base::AsBytes(reply)));
    const Decoded decoded = DecodeCjt188({command, {{reply}}}, {});
    CHECK(decoded.error.ok());
    CHECK(decoded.address == "1078330011223355");
  }
  for (const char* none : {"783300112233AA", "AA78330011223344", "99999999999999", "1099999999999999"}) {
    command.action = WriteAddress{.address = none};
    CHECK(Reason(EncodeCjt188(command, {}).status()) == "BAD_METER_ADDRESS");
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
