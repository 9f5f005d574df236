// What changes something in a CJ/T 188 meter: purchases, the valve, registers, keys; what is taken for their answer.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "libs/codec/cjt188_commands.h"
#include "libs/codec/cjt188_testing.h"
#include "libs/codec/prepaid_settlement.h"

namespace voltwell::codec {
namespace {

using namespace cjt188_testing;

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

TEST_CASE("a refusal of a purchase never says why: battery and valve in its status are no reasons") {
  Command command = To(kMeter);
  command.action = Prepay{PrepayKind::kTopUp, 10000, 5};
  const cjt188::Address meter = *cjt188::ParseAddress(kMeter, 0x10);
  // SER and ST in each state; identifier and SER; the same and an error byte; nothing.
  for (const char* const data : {"050000", "050400", "050300", "A01305", "A0130501", "05", ""}) {
    CAPTURE(data);
    const std::string refused = cjt188::BuildFrame(meter, 0xC4, base::AsBytes(Bytes(data)));
    const Decoded decoded = DecodeCjt188({command, {{refused}}}, {});
    CHECK(Reason(decoded.error) == "METER_REFUSED");
    CHECK(base::MetadataOf(decoded.error)["bits"] == "unspecified");
    CHECK(EndOf(decoded.error) == AttemptEnd::kSilent);
  }
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

TEST_CASE("a valve that wants a hand is released where it was to be opened") {
  const auto sent = [](const char* keys, RelayAction action) {
    const auto profile = ParseProfile(std::string("name v\nprotocol CJT188\n") + keys, "v");
    REQUIRE(profile.ok());
    Command command = To(kMeter);
    command.action = ControlRelay{.action = action};
    const auto group = EncodeCjt188(command, *profile);
    REQUIRE(group.ok());
    return Hex(base::ToString(FrameOf(group->exchanges[0].request).data)).substr(6);
  };
  CHECK(sent("hand_on_button yes\nrelay_code.permit_close 66\n", RelayAction::kClose) == "66");
  CHECK(sent("relay_code.permit_close 66\n", RelayAction::kClose) == "55");
  CHECK(sent("hand_on_button yes\nrelay_code.permit_close 66\n", RelayAction::kOpen) == "99");
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

}  // namespace
}  // namespace voltwell::codec
