// Commands of M-Bus, their answers, and explanations of its frames.
#include "libs/codec/mbus_commands.h"

#include <catch2/catch.hpp>

#include "libs/base/status.h"
#include "libs/codec/mbus/link.h"
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec {
namespace {

constexpr char kAck[] = "E5";
// Header of a water meter: id 12345678, VWS, version 1, water.
constexpr char kWaterHeader[] = "72 78563412 F35A 01 07 01 00 0000";

std::string Bytes(absl::string_view hex) { return *base::FromHex(hex); }
std::string Hex(const std::string& bytes) { return base::ToHex(base::AsBytes(bytes)); }
std::string Reply(absl::string_view user, uint8_t address = 5) {
  return mbus::BuildLong(mbus::kRspUd, address, base::AsBytes(Bytes(user)));
}
std::string Water(absl::string_view records, uint8_t address = 5) {
  return Reply(std::string(kWaterHeader) + std::string(records), address);
}

template <typename Action>
Command To(const std::string& address, Action action) {
  return {.protocol = Protocol::kMbus, .address = address, .baud = 2400, .action = std::move(action)};
}

std::vector<std::string> Requests(const absl::StatusOr<ExchangeGroup>& group) {
  REQUIRE(group.ok());
  std::vector<std::string> requests;
  for (const Exchange& exchange : group->exchanges) {
    CHECK(exchange.frame_kind == frame::FrameKind::kMbus);
    requests.push_back(Hex(exchange.request));
  }
  return requests;
}

std::string Reason(const absl::Status& status) { return base::ReasonOf(status); }
using Frames = std::vector<std::string>;

Profile ValveProfile() {
  Profile profile;
  profile.valve_open = Bytes("51 01FD1A01");
  profile.valve_close = Bytes("51 01FD1A00");
  return profile;
}

TEST_CASE("a read by primary address resets the link and asks with FCB 1") {
  const Command command = To("p5", ReadRegisters{{"8-0:1.0.0"}});
  CHECK(Requests(EncodeMbus(command, {})) == Frames{"1040054516", "107B058016"});
  Profile silent;
  silent.reset_before_read = false;
  const auto unanswered = EncodeMbus(command, silent);
  CHECK(Requests(unanswered) == Frames{"1040054516", "107B058016"});
  CHECK(unanswered->exchanges[0].no_reply);
  const Decoded decoded = DecodeMbus({command, {{}, {Water("0C 13 56341200")}}}, silent);
  CHECK(decoded.values[0].number->ToString() == "123.456");
  Profile plain;
  plain.reset_before_read = false;
  plain.uses_fcb = false;
  CHECK(Requests(EncodeMbus(command, plain)) == Frames{"105B056016"});
}

TEST_CASE("a read by secondary address selects and asks at FDH in one group") {
  const auto group = EncodeMbus(To("12345678", ReadRegisters{{"mbus:*"}}), {});
  CHECK(Requests(group) == Frames{"680B0B6853FD5278563412FFFFFFFFB216", "107BFD7816"});
  // 330 bit times and 50 ms, and at 2400 bit/s 266 bytes of 11 bits.
  CHECK(group->exchanges[1].reply_timeout > absl::Milliseconds(1219));
  CHECK(group->exchanges[1].matcher.Matches(base::AsBytes(Water("01 13 05"))));
}

TEST_CASE("the registers asked for come back by id, with unit, and others as having no value") {
  const Command command = To("p5", ReadRegisters{{"8-0:1.0.0", "8-0:1.0.0*1", "mbus:0.0.0:3B", "6-0:1.0.0"}});
  const std::string frame = Water("0C 13 56341200 42 6C 3F1C 44 13 A0860100 02 3B 2A00");
  const Decoded decoded = DecodeMbus({command, {{Bytes(kAck)}, {frame}}}, {});
  REQUIRE(decoded.error.ok());
  REQUIRE(decoded.values.size() == 4);
  CHECK(decoded.values[0].number->ToString() == "123.456");
  CHECK(decoded.values[0].unit == "m3");
  CHECK(decoded.values[1].number->ToString() == "100.000");
  CHECK(decoded.values[1].meter_time == "2009-12-31T00:00");
  CHECK(decoded.values[2].number->ToString() == "0.042");
  CHECK(decoded.values[3].quality == Quality::kNoValue);
  CHECK(decoded.values[3].reg == "6-0:1.0.0");
}

TEST_CASE("energies are shown in kWh, powers in kW, and ids are never given twice") {
  const std::string frame =
      Reply("72 78563412 F35A 01 04 01 04 0000 04 06 2A000000 04 FB01 02000000 02 2B E803 04 06 2B000000");
  const Decoded decoded = DecodeMbus({To("p5", ReadRegisters{{"mbus:*"}}), {{Bytes(kAck)}, {frame}}}, {});
  REQUIRE(decoded.error.ok());
  REQUIRE(decoded.values.size() == 5);
  CHECK(decoded.values[0].reg == "6-0:1.0.0");
  CHECK(decoded.values[0].number->ToString() == "42");
  CHECK(decoded.values[0].unit == "kWh");
  CHECK(decoded.values[1].reg == "mbus:0.0.0:FB01");
  CHECK(decoded.values[1].number->ToString() == "2000");
  CHECK(decoded.values[2].reg == "6-0:8.0.0");
  CHECK(decoded.values[2].number->ToString() == "1.000");
  CHECK(decoded.values[3].reg == "mbus:0.0.0:06");
  CHECK(decoded.values[4].reg == "mbus:status");
  CHECK(decoded.values[4].text == "04");
}

TEST_CASE("a value carries what the meter says against it") {
  const auto read = [](absl::string_view records, const Profile& profile = {}) {
    const Decoded decoded =
        DecodeMbus({To("p5", ReadRegisters{{"mbus:*"}}), {{Bytes(kAck)}, {Water(records)}}}, profile);
    REQUIRE(decoded.error.ok());
    return decoded.values.at(0);
  };
  CHECK(read("3C 13 56341200").quality == Quality::kMeterError);
  CHECK(read("0C 13 FFFFFFFF").quality == Quality::kNoValue);
  CHECK(read("0C 13 DDDDEBBD").quality == Quality::kMeterError);
  CHECK(read("0C 13 DDDDEBBD").text == "BDEBDDDD");
  CHECK(read("04 93 15 00000000").quality == Quality::kNoValue);
  CHECK(read("04 6D BB173F1C").quality == Quality::kNoValue);
  CHECK(read("05 13 0000C07F").quality == Quality::kOutOfRange);
  Profile profile;
  profile.sentinels = {Bytes("FFFFFF7F")};
  CHECK(read("04 13 FFFFFF7F", profile).quality == Quality::kNoValue);
  profile.registers["8-0:1.0.0"] = {.scale = 1, .unit = "l"};
  CHECK(read("04 13 2A000000", profile).number->ToString() == "4.2");
  CHECK(read("04 13 2A000000", profile).unit == "l");
}

TEST_CASE("a readout that goes on is asked for again with one telegram more, sixteen at most") {
  const Command command = To("p5", ReadRegisters{{"8-0:1.0.0", "mbus:0.0.0:FD17"}});
  const std::string first = Water("04 13 2A000000 1F");
  const std::string second = Water("02 FD17 0400");
  const Decoded one = DecodeMbus({command, {{Bytes(kAck)}, {first}}}, {});
  REQUIRE(one.continuation.has_value());
  CHECK(one.values.empty());
  CHECK(Requests(*one.continuation) == Frames{"1040054516", "107B058016", "105B056016"});
  const Decoded two = DecodeMbus({command, {{Bytes(kAck)}, {first}, {second}}}, {});
  CHECK_FALSE(two.continuation.has_value());
  REQUIRE(two.values.size() == 2);
  CHECK(two.values[0].number->ToString() == "0.042");
  CHECK(two.values[1].text == "0004");

  std::vector<ReplyFrames> endless = {{Bytes(kAck)}};
  for (size_t i = 0; i < kMbusTelegramsMax; ++i) {
    endless.push_back({Water("01 13 0" + std::to_string(i % 10) + (i > 9 ? "02 13 0000" : "") + "1F")});
  }
  const Decoded limited = DecodeMbus({command, endless}, {});
  CHECK_FALSE(limited.continuation.has_value());
  CHECK(Reason(limited.error) == "TOO_MANY_TELEGRAMS");
  endless.pop_back();
  CHECK(DecodeMbus({command, endless}, {}).continuation.has_value());
}

TEST_CASE("a meter that repeats its telegram is told, and what it said is kept") {
  const std::string first = Water("04 13 2A000000 1F");
  const Decoded decoded = DecodeMbus({To("p5", ReadRegisters{{"8-0:1.0.0"}}), {{Bytes(kAck)}, {first}, {first}}}, {});
  CHECK(Reason(decoded.error) == "TELEGRAM_REPEATED");
  CHECK(decoded.values.at(0).number->ToString() == "0.042");
}

TEST_CASE("what is no answer is refused by name") {
  const Command command = To("p5", ReadRegisters{{"8-0:1.0.0"}});
  const auto reason = [&](std::vector<ReplyFrames> replies) {
    return Reason(DecodeMbus({command, replies}, {}).error);
  };
  CHECK(reason({}) == "FRAME_NOT_UNDERSTOOD");
  CHECK(reason({{Bytes(kAck)}, {Bytes("68040468080570088516")}}) == "METER_REFUSED");
  CHECK(reason({{Bytes(kAck)}, {Water("04 13 2A", 5)}}) == "FRAME_NOT_UNDERSTOOD");
  CHECK(reason({{Bytes(kAck)}, {Water("04 13 2A000000", 6)}}) == "FRAME_NOT_UNDERSTOOD");
  CHECK(reason({{Bytes(kAck)}, {Reply("72 78563412 F35A 01 07 01 00 0005 0102")}}) == "TELEGRAM_ENCRYPTED");
  const Decoded decoded = DecodeMbus({command, {{Bytes(kAck)}, {Water("01 13 05 04 13 2A")}}}, {});
  CHECK(base::MetadataOf(decoded.error)["position"] == "25");
  CHECK(decoded.values.at(0).number->ToString() == "0.005");
}

TEST_CASE("commands that cannot be encoded are refused by name") {
  const auto reason = [](auto action, const std::string& address = "p5") {
    return Reason(EncodeMbus(To(address, action), {}).status());
  };
  CHECK(reason(std::monostate{}) == "ACTION_MISSING");
  CHECK(reason(ReadRegisters{}) == "NO_REGISTERS");
  CHECK(reason(ReadRegisters{{"1-0:99.99.9"}}) == "UNKNOWN_REGISTER");
  CHECK(reason(ReadRegisters{std::vector<std::string>(kRegistersMax + 1, "mbus:*")}) == "TOO_MANY_REGISTERS");
  CHECK(reason(ReadRegisters{{"mbus:*"}}, "p251") == "BAD_METER_ADDRESS");
  CHECK(reason(ControlRelay{RelayAction::kOpen}) == "ACTION_NOT_SUPPORTED");
  CHECK(reason(ControlRelay{RelayAction::kAlarmOn}) == "BAD_RELAY_ACTION");
  CHECK(reason(ChangeBaud{115200}) == "BAD_BAUD");
  CHECK(reason(SetClock{"yesterday"}) == "BAD_TIME");
  CHECK(reason(Reset{true, 256}) == "BAD_VALUE");
  CHECK(reason(Raw{}) == "BAD_RAW");
  CHECK(reason(Freeze{}) == "ACTION_NOT_SUPPORTED");
  CHECK(reason(Search{}) == "BAD_METER_ADDRESS");
  CHECK(reason(WriteAddress{"1234567F"}) == "BAD_METER_ADDRESS");
}

TEST_CASE("writes go out as the standard has them") {
  const auto requests = [](auto action, const std::string& address = "p5") {
    return Requests(EncodeMbus(To(address, action), {}));
  };
  CHECK(requests(WriteAddress{"p8"}, "p254").back() ==
        "68060668"
        "73FE51017A08"
        "4516");
  CHECK(requests(WriteAddress{"11223344"}).back() ==
        "68090968"
        "7305510C7944332211"
        "F816");
  CHECK(requests(ChangeBaud{9600}).back() ==
        "68030368"
        "7305BD"
        "3516");
  CHECK(requests(SetClock{"2009-12-31T23:59:30"}).back() ==
        "68090968"
        "730551046D3B173F1C"
        "E716");
  CHECK(requests(SetClock{"2009-12-31T23:59:30", true}).back() ==
        "68090968"
        "73FF51046D3B173F1C"
        "E116");
  CHECK(requests(Reset{}) == Frames{"1040054516"});
  CHECK(requests(Reset{true, 0x10}).back() ==
        "68040468"
        "73055010"
        "D816");
  CHECK(requests(ReadAddress{}, "") == Frames{"1040FE3E16", "107BFE7916"});
  CHECK(requests(Raw{"\x01\x02"}) == Frames{"0102"});
  const auto broadcast = EncodeMbus(To("p5", SetClock{"2009-12-31T23:59:30", true}), {});
  CHECK(broadcast->exchanges[0].no_reply);
  CHECK(DecodeMbus({To("p5", SetClock{"2009-12-31T23:59:30", true}), {}}, {}).error.ok());
  CHECK(DecodeMbus({To("p5", Reset{}), {{Bytes(kAck)}}}, {}).error.ok());
  CHECK(Reason(DecodeMbus({To("p5", Reset{}), {}}, {}).error) == "FRAME_NOT_UNDERSTOOD");
  // The selection alone was acknowledged, what it was for was not.
  const Command half = To("12345678", ChangeBaud{9600});
  CHECK(Reason(DecodeMbus({half, {{Bytes(kAck)}}}, {}).error) == "FRAME_NOT_UNDERSTOOD");
  CHECK(DecodeMbus({half, {{Bytes(kAck)}, {Bytes(kAck)}}}, {}).error.ok());
}

TEST_CASE("a valve is moved by the profile's bytes and its state read back in the same group") {
  const Command close = To("p5", ControlRelay{RelayAction::kOpen});
  CHECK(Requests(EncodeMbus(close, ValveProfile())) == Frames{"1040054516",
                                                              "68070768"
                                                              "73055101FD1A00"
                                                              "E116",
                                                              "105B056016"});
  const auto state = [&](absl::string_view records) {
    return DecodeMbus({close, {{Bytes(kAck)}, {Bytes(kAck)}, {Water(records)}}}, ValveProfile()).relay_state;
  };
  CHECK(state("01 FD1A 00") == RelayState::kOpen);
  CHECK(state("01 13 05 01 FD1A 01") == RelayState::kClosed);
  CHECK(state("01 FD1A 07") == RelayState::kUnspecified);
  CHECK(state("01 13 05") == RelayState::kUnspecified);

  const Command read = To("p5", ReadRegisters{{"0-0:96.3.10"}});
  const Decoded decoded = DecodeMbus({read, {{Bytes(kAck)}, {Water("01 FD1A 01")}}}, ValveProfile());
  CHECK(decoded.values.at(0).text == "closed");
  CHECK(decoded.relay_state == RelayState::kClosed);
}

TEST_CASE("our own request that comes back, and another meter's readout, are no answer, and no state of a valve") {
  const std::string echo = mbus::BuildLong(mbus::kSndUd, 5, base::AsBytes(Bytes("51 01FD1A00")));
  const Command close = To("p5", ControlRelay{RelayAction::kOpen});
  for (const std::string& frame : {echo, Water("01 FD1A 00", 6)}) {
    const Decoded decoded = DecodeMbus({close, {{Bytes(kAck)}, {Bytes(kAck)}, {frame}}}, ValveProfile());
    CHECK(Reason(decoded.error) == "FRAME_NOT_UNDERSTOOD");
    CHECK(decoded.relay_state == RelayState::kUnspecified);
    CHECK(decoded.values.empty());
  }
  const Command read = To("p5", ReadRegisters{{"mbus:*", "0-0:96.3.10"}});
  const Decoded decoded = DecodeMbus({read, {{Bytes(kAck)}, {echo}}}, ValveProfile());
  CHECK(Reason(decoded.error) == "FRAME_NOT_UNDERSTOOD");
  CHECK(base::MetadataOf(decoded.error)["position"] == "4");
  CHECK(decoded.values.empty());
  CHECK(decoded.relay_state == RelayState::kUnspecified);
}

TEST_CASE("a profile's unit names a number without one, and stands in for the meter's only with its scale") {
  Profile profile;
  profile.registers["8-0:1.0.0"] = {.unit = "l"};
  profile.registers["mbus:0.0.0:7E"] = {.unit = "pulses"};
  const Command read = To("p5", ReadRegisters{{"8-0:1.0.0", "mbus:0.0.0:7E"}});
  const Decoded decoded = DecodeMbus({read, {{Bytes(kAck)}, {Water("04 13 2A000000 04 7E 2A000000")}}}, profile);
  REQUIRE(decoded.values.size() == 2);
  CHECK(decoded.values[0].number->ToString() == "0.042");
  CHECK(decoded.values[0].unit == "m3");
  CHECK(decoded.values[1].unit == "pulses");
}

TEST_CASE("who answers a search or an address question is told; a selection without a telegram is a collision") {
  const Command search = To("12FFFFFF", Search{});
  CHECK(Requests(EncodeMbus(search, {})).size() == 2);
  const Decoded found = DecodeMbus({search, {{Bytes(kAck)}, {Water("01 13 05", 7)}}}, {});
  CHECK(found.address == "12345678F35A0107");
  CHECK(found.values.at(0).text == "p7");
  CHECK_FALSE(found.collision);
  CHECK(DecodeMbus({search, {{Bytes(kAck)}}}, {}).collision);
  CHECK(DecodeMbus({search, {{Bytes(kAck)}, {"garbage"}}}, {}).collision);
  CHECK_FALSE(DecodeMbus({search, {}}, {}).collision);
  // Another's telegram than the mask lets through: several talked at once.
  CHECK(DecodeMbus({To("99FFFFFF", Search{}), {{Bytes(kAck)}, {Water("01 13 05", 7)}}}, {}).collision);
  const Decoded asked = DecodeMbus({To("", ReadAddress{}), {{Bytes(kAck)}, {Water("01 13 05", 7)}}}, {});
  CHECK(asked.address == "12345678F35A0107");
}

void CheckCovered(base::ByteView bytes, const ExplainedBytes& explained) {
  size_t at = 0;
  for (const Explanation& part : explained.explanations) {
    REQUIRE(part.offset == at);
    REQUIRE(part.length > 0);
    REQUIRE_FALSE(part.meaning.empty());
    at += part.length;
  }
  REQUIRE(at == bytes.size());
  REQUIRE_FALSE(explained.summary.empty());
}

TEST_CASE("every byte of every recorded frame is explained once, in both languages, cut and broken ones too") {
  for (const vectors::Vector& vector : vectors::Load("mbus.vec")) {
    const std::string bytes = vector.reply + vector.request;
    INFO(vector.id);
    const bool refused = vector.facts.front().first == "refused";
    for (const Language language : {Language::kEnglish, Language::kChinese}) {
      const ExplainedBytes explained = ExplainMbus(base::AsBytes(bytes), {.language = language});
      CheckCovered(base::AsBytes(bytes), explained);
      if (!refused) CHECK(explained.error.ok());
    }
    for (size_t size = 1; size < bytes.size(); ++size) {
      const base::ByteView cut = base::AsBytes(bytes).first(size);
      const ExplainedBytes explained = ExplainMbus(cut, {});
      CheckCovered(cut, explained);
      CHECK_FALSE(explained.error.ok());
    }
  }
}

TEST_CASE("an explanation names values, and the first wrong byte") {
  std::string frame = Water("0C 13 56341200 02 FD17 0400");
  ExplainedBytes explained = ExplainMbus(base::AsBytes(frame), {});
  const auto says = [&](absl::string_view text) {
    for (const Explanation& part : explained.explanations) {
      if (part.meaning.find(std::string(text)) != std::string::npos) return true;
    }
    return false;
  };
  CHECK(says("volume = 123.456 m3"));
  CHECK(says("identification 12345678"));
  CHECK(says("manufacturer VWS"));
  CHECK(says("error flags = 0004H"));
  explained = ExplainMbus(base::AsBytes(frame), {.language = Language::kChinese});
  CHECK(says("体积 = 123.456 m3"));
  frame[frame.size() - 2] = static_cast<char>(frame[frame.size() - 2] + 1);
  explained = ExplainMbus(base::AsBytes(frame), {});
  CHECK(says("volume = 123.456 m3"));
  CHECK(base::MetadataOf(explained.error)["position"] == std::to_string(frame.size() - 2));
}

TEST_CASE("a password in a frame is masked unless it may be shown") {
  const std::string frame = Water("02 FD16 E803");
  const auto hex = [&](bool show) {
    std::string all;
    for (const Explanation& part : ExplainMbus(base::AsBytes(frame), {.show_secrets = show}).explanations) {
      all += part.hex + part.meaning;
    }
    return all;
  };
  CHECK(hex(false).find("E803") == std::string::npos);
  CHECK(hex(false).find("1000") == std::string::npos);
  CHECK(hex(false).find("****") != std::string::npos);
  CHECK(hex(true).find("E803") != std::string::npos);
}

TEST_CASE("registers are listed and found, those of our own ids too") {
  CHECK(ListMbusRegisters().size() > 200);
  CHECK(FindMbusRegister("8-0:1.0.0*3")->name == "volume");
  CHECK(FindMbusRegister("mbus:0.0.0:FD17")->name == "error_flags");
  CHECK(FindMbusRegister("mbus:*").has_value());
  CHECK_FALSE(FindMbusRegister("1-0:99.99.99").has_value());
}

}  // namespace
}  // namespace voltwell::codec
