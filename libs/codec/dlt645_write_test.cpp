// Commands that change a DL/T 645 meter: data worked by hand from the layouts of the standard, and captured frames.
#include "libs/codec/dlt645_testing.h"

namespace voltwell::codec {
namespace {

using Frames = std::vector<std::string>;

Authority Password(const std::string& hex) { return {.password = Unhex(hex), .operator_code = Unhex("44332211")}; }

ControlRelay Relay(RelayAction action, int32_t delay = 0) {
  return {action, {.password = Unhex("02000000")}, "2099-12-31T23:59:59", delay};
}

TEST_CASE("the relay channel of the profile is N2: a captured trip") {
  CHECK(Requests(Do(Relay(RelayAction::kOpen), "dlt645_channel1", "260305510009")) ==
        Frames{Unhex("680900510503266"
                     "81C1035333333333333334D348C8C566445CC8216")});
}

TEST_CASE("N1 is the vendor's where the profile says so") {
  CHECK(Requests(Do(Relay(RelayAction::kOpen), "dlt645_water_relay")) ==
        Frames{FrameOf(0x1C, "02000000 00000000 4A00 595923311299")});
  CHECK(Requests(Do(Relay(RelayAction::kClose), "dlt645_water_relay")) ==
        Frames{FrameOf(0x1C, "02000000 00000000 4C00 595923311299")});
}

TEST_CASE("a meter that wants a hand on its button is permitted to close where others close directly") {
  CHECK(Requests(Do(Relay(RelayAction::kClose))) == Frames{FrameOf(0x1C, "02000000 00000000 1C00 595923311299")});
  CHECK(Requests(Do(Relay(RelayAction::kClose), "dlt645_button")) ==
        Frames{FrameOf(0x1C, "02000000 00000000 1B00 595923311299")});
  CHECK(Requests(Do(Relay(RelayAction::kOpen), "dlt645_button")) ==
        Frames{FrameOf(0x1C, "02000000 00000000 1A00 595923311299")});
}

TEST_CASE("a pre-trip bears its length in steps of five minutes") {
  CHECK(Requests(Do(Relay(RelayAction::kPreTrip, 15))) == Frames{FrameOf(0x1C, "02000000 00000000 1D03 595923311299")});
  CHECK(Requests(Do(Relay(RelayAction::kPreTripPermit, 1275))) ==
        Frames{FrameOf(0x1C, "02000000 00000000 1EFF 595923311299")});
  for (const int32_t minutes : {0, 4, 7, 1280, -5})
    CHECK(Reason(Do(Relay(RelayAction::kPreTrip, minutes))) == "BAD_DELAY");
}

TEST_CASE("the password's class is the profile's for the action") {
  Authority authority = Password("09112233");
  CHECK(Requests(Do(ControlRelay{RelayAction::kOpen, authority, "2026-11-22T09:30:00"}, "dlt645_classes")) ==
        Frames{FrameOf(0x1C, "02112233 44332211 1A00 003009221126")});
  CHECK(Requests(Do(Clear{ClearWhat::kDemand, "", authority}, "dlt645_classes")) ==
        Frames{FrameOf(0x19, "04112233 44332211")});
  CHECK(Requests(Do(Clear{ClearWhat::kDemand, "", authority})) == Frames{FrameOf(0x19, "09112233 44332211")});
}

TEST_CASE("a sealed meter takes ciphertext and MAC in place of the command, and a MAC behind plain parameters") {
  const Authority sealed = {.operator_code = Unhex("44332211"),
                            .cipher = Unhex("000102030405060708090A0B0C0D0E0F"),
                            .mac = Unhex("A1A2A3A4")};
  CHECK(Requests(Do(ControlRelay{RelayAction::kOpen, sealed, ""}, "dlt645_sealed")) ==
        Frames{FrameOf(0x1C, "98000000 44332211 000102030405060708090A0B0C0D0E0F A1A2A3A4")});
  const Authority maced = {.mac = Unhex("A1A2A3A4")};
  CHECK(Requests(Do(WriteRegister{"1-0:0.8.0", "15", maced}, "dlt645_sealed")) ==
        Frames{FrameOf(0x14, "03010004 99000000 00000000 15 A1A2A3A4")});
  CHECK(Reason(Do(ControlRelay{RelayAction::kOpen, {.cipher = std::string(250, 'x'), .mac = "mac4"}, ""},
                  "dlt645_sealed")) == "VALUE_TOO_LONG");
  const Authority own = {Unhex("98000000"), Unhex("44332211"), Unhex("0001020304050607"), Unhex("A1A2A3A4")};
  CHECK(Requests(Do(Clear{ClearWhat::kEvents, "", own})) ==
        Frames{FrameOf(0x1B, "98000000 44332211 0001020304050607 A1A2A3A4")});
}

TEST_CASE("a class that asks for ciphertext or a MAC never goes out without") {
  const auto reasons = [](const Authority& authority) {
    return Frames{Reason(Do(ControlRelay{RelayAction::kOpen, authority, "2099-12-31T23:59:59"})),
                  Reason(Do(WriteRegister{"1-0:0.8.0", "15", authority})),
                  Reason(Do(SetClock{"2026-11-22T09:30:15", false, authority})),
                  Reason(Do(Clear{ClearWhat::kMeter, "", authority}))};
  };
  const Frames refused(4, "BAD_MAC");
  const Frames taken(4, "");
  const std::string encrypted = Unhex("98000000");
  const std::string maced = Unhex("99000000");
  CHECK(reasons({.password = encrypted}) == refused);
  CHECK(reasons({.password = encrypted, .cipher = "cipher"}) == refused);
  CHECK(reasons({.password = encrypted, .mac = "mac4"}) == refused);
  CHECK(reasons({.password = encrypted, .cipher = "cipher", .mac = "mac"}) == refused);
  CHECK(reasons({.password = encrypted, .cipher = "cipher", .mac = "mac4"}) == taken);
  CHECK(reasons({.password = maced}) == refused);
  CHECK(reasons({.password = maced, .mac = "mac_5"}) == refused);
  CHECK(reasons({.password = maced, .mac = "mac4"}) == taken);
  // The class of the profile counts, not that of the password.
  CHECK(Reason(Do(ControlRelay{RelayAction::kOpen, Password("02000000"), "2099-12-31T23:59:59"}, "dlt645_sealed")) ==
        "BAD_MAC");
}

TEST_CASE("a relay command expires on a day that there is") {
  const auto reason = [](const char* expiry) {
    return Reason(Do(ControlRelay{RelayAction::kOpen, Password("02000000"), expiry}));
  };
  for (const char* const none : {"2026-02-31T00:00:00", "2026-02-29T00:00:00", "2026-04-31T00:00:00"}) {
    CHECK(reason(none) == "BAD_EXPIRY");
  }
  for (const char* const day : {"2028-02-29T00:00:00", "2026-12-31T23:59:59"}) CHECK(reason(day).empty());
}

TEST_CASE("registers are written with identifier, password, operator and value") {
  CHECK(Requests(Do(WriteRegister{"1-0:0.8.0", "15", Password("04000000")})) ==
        Frames{FrameOf(0x14, "03010004 04000000 44332211 15")});
  CHECK(Reason(Do(WriteRegister{"1-0:1.8.0", "1", Password("04000000")})) == "NOT_WRITABLE");
  CHECK(Reason(Do(WriteRegister{"1-0:0.8.0", "x", Password("04000000")})) == "BAD_VALUE");
  CHECK(Reason(Do(WriteRegister{"nothing", "1", Password("04000000")})) == "UNKNOWN_REGISTER");
  CHECK(Reason(Do(WriteRegister{"1-0:0.8.0", "15", {}})) == "BAD_PASSWORD_LENGTH");
  CHECK(Reason(Do(WriteRegister{"1-0:0.8.0", "15", {Unhex("02000000"), "abc"}})) == "BAD_OPERATOR_LENGTH");
}

TEST_CASE("an address is written to whoever hears it, and confirmed by the old or the new one") {
  const Command command = Do(WriteAddress{"202411110002"}, "", "AAAAAAAAAAAA");
  CHECK(Requests(command) == Frames{FrameOf(0x15, "020011112420", "AAAAAAAAAAAA")});
  CHECK(Heard(command, {{FrameOf(0x95, "", "202411110002")}}).error.ok());
  const Command named = Do(WriteAddress{"202411110002"});
  CHECK(Encode(named, {})->exchanges[0].matcher.Matches(base::AsBytes(FrameOf(0x95, "", "202411110002"))));
  CHECK(Heard(named, {{FrameOf(0x95, "", "202411110002")}}).error.ok());
  CHECK(base::ReasonOf(Heard(named, {{FrameOf(0xD5, "01")}}).error) == "METER_REFUSED");
  for (const char* const none : {"x", "AAAAAAAAAAAA", "2024111100AA", "20241111000F", "999999999999"}) {
    CHECK(Reason(Do(WriteAddress{none}, "", "AAAAAAAAAAAA")) == "BAD_METER_ADDRESS");
  }
  CHECK(Reason(Do(WriteAddress{"999999999998"})).empty());
}

TEST_CASE("the register of the address takes no name that is everyone's") {
  const auto reason = [](const char* address, Protocol protocol, const char* reg) {
    return Reason(Do(WriteRegister{reg, address, Password("04000000")}, "", kTestMeter, protocol));
  };
  CHECK(reason("202411110002", Protocol::kDlt645_2007, "0-0:96.1.0").empty());
  CHECK(reason("999999999999", Protocol::kDlt645_2007, "0-0:96.1.0") == "BAD_METER_ADDRESS");
  CHECK(reason("AAAAAAAAAAAA", Protocol::kDlt645_2007, "0-0:96.1.0") == "BAD_VALUE");
  CHECK(reason("999999999999", Protocol::kDlt645_1997, "0-0:96.1.1") == "BAD_METER_ADDRESS");
}

TEST_CASE("the clock is set by telegram without a password and by writing with one") {
  const std::string time = "2026-11-22T09:30:15";  // A Sunday.
  const auto broadcast = Encode(Do(SetClock{time, true, {}}), {});
  REQUIRE(broadcast.ok());
  CHECK(broadcast->exchanges[0].request == FrameOf(0x08, "153009221126", "999999999999"));
  CHECK(broadcast->exchanges[0].no_reply);
  CHECK(Requests(Do(SetClock{time, false, {}})) == Frames{FrameOf(0x08, "153009221126")});
  CHECK(Heard(Do(SetClock{time, false, {}}), {}).error.ok());
  const Command write = Do(SetClock{time, false, Password("04000000")});
  CHECK(Requests(write) == Frames{FrameOf(0x14, "01010004 04000000 44332211 00221126"),
                                  FrameOf(0x14, "02010004 04000000 44332211 153009")});
  CHECK(Requests(Do(SetClock{"2026-11-28T00:00:00", false, Password("04000000")}))[0] ==
        FrameOf(0x14, "01010004 04000000 44332211 06281126"));
  CHECK(Heard(write, {{FrameOf(0x94, "")}, {FrameOf(0x94, "")}}).error.ok());
  CHECK(base::ReasonOf(Heard(write, {{FrameOf(0x94, "")}, {FrameOf(0xD4, "04")}}).error) == "METER_REFUSED");
  // The date alone: half of it is not done.
  CHECK(base::ReasonOf(Heard(write, {{FrameOf(0x94, "")}}).error) == "FRAME_NOT_UNDERSTOOD");
  CHECK(base::ReasonOf(Heard(write, {}).error) == "FRAME_NOT_UNDERSTOOD");
  for (const char* const wrong :
       {"", "2026-11-22", "2026-02-30T00:00:00", "2026-11-22T24:00:00", "1999-01-01T00:00:00"}) {
    CHECK(Reason(Do(SetClock{wrong, true, {}})) == "BAD_TIME");
  }
}

TEST_CASE("a freeze leaves out what is greater") {
  CHECK(Requests(Do(Freeze{})) == Frames{FrameOf(0x16, "99999999")});
  CHECK(Requests(Do(Freeze{.minute = 30})) == Frames{FrameOf(0x16, "30999999")});
  CHECK(Requests(Do(Freeze{.hour = 0, .minute = 0})) == Frames{FrameOf(0x16, "00009999")});
  CHECK(Requests(Do(Freeze{.day = 1, .hour = 0, .minute = 0})) == Frames{FrameOf(0x16, "00000199")});
  CHECK(Requests(Do(Freeze{12, 31, 23, 59})) == Frames{FrameOf(0x16, "59233112")});
  const auto all = Encode(Do(Freeze{.broadcast = true}), {});
  REQUIRE(all.ok());
  CHECK(all->exchanges[0].no_reply);
  CHECK(all->exchanges[0].request == FrameOf(0x16, "99999999", "999999999999"));
  for (const Freeze& wrong : {Freeze{.hour = 3}, Freeze{13, 1, 0, 0}, Freeze{.minute = 60}, Freeze{1, 32, 0, 0}}) {
    CHECK(Reason(Do(Freeze{wrong})) == "BAD_FREEZE");
  }
  CHECK(Heard(Do(Freeze{}), {{FrameOf(0x96, "")}}).error.ok());
  CHECK(Heard(Do(Freeze{.broadcast = true}), {}).error.ok());
}

TEST_CASE("a speed is one bit, and must be confirmed as asked") {
  for (const auto& [baud, bit] :
       {std::pair{600, "02"}, {1200, "04"}, {2400, "08"}, {4800, "10"}, {9600, "20"}, {19200, "40"}}) {
    const Command command = Do(ChangeBaud{baud});
    CHECK(Requests(command) == Frames{FrameOf(0x17, bit)});
    CHECK(Heard(command, {{FrameOf(0x97, bit)}}).error.ok());
  }
  CHECK(base::ReasonOf(Heard(Do(ChangeBaud{9600}), {{FrameOf(0x97, "08")}}).error) == "FRAME_NOT_UNDERSTOOD");
  const absl::Status refused = Heard(Do(ChangeBaud{9600}), {{FrameOf(0xD7, "08")}}).error;
  CHECK(base::MetadataOf(refused)["bits"] == "baud_rate");
  CHECK(Reason(Do(ChangeBaud{300})) == "BAD_BAUD");
}

TEST_CASE("a password is changed by its level") {
  const ChangePassword change = {4, Unhex("04111111"), Unhex("04222222")};
  CHECK(Requests(Do(ChangePassword{change})) == Frames{FrameOf(0x18, "050C0004 04111111 04222222")});
  CHECK(Heard(Do(ChangePassword{change}), {{FrameOf(0x98, "04222222")}}).error.ok());
  CHECK(Reason(Do(ChangePassword{10, change.old_password, change.new_password})) == "BAD_PASSWORD_LEVEL");
  CHECK(Reason(Do(ChangePassword{4, "abc", change.new_password})) == "BAD_PASSWORD_LENGTH");
}

TEST_CASE("demands, the meter and events are cleared") {
  const Authority authority = Password("02000000");
  CHECK(Requests(Do(Clear{ClearWhat::kDemand, "", authority})) == Frames{FrameOf(0x19, "02000000 44332211")});
  CHECK(Requests(Do(Clear{ClearWhat::kMeter, "", authority})) == Frames{FrameOf(0x1A, "02000000 44332211")});
  CHECK(Requests(Do(Clear{ClearWhat::kEvents, "", authority})) == Frames{FrameOf(0x1B, "02000000 44332211 FFFFFFFF")});
  CHECK(Requests(Do(Clear{ClearWhat::kEvents, "0-0:96.7.0", authority})) ==
        Frames{FrameOf(0x1B, "02000000 44332211 FF001103")});
  CHECK(Heard(Do(Clear{ClearWhat::kMeter, "", {}}), {{FrameOf(0x9A, "")}}).error.ok());
  CHECK(Reason(Do(Clear{ClearWhat::kUnspecified, "", authority})) == "BAD_CLEAR");
  CHECK(Reason(Do(Clear{ClearWhat::kEvents, "nothing", authority})) == "UNKNOWN_REGISTER");
}

TEST_CASE("what goes to all meters of a line is not answered") {
  const Command command = Do(Freeze{}, "", "999999999999");
  const auto group = Encode(command, {});
  REQUIRE(group.ok());
  CHECK(group->exchanges[0].no_reply);
  CHECK(Heard(command, {}).error.ok());
}

TEST_CASE("a slow meter gets its preambles and its time") {
  const auto group = Encode(Do(ReadRegisters{{"1-0:1.8.0"}}, "dlt645_slow"), ShippedBook());
  REQUIRE(group.ok());
  CHECK(group->exchanges[0].request == Unhex("FEFEFEFE68111111111111681104333334331816"));
  CHECK(group->exchanges[0].reply_timeout == absl::Seconds(3));
}

TEST_CASE("the edition of 1997 has functions of its own, and none for the relay") {
  const auto old = [](auto action) { return Do(std::move(action), "", kTestMeter, Protocol::kDlt645_1997); };
  CHECK(Requests(old(ReadRegisters{{"1-0:1.8.0"}})) == Frames{FrameOf(0x01, "1090")});
  CHECK(Requests(old(SetClock{"2026-11-22T09:30:15", false, Password("04000000")})) ==
        Frames{FrameOf(0x04, "10C0 04000000 00221126"), FrameOf(0x04, "11C0 04000000 153009")});
  CHECK(Requests(old(WriteAddress{"202411110002"})) == Frames{FrameOf(0x0A, "020011112420")});
  CHECK(Requests(old(ChangeBaud{9600})) == Frames{FrameOf(0x0C, "20")});
  CHECK(Requests(old(ChangePassword{0, Unhex("00111111"), Unhex("00222222")})) ==
        Frames{FrameOf(0x0F, "00111111 00222222")});
  CHECK(Requests(old(Clear{ClearWhat::kDemand, "", {}})) == Frames{FrameOf(0x10, "")});
  CHECK(Requests(old(Clear{ClearWhat::kDemand, "", {Unhex("00111111")}})) == Frames{FrameOf(0x10, "00111111")});
  CHECK(Requests(old(SetClock{"2026-11-22T09:30:15", true, {}})) ==
        Frames{FrameOf(0x08, "153009221126", "999999999999")});
  CHECK(Requests(old(ReadAddress{})) == Frames{FrameOf(0x01, "32C0")});
  for (const Command& command : {old(ControlRelay{RelayAction::kOpen, Password("02000000"), "2026-11-22T09:30:15"}),
                                 old(Freeze{}), old(Clear{ClearWhat::kMeter, "", {}}), old(Secure{}),
                                 old(ReadPrepaid{}), old(ReadLoadProfile{"1-0:1.8.0"}), old(Reset{})}) {
    CHECK(Reason(command) == "ACTION_NOT_SUPPORTED");
    CHECK_FALSE(Heard(command, {}).error.ok());
  }
  const Decoded read = Heard(old(ReadRegisters{{"1-0:1.8.0"}}), {{FrameOf(0x81, "1090 56341200")}});
  REQUIRE(read.error.ok());
  CHECK(read.values[0].number->ToString() == "1234.56");
  CHECK(base::MetadataOf(Heard(old(ReadRegisters{{"1-0:1.8.0"}}), {{FrameOf(0xC1, "02")}}).error)["bits"] ==
        "no_such_data");
}

}  // namespace
}  // namespace voltwell::codec
