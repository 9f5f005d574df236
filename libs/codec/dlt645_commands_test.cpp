// From command to exchange and from answer to values, for DL/T 645: reads and relays of 2007.
#include <catch2/catch.hpp>

#include "libs/base/status.h"
#include "libs/codec/codec.h"
#include "libs/codec/dlt645/frame.h"

namespace voltwell::codec {
namespace {

const ProfileBook& Book() {
  static const auto* const book =
      new ProfileBook{{"single", *ParseProfile("name single\nprotocol DLT645_2007\nsingle_reads yes\n", "single")}};
  return *book;
}
absl::StatusOr<ExchangeGroup> Encode(const Command& command) { return Encode(command, Book()); }
Decoded Decode(const Answer& answer) { return Decode(answer, Book()); }

constexpr char kMeter[] = "111111111111";

Command Read(std::vector<std::string> registers, int32_t baud = 0) {
  return {Protocol::kDlt645_2007, kMeter, "", baud, ReadRegisters{std::move(registers)}};
}
std::string Reply(uint8_t control, const std::string& plain_hex) {
  return dlt645::BuildFrame(*dlt645::ParseAddress(kMeter), control, base::AsBytes(*base::FromHex(plain_hex)));
}
// DI low byte first, then data, as on the wire without 33H.
const char* const kVoltageBlockReply = "00FF0102 5622 FFFF 0023";

std::vector<std::string> RequestHex(const ExchangeGroup& group) {
  std::vector<std::string> hex;
  for (const Exchange& exchange : group.exchanges) hex.push_back(base::ToHex(base::AsBytes(exchange.request)));
  return hex;
}

TEST_CASE("one register is read by its own identifier, two of a block by the block") {
  CHECK(RequestHex(*Encode(Read({"1-0:1.8.0"}))) == std::vector<std::string>{"68111111111111681104333334331816"});
  const auto group = Encode(Read({"1-0:32.7.0", "1-0:14.7.0", "1-0:72.7.0"}));
  REQUIRE(group.ok());
  CHECK(RequestHex(*group) ==
        std::vector<std::string>{"68111111111111681104333234351916", "681111111111116811043533B3359B16"});
}

TEST_CASE("a register named twice is read once") {
  CHECK(Encode(Read({"1-0:1.8.0", "1-0:1.8.0"}))->exchanges.size() == 1);
}

TEST_CASE("the reply timeout is turnaround and wire time, and the turnaround alone without wire time") {
  CHECK(Encode(Read({"1-0:1.8.0"}))->exchanges[0].reply_timeout == absl::Milliseconds(500));
  // 16 bytes out, 4 + 20 back, 11 bits each at 2400 bit/s: 183 ms.
  const absl::Duration at_2400 = Encode(Read({"1-0:1.8.0"}, 2400))->exchanges[0].reply_timeout;
  CHECK(at_2400 > absl::Milliseconds(682));
  CHECK(at_2400 < absl::Milliseconds(685));
  CHECK(base::ReasonOf(Encode(Read({"1-0:1.8.0"}, 299)).status()) == "BAD_BAUD");
  CHECK(base::ReasonOf(Encode(Read({"1-0:1.8.0"}, -1)).status()) == "BAD_BAUD");
  CHECK(base::ReasonOf(Encode(Read({"1-0:1.8.0"}, 115201)).status()) == "BAD_BAUD");
}

TEST_CASE("an energy block knows how to ask for more, in sequence") {
  const auto group = Encode(Read({"1-0:1.8.0", "1-0:1.8.1"}));
  const auto& follow_up = group->exchanges[0].follow_up;
  REQUIRE(follow_up.has_value());
  CHECK(follow_up->flag_offset == 8);
  CHECK(follow_up->flag_mask == 0x20);
  CHECK(follow_up->flag_value == 0x20);
  REQUIRE(follow_up->steps.size() == kFollowUpsMax);
  CHECK(base::ToHex(base::AsBytes(follow_up->steps[0].request)) == "6811111111111168120533323433344D16");
  CHECK(follow_up->steps[0].matcher.Matches(base::AsBytes(Reply(0x92, "00FF0100 01000000 01"))));
  CHECK_FALSE(Encode(Read({"1-0:32.7.0", "1-0:52.7.0"}))->exchanges[0].follow_up.has_value());
}

TEST_CASE("values come back exact, by register, in the order of reading") {
  const Decoded decoded =
      Decode({Read({"1-0:14.7.0", "1-0:1.8.0"}), {{Reply(0x91, "02008002 0350")}, {Reply(0x91, "00000100 56341200")}}});
  REQUIRE(decoded.error.ok());
  REQUIRE(decoded.values.size() == 2);
  CHECK(decoded.values[0].reg == "1-0:14.7.0");
  CHECK(decoded.values[0].number->ToString() == "50.03");
  CHECK(decoded.values[0].unit == "Hz");
  CHECK(decoded.values[1].number->ToString() == "1234.56");
}

TEST_CASE("of a block only the registers asked for are shown, and FF is no value") {
  const Decoded decoded = Decode({Read({"1-0:32.7.0", "1-0:52.7.0"}), {{Reply(0x91, kVoltageBlockReply)}}});
  REQUIRE(decoded.error.ok());
  REQUIRE(decoded.values.size() == 2);
  CHECK(decoded.values[0].number->ToString() == "225.6");
  CHECK(decoded.values[1].quality == Quality::kNoValue);
  CHECK_FALSE(decoded.values[1].number.has_value());
}

TEST_CASE("a single-phase meter that sends phase A only has no value for the others") {
  const Decoded decoded = Decode({Read({"1-0:32.7.0", "1-0:72.7.0"}), {{Reply(0x91, "00FF0102 5622")}}});
  REQUIRE(decoded.error.ok());
  CHECK(decoded.values[0].number->ToString() == "225.6");
  CHECK(decoded.values[1].quality == Quality::kNoValue);
}

TEST_CASE("an energy block in follow-up frames is put together") {
  const Decoded decoded = Decode({Read({"1-0:1.8.0", "1-0:1.8.2"}),
                                  {{Reply(0xB1, "00FF0100 01000000 02000000"), Reply(0x92, "00FF0100 03000000 01")}}});
  REQUIRE(decoded.error.ok());
  CHECK(decoded.values[0].number->ToString() == "0.01");
  CHECK(decoded.values[1].number->ToString() == "0.03");
}

TEST_CASE("the relay's state comes from bit 4 of status word 3") {
  const auto state = [](const std::string& word) {
    return Decode({Read({"0-0:96.3.10"}), {{Reply(0x91, "03050004" + word)}}}).relay_state;
  };
  CHECK(state("5000") == RelayState::kOpen);
  CHECK(state("0000") == RelayState::kClosed);
  CHECK(state("FFFF") == RelayState::kUnspecified);
}

TEST_CASE("a refused register is an error by name, and the others still have values") {
  const Decoded decoded =
      Decode({Read({"1-0:14.7.0", "1-0:1.8.0"}), {{Reply(0xD1, "02")}, {Reply(0x91, "00000100 56341200")}}});
  CHECK(base::ReasonOf(decoded.error) == "METER_REFUSED");
  CHECK(base::MetadataOf(decoded.error)["bits"] == "no_such_data");
  REQUIRE(decoded.values.size() == 1);
  CHECK(decoded.values[0].reg == "1-0:1.8.0");
  CHECK_FALSE(decoded.continuation.has_value());
}

TEST_CASE("a meter that knows no blocks is asked register by register, once") {
  const Command command = Read({"1-0:32.7.0", "1-0:52.7.0"});
  const Decoded refused = Decode({command, {{Reply(0xD1, "02")}}});
  CHECK(refused.error.ok());
  CHECK(refused.values.empty());
  REQUIRE(refused.continuation.has_value());
  CHECK(refused.continuation->exchanges.size() == 2);

  const Decoded decoded = Decode({command, {{Reply(0x91, "00010102 5622")}, {Reply(0x91, "00020102 5722")}}});
  REQUIRE(decoded.error.ok());
  CHECK(decoded.values[0].number->ToString() == "225.6");
  CHECK(decoded.values[1].number->ToString() == "225.7");

  const Decoded all_refused = Decode({command, {{Reply(0xD1, "02")}, {Reply(0xD1, "02")}}});
  CHECK(base::ReasonOf(all_refused.error) == "METER_REFUSED");
  CHECK_FALSE(all_refused.continuation.has_value());
}

TEST_CASE("a wrong password does not lead to further reads") {
  const Decoded decoded = Decode({Read({"1-0:32.7.0", "1-0:52.7.0"}), {{Reply(0xD1, "04")}}});
  CHECK(base::ReasonOf(decoded.error) == "METER_REFUSED");
  CHECK_FALSE(decoded.continuation.has_value());
}

TEST_CASE("the profile single reads no blocks") {
  Command command = Read({"1-0:32.7.0", "1-0:52.7.0"});
  command.profile = "single";
  CHECK(Encode(command)->exchanges.size() == 2);
  command.profile = "nonsense";
  CHECK(base::ReasonOf(Encode(command).status()) == "UNKNOWN_PROFILE");
}

TEST_CASE("missing, broken and foreign replies are errors by name") {
  const Command command = Read({"1-0:1.8.0"});
  const auto reason = [&](const std::vector<ReplyFrames>& replies) {
    return base::ReasonOf(Decode({command, replies}).error);
  };
  std::string broken = Reply(0x91, "00000100 56341200");
  broken[12] = 'x';
  CHECK(reason({}) == "FRAME_NOT_UNDERSTOOD");
  CHECK(reason({{}}) == "FRAME_NOT_UNDERSTOOD");
  CHECK(reason({{broken}}) == "FRAME_NOT_UNDERSTOOD");
  CHECK(reason({{Reply(0x91, "00000200 56341200")}}) == "FRAME_NOT_UNDERSTOOD");
  CHECK(reason({{Reply(0x91, "00000100 563412")}}) == "FRAME_NOT_UNDERSTOOD");
  CHECK(reason({{Reply(0x91, "00000100 5634A200")}}) == "VALUE_NOT_VALID");
}

Command Relay(RelayAction action) {
  return {Protocol::kDlt645_2007, kMeter, "", 2400,
          ControlRelay{action, {std::string(4, '\0'), std::string(4, '\0')}, "2018-05-12T15:41:24"}};
}

TEST_CASE("each relay action has its N1") {
  const std::pair<RelayAction, uint8_t> actions[] = {
      {RelayAction::kOpen, 0x1A},        {RelayAction::kPermitClose, 0x1B}, {RelayAction::kClose, 0x1C},
      {RelayAction::kAlarmOn, 0x2A},     {RelayAction::kAlarmOff, 0x2B},    {RelayAction::kKeepPowerOn, 0x3A},
      {RelayAction::kKeepPowerOff, 0x3B}};
  for (const auto& [action, n1] : actions) {
    const auto group = Encode(Relay(action));
    REQUIRE(group.ok());
    CHECK(static_cast<uint8_t>(group->exchanges[0].request[18]) == static_cast<uint8_t>(n1 + 0x33));
    CHECK_FALSE(group->exchanges[0].follow_up.has_value());
  }
  CHECK(base::ReasonOf(Encode(Relay(RelayAction::kUnspecified)).status()) == "BAD_RELAY_ACTION");
  // The recorded trip of a Java packer (vector relay-trip-2018).
  CHECK(RequestHex(*Encode(Relay(RelayAction::kOpen)))[0] ==
        "68111111111111681C1033333333333333334D3357744845384B5516");
}

TEST_CASE("a relay command's answer needs no secrets to be decoded, and says whether the meter took it") {
  Command command = Relay(RelayAction::kOpen);
  std::get<ControlRelay>(command.action).authority = {};
  const Decoded taken = Decode({command, {{Reply(0x9C, "")}}});
  CHECK(taken.error.ok());
  CHECK(taken.relay_state == RelayState::kUnspecified);
  const Decoded refused = Decode({command, {{Reply(0xDC, "04")}}});
  CHECK(base::MetadataOf(refused.error)["bits"] == "password_or_authority");
  CHECK(base::ReasonOf(Decode({command, {}}).error) == "FRAME_NOT_UNDERSTOOD");
}

TEST_CASE("the one meter of a line tells its address") {
  const Command command = {Protocol::kDlt645_2007, "AAAAAAAAAAAA", "", 0, ReadAddress{}};
  CHECK(RequestHex(*Encode(command))[0] == "68AAAAAAAAAAAA681300DF16");
  const Decoded decoded = Decode({command, {{*base::FromHex("681200000010206893064533333343531F16")}}});
  REQUIRE(decoded.error.ok());
  CHECK(decoded.values[0].reg == "0-0:96.1.0");
  CHECK(decoded.values[0].text == "201000000012");
}

TEST_CASE("a load profile is asked for by identifier, by number, or by number and time") {
  const auto request = [](int32_t records, const std::string& from) {
    return RequestHex(
        *Encode({Protocol::kDlt645_2007, kMeter, "", 0, ReadLoadProfile{"0-6:199.1.0*1", records, from}}))[0];
  };
  const auto frame = [](const std::string& plain) { return base::ToHex(base::AsBytes(Reply(0x11, plain))); };
  CHECK(request(0, "") == frame("01000106"));
  CHECK(request(3, "") == frame("01000106 03"));
  CHECK(request(3, "2026-11-22T09:30") == frame("01000106 03 3009221126"));
  CHECK(request(0, "2026-11-22T09:30") == frame("01000106 01 3009221126"));
  const auto reason = [](ReadLoadProfile read) {
    return base::ReasonOf(Encode({Protocol::kDlt645_2007, kMeter, "", 0, std::move(read)}).status());
  };
  CHECK(reason({"0-6:199.1.0*1", 256, ""}) == "BAD_RECORD_COUNT");
  CHECK(reason({"0-6:199.1.0*1", -1, ""}) == "BAD_RECORD_COUNT");
  CHECK(reason({"0-6:199.1.0*1", 1, "2026-11-22"}) == "BAD_TIME");
  CHECK(reason({"1-0:1.8.0", 1, ""}) == "UNKNOWN_REGISTER");
  CHECK(reason({"nothing", 1, ""}) == "UNKNOWN_REGISTER");
}

TEST_CASE("records of a load profile come in several frames, each with its time") {
  const Command command = {Protocol::kDlt645_2007, kMeter, "", 0, ReadLoadProfile{"0-6:199.1.0*1", 2, ""}};
  CHECK(Encode(command)->exchanges[0].follow_up->steps.size() == 31);
  // Voltages, currents, frequency of class 1; the other classes are not selected.
  const std::string first = "A0A01C 3009221126 0022 0122 0222 001000 002000 003000 0050 AAAAAAAAAAAA 00 E5";
  const std::string second = "A0A01C 4509221126 0122 0122 0222 001000 002000 003000 0050 AAAAAAAAAAAA 00 E5";
  const Decoded decoded =
      Decode({command, {{Reply(0xB1, "01000106" + first), Reply(0x92, "01000106" + second + "01")}}});
  REQUIRE(decoded.error.ok());
  REQUIRE(decoded.values.size() == 14);
  CHECK(decoded.values[0].number->ToString() == "220.0");
  CHECK(decoded.values[0].meter_time == "2026-11-22T09:30");
  CHECK(decoded.values[7].number->ToString() == "220.1");
  CHECK(decoded.values[7].meter_time == "2026-11-22T09:45");
  CHECK(base::ReasonOf(Decode({command, {}}).error) == "FRAME_NOT_UNDERSTOOD");
}

TEST_CASE("a search finds one meter, several, or none") {
  const Command command = {Protocol::kDlt645_2007, "AAAAAAAAAA12", "", 0, Search{}};
  CHECK(RequestHex(*Encode(command))[0] == "6812AAAAAAAAAA681104343733371E16");
  const auto frame = [](const std::string& address, uint8_t control, const std::string& plain) {
    return dlt645::BuildFrame(*dlt645::ParseAddress(address), control, base::AsBytes(*base::FromHex(plain)));
  };
  const Decoded one = Decode({command, {{frame("201000000012", 0x91, "01040004 120000001020")}}});
  CHECK(one.address == "201000000012");
  CHECK_FALSE(one.collision);
  // A refusal tells the address as well.
  CHECK(Decode({command, {{frame("201000000012", 0xD1, "02")}}}).address == "201000000012");
  const Decoded two =
      Decode({command, {{frame("201000000012", 0x91, "01040004"), frame("201000000112", 0x91, "01040004")}}});
  CHECK(two.collision);
  std::string broken = frame("201000000012", 0x91, "01040004 120000001020");
  broken[3] = '\x55';
  CHECK(Decode({command, {{broken}}}).collision);
  const Decoded none = Decode({command, {}});
  CHECK(none.error.ok());
  CHECK(none.address.empty());
  CHECK_FALSE(none.collision);
}

TEST_CASE("raw bytes go out as they are, and any frame of a meter is the answer") {
  const Command command = {Protocol::kDlt645_2007, kMeter, "", 0, Raw{"abc"}};
  const auto group = Encode(command);
  REQUIRE(group.ok());
  CHECK(group->exchanges[0].request == "abc");
  CHECK(group->exchanges[0].matcher.Matches(base::AsBytes(Reply(0x91, ""))));
  CHECK_FALSE(group->exchanges[0].matcher.Matches(base::AsBytes(Reply(0x11, ""))));
  CHECK(Decode({command, {{Reply(0x91, "")}}}).body == Reply(0x91, ""));
  const auto reason = [](size_t size) {
    return base::ReasonOf(Encode({Protocol::kDlt645_2007, kMeter, "", 0, Raw{std::string(size, 'x')}}).status());
  };
  CHECK(reason(0) == "BAD_RAW");
  CHECK(reason(300).empty());
  CHECK(reason(301) == "BAD_RAW");
}

TEST_CASE("a profile changes length, scale, sign, unit, identifier and sentinels of registers") {
  const ProfileBook book = {{"own", *ParseProfile("name own\nprotocol DLT645_2007\nsentinel 99999999\n"
                                                  "register 1-0:1.8.0 length 5 scale 3 signed yes unit Wh\n"
                                                  "register 1-0:2.8.0 identifier 00E10000\n",
                                                  "own")}};
  Command command = Read({"1-0:1.8.0", "1-0:1.8.1", "1-0:2.8.0"});
  command.profile = "own";
  const auto group = Encode(command, book);
  REQUIRE(group.ok());
  // A register of its own way is never read in a block.
  CHECK(group->exchanges.size() == 3);
  CHECK(group->exchanges[2].request == Reply(0x11, "0000E100"));
  const Decoded decoded = Decode(
      {command,
       {{Reply(0x91, "00000100 5634120080")}, {Reply(0x91, "00010100 99999999")}, {Reply(0x91, "0000E100 01000000")}}},
      book);
  REQUIRE(decoded.error.ok());
  CHECK(decoded.values[0].number->ToString() == "-123.456");
  CHECK(decoded.values[0].unit == "Wh");
  CHECK(decoded.values[1].quality == Quality::kNoValue);
  CHECK(decoded.values[2].number->ToString() == "0.01");
}

TEST_CASE("digits that are none are told with their quality and the bytes that came") {
  const Decoded decoded = Decode({Read({"1-0:1.8.0"}), {{Reply(0x91, "00000100 5634A200")}}});
  CHECK(base::ReasonOf(decoded.error) == "VALUE_NOT_VALID");
  REQUIRE(decoded.values.size() == 1);
  CHECK(decoded.values[0].quality == Quality::kOutOfRange);
  CHECK(decoded.values[0].text == "5634A200");
  CHECK_FALSE(decoded.values[0].number.has_value());
}

TEST_CASE("a demand comes with the time it was reached") {
  const Decoded decoded = Decode({Read({"1-0:1.6.0"}), {{Reply(0x91, "00000101 563412 3009221126")}}});
  REQUIRE(decoded.error.ok());
  REQUIRE(decoded.values.size() == 1);
  CHECK(decoded.values[0].number->ToString() == "12.3456");
  CHECK(decoded.values[0].meter_time == "2026-11-22T09:30");
}

TEST_CASE("a command without action or with a wrong address is refused") {
  CHECK(base::ReasonOf(Encode({Protocol::kDlt645_2007, kMeter}).status()) == "ACTION_MISSING");
  CHECK(base::ReasonOf(Decode({{Protocol::kDlt645_2007, kMeter}, {}}).error) == "ACTION_MISSING");
  CHECK(base::ReasonOf(Encode({Protocol::kDlt645_2007, "12x", "", 0, ReadAddress{}}).status()) == "BAD_METER_ADDRESS");
}

}  // namespace
}  // namespace voltwell::codec
