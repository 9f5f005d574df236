// The wallet in a meter: bodies worked by hand from their layouts, and captured frames.
#include "libs/codec/dlt645_testing.h"
#include "libs/codec/prepaid_settlement.h"

namespace voltwell::codec {
namespace {

using Frames = std::vector<std::string>;

// 50.00 yuan as purchase 7 of customer 000000000042.
Prepay TopUp() {
  Prepay prepay;
  prepay.kind = PrepayKind::kTopUp;
  prepay.amount_fen = 5000;
  prepay.purchase_number = 7;
  prepay.customer_number = "000000000042";
  prepay.mac1 = Unhex("A1A2A3A4");
  prepay.mac2 = Unhex("B1B2B3B4");
  prepay.operator_code = Unhex("11223344");
  return prepay;
}
const char* const kTopUpData = "FF020107 11223344 88130000 07000000 A1A2A3A4 420000000000 B1B2B3B4";

TEST_CASE("a security step goes out as the module made it, and its answer comes back as body") {
  // A captured status query.
  const Command query = Do(Secure{0x078102FF, "", Unhex("11223344")}, "", "260305510012");
  CHECK(Requests(query) == Frames{Unhex("681200510503266803083235B43A445566773716")});
  const Decoded answered = Heard(query, {{FrameOf(0x83, "FF028107 0102", "260305510012")}});
  CHECK(answered.error.ok());
  CHECK(answered.body == Unhex("0102"));
  CHECK(base::ReasonOf(Heard(query, {{FrameOf(0x83, "FF000007 0102", "260305510012")}}).error) ==
        "FRAME_NOT_UNDERSTOOD");
  CHECK(Requests(Do(Secure{0x070001FF, Unhex("3000A1A2A3A4"), ""})) ==
        Frames{FrameOf(0x03, "FF010007 00000000 3000A1A2A3A4")});
  CHECK(Reason(Do(Secure{0x070001FF, std::string(248, 'x'), ""})) == "VALUE_TOO_LONG");
  CHECK(Reason(Do(Secure{0x070001FF, std::string(247, 'x'), ""})).empty());
}

TEST_CASE("money does not go out as a security step") {
  // The old forms and what no list has, too: a vendor may book money under any of them.
  for (const uint32_t di :
       {0x070101FFU, 0x070102FFU, 0x070103FFU, 0x070108FFU, 0x07010201U, 0x070104FFU, 0x07010000U}) {
    CAPTURE(di);
    CHECK(Reason(Do(Secure{di, std::string(22, 'x'), ""})) == "ACTION_NOT_SUPPORTED");
  }
}

TEST_CASE("a vendor's security identifier goes out only where the profile lists it") {
  const ProfileBook book = {
      {"own", *ParseProfile("name own\nprotocol DLT645_2007\nsecure_identifiers ABABABAA 04001001\n", "own")}};
  const auto reason = [&](uint32_t di, const std::string& profile) {
    return base::ReasonOf(Encode(Do(Secure{di, "", ""}, profile), book).status());
  };
  for (const uint32_t di : {0xABABABAAU, 0x04001001U}) {
    CAPTURE(di);
    CHECK(reason(di, "") == "ACTION_NOT_SUPPORTED");
    CHECK(reason(di, "own").empty());
  }
  CHECK(reason(0xABABABDDU, "own") == "ACTION_NOT_SUPPORTED");
  for (const uint32_t di :
       {0x070000FFU, 0x070002FFU, 0x07000201U, 0x070201FFU, 0x070301FFU, 0x078001FFU, 0x07810201U}) {
    CAPTURE(di);
    CHECK(reason(di, "").empty());
  }
}

TEST_CASE("error words of the security function are told bit by bit, one byte or two") {
  const auto refused = [](const std::string& word) {
    return base::MetadataOf(Heard(Do(TopUp()), {{FrameOf(0xC3, word)}}).error);
  };
  CHECK(refused("0200")["bits"] == "duplicate_recharge");
  CHECK(refused("0C00")["bits"] == "esam_verification,authentication");
  CHECK(refused("7000")["bits"] == "customer_number,purchase_count,hoarding_limit");
  CHECK(refused("8103")["bits"] == "other,address,suspended,close_failed");
  CHECK(refused("02")["bits"] == "no_such_data");
  CHECK(refused("02")["word"] == "02");
  CHECK(refused("0000")["bits"] == "unspecified");
  // A word of another length is no known one: a third byte, or the identifier before the word.
  for (const char* const word : {"", "020000", "FF0201070200", "FF02010702"}) {
    CAPTURE(word);
    CHECK(refused(word)["bits"] == "unspecified");
    CHECK(refused(word)["word"] == std::string(word).substr(0, 16));
    CHECK(EndOf(Heard(Do(TopUp()), {{FrameOf(0xC3, word)}}).error) == AttemptEnd::kSilent);
  }
  CHECK(EndOf(Heard(Do(TopUp()), {{FrameOf(0xC3, "0200")}}).error) == AttemptEnd::kRefusedAsDouble);
  CHECK(EndOf(Heard(Do(TopUp()), {{FrameOf(0xC3, "2000")}}).error) == AttemptEnd::kRefused);
}

TEST_CASE("a purchase bears amount, number, customer and MACs, binary and low byte first") {
  CHECK(Requests(Do(TopUp())) == Frames{FrameOf(0x03, kTopUpData)});
  CHECK(Requests(Do(TopUp()))[0][9] == 0x1E);
  Prepay open = TopUp();
  open.kind = PrepayKind::kOpenAccount;
  CHECK(Requests(Do(Prepay{open}))[0] ==
        FrameOf(0x03, "FF010107 11223344 88130000 07000000 A1A2A3A4 420000000000 B1B2B3B4"));
  CHECK(Heard(Do(TopUp()), {{FrameOf(0x83, "FF020107")}}).error.ok());
  CHECK(base::ReasonOf(Heard(Do(TopUp()), {{FrameOf(0x83, "FF010107")}}).error) == "FRAME_NOT_UNDERSTOOD");
  CHECK(base::ReasonOf(Heard(Do(TopUp()), {}).error) == "FRAME_NOT_UNDERSTOOD");
}

TEST_CASE("an authentication goes first, and the purchase follows its answer") {
  Prepay prepay = TopUp();
  prepay.authentication = std::string(24, '\x11');
  const Command command = Do(Prepay{prepay});
  const std::string body = "111111111111111111111111111111111111111111111111";
  CHECK(Requests(command) == Frames{FrameOf(0x03, "FF000007 11223344" + body)});
  const Decoded authenticated = Heard(command, {{FrameOf(0x83, "FF000007 01020304 0102030405060708")}});
  REQUIRE(authenticated.error.ok());
  CHECK(authenticated.body == Unhex("010203040102030405060708"));
  REQUIRE(authenticated.continuation.has_value());
  CHECK(authenticated.continuation->exchanges[0].request == FrameOf(0x03, kTopUpData));
  const Decoded taken = Heard(command, {{FrameOf(0x83, "FF020107")}});
  CHECK(taken.error.ok());
  CHECK_FALSE(taken.continuation.has_value());
  CHECK(base::MetadataOf(Heard(command, {{FrameOf(0xC3, "0800")}}).error)["bits"] == "authentication");
  prepay.authentication.pop_back();
  CHECK(Reason(Do(Prepay{prepay})) == "BAD_AUTHENTICATION");
}

TEST_CASE("what cannot be bought is refused before the meter hears of it") {
  const auto reason = [](auto change, const std::string& profile = "") {
    Prepay prepay = TopUp();
    prepay.authentication = std::string(24, '\x11');
    change(prepay);
    return Reason(Do(Prepay{prepay}, profile));
  };
  CHECK(reason([](Prepay& p) { p.kind = PrepayKind::kUnspecified; }) == "BAD_PREPAY_KIND");
  CHECK(reason([](Prepay& p) { p.amount_fen = 0; }) == "BAD_AMOUNT");
  CHECK(reason([](Prepay& p) { p.amount_fen = -1; }) == "BAD_AMOUNT");
  CHECK(reason([](Prepay& p) { p.amount_fen = 0x100000000; }) == "BAD_AMOUNT");
  CHECK(reason([](Prepay& p) { p.amount_fen = 0xFFFFFFFF; }).empty());
  CHECK(reason([](Prepay& p) { p.purchase_number = 0; }) == "BAD_PURCHASE_NUMBER");
  for (const uint32_t number : {0U, 1U}) {
    CHECK(reason([number](Prepay& p) {
            p.kind = PrepayKind::kOpenAccount;
            p.purchase_number = number;
          }).empty());
  }
  CHECK(reason([](Prepay& p) { p.customer_number = "42"; }) == "BAD_CUSTOMER_NUMBER");
  CHECK(reason([](Prepay& p) { p.customer_number = "00000000004x"; }) == "BAD_CUSTOMER_NUMBER");
  CHECK(reason([](Prepay& p) { p.mac1.clear(); }) == "BAD_MAC");
  CHECK(reason([](Prepay& p) { p.mac2 = "abc"; }) == "BAD_MAC");
  CHECK(reason([](Prepay& p) { p.kind = PrepayKind::kRefund; }) == "ACTION_NOT_SUPPORTED");
  CHECK(reason([](Prepay& p) { p.order_number = "1"; }, "dlt645_order_wallet") == "BAD_ORDER_NUMBER");
  CHECK(reason([](Prepay& p) { p.operator_code = "x"; }) == "BAD_OPERATOR_LENGTH");
}

TEST_CASE("a wallet with order numbers: captured layout of 34 bytes, MACs of zeros, the address as customer") {
  Prepay prepay;
  prepay.kind = PrepayKind::kTopUp;
  prepay.amount_fen = 5000;
  prepay.order_number = "2026112200000001";
  CHECK(Requests(Do(Prepay{prepay}, "dlt645_order_wallet", "260305510012")) ==
        Frames{FrameOf(0x03, "FF020107 44332211 88130000 0100000022112620 00000000 120051050326 00000000",
                       "260305510012")});
  CHECK(Requests(Do(Prepay{prepay}, "dlt645_order_wallet"))[0][9] == 0x22);
  prepay.kind = PrepayKind::kRefund;
  CHECK(Requests(Do(Prepay{prepay}, "dlt645_order_wallet", "260305510012"))[0] ==
        FrameOf(0x03, "FF080107 44332211 88130000 0100000022112620 00000000 120051050326 00000000", "260305510012"));
}

TEST_CASE("a card meter without ESAM gets MACs of zeros and no status query") {
  Prepay prepay = TopUp();
  prepay.mac1.clear();
  prepay.mac2.clear();
  CHECK(Requests(Do(Prepay{prepay}, "dlt645_card")) ==
        Frames{FrameOf(0x03, "FF020107 11223344 88130000 07000000 00000000 420000000000 00000000")});
  CHECK(Requests(Do(ReadPrepaid{}, "dlt645_card")).size() == 4);
  CHECK(base::MetadataOf(Heard(Do(Prepay{prepay}, "dlt645_card"), {{FrameOf(0xC3, "84")}}).error)["word"] == "84");
}

TEST_CASE("a doubtful purchase is settled by status query and records") {
  const Command command = Do(ReadPrepaid{"", Unhex("11223344")});
  CHECK(Requests(command) == Frames{FrameOf(0x03, "FF028107 11223344"), FrameOf(0x11, "01023303"),
                                    FrameOf(0x11, "01033303"), FrameOf(0x11, "01063303"), FrameOf(0x11, "00029000")});
  const ReplyFrames no_such_data = {FrameOf(0xD1, "02")};
  const Decoded all =
      Heard(command, {{FrameOf(0x83, "FF028107 C8140000 00000000 07000000 00000000 420000000000 00000000")},
                      {FrameOf(0x91, "01023303 0700")},
                      {FrameOf(0x91, "01033303 00500000")},
                      {FrameOf(0x91, "01063303 00001000")},
                      {FrameOf(0x91, "00029000 20530000")}});
  REQUIRE(all.error.ok());
  REQUIRE(all.prepaid.has_value());
  CHECK(all.prepaid->purchase_number == 7U);
  CHECK(all.prepaid->remaining->ToString() == "53.20");
  CHECK(all.prepaid->last_amount->ToString() == "50.00");
  CHECK(all.prepaid->accumulated->ToString() == "1000.00");
  CHECK(all.prepaid->customer_number == "000000000042");

  const Decoded records = Heard(command, {{FrameOf(0xC3, "0800")},
                                          {FrameOf(0x91, "01023303 0700")},
                                          no_such_data,
                                          no_such_data,
                                          {FrameOf(0x91, "00029000 20530080")}});
  REQUIRE(records.error.ok());
  CHECK(records.prepaid->purchase_number == 7U);
  CHECK(records.prepaid->remaining->ToString() == "-53.20");
  CHECK_FALSE(records.prepaid->last_amount.has_value());

  const Decoded nothing =
      Heard(command, {{FrameOf(0xC3, "0800")}, no_such_data, no_such_data, no_such_data, no_such_data});
  CHECK(base::MetadataOf(nothing.error)["bits"] == "authentication");
  CHECK_FALSE(nothing.prepaid.has_value());
  const Decoded cut = Heard(command, {{FrameOf(0xC3, "0800")}, {FrameOf(0x91, "01023303 0700")}});
  CHECK(cut.prepaid->purchase_number == 7U);
  CHECK(base::ReasonOf(Heard(command, {}).error) == "FRAME_NOT_UNDERSTOOD");
}

TEST_CASE("digits that are none settle nothing") {
  const Decoded decoded = Heard(Do(ReadPrepaid{}, "dlt645_card"), {{FrameOf(0x91, "01023303 FFFF")},
                                                                   {FrameOf(0x91, "01033303 0A000000")},
                                                                   {FrameOf(0x91, "01063303 FFFFFFFF")},
                                                                   {FrameOf(0x91, "00029000 FFFFFFFF")}});
  REQUIRE(decoded.prepaid.has_value());
  CHECK_FALSE(decoded.prepaid->purchase_number.has_value());
  CHECK_FALSE(decoded.prepaid->last_amount.has_value());
  CHECK_FALSE(decoded.prepaid->accumulated.has_value());
  CHECK_FALSE(decoded.prepaid->remaining.has_value());
}

TEST_CASE("a status of FF settles nothing, and neither does what the profile names") {
  const ReplyFrames no_such_data = {FrameOf(0xD1, "02")};
  const Decoded blank =
      Heard(Do(ReadPrepaid{}), {{FrameOf(0x83, "FF028107 FFFFFFFF 00000000 FFFFFFFF 00000000 FFFFFFFFFFFF 00000000")},
                                no_such_data,
                                no_such_data,
                                no_such_data,
                                no_such_data});
  REQUIRE(blank.prepaid.has_value());
  CHECK_FALSE(blank.prepaid->remaining.has_value());
  CHECK_FALSE(blank.prepaid->purchase_number.has_value());
  CHECK(blank.prepaid->customer_number.empty());
  // 99999999 with its highest bit as a sign would be -19999999.99 yuan.
  const ProfileBook book = {
      {"own", *ParseProfile("name own\nprotocol DLT645_2007\nsentinel 99999999\nsentinel EEEE\n", "own")}};
  const Decoded named = Decode({Do(ReadPrepaid{}, "own"),
                                {{FrameOf(0x83, "FF028107 99999999 00000000 07000000 00000000 420000000000 00000000")},
                                 no_such_data,
                                 {FrameOf(0x91, "01033303 99999999")},
                                 no_such_data,
                                 {FrameOf(0x91, "00029000 99999999")}}},
                               book);
  REQUIRE(named.prepaid.has_value());
  CHECK_FALSE(named.prepaid->remaining.has_value());
  CHECK_FALSE(named.prepaid->last_amount.has_value());
  CHECK(named.prepaid->purchase_number == 7U);
}

TEST_CASE("a purchase record of another length is never cut to fit; a separator behind it may stand") {
  const auto count = [](const std::string& record) {
    const ReplyFrames none = {FrameOf(0xD1, "02")};
    return Heard(Do(ReadPrepaid{}, "dlt645_card"), {{FrameOf(0x91, "01023303" + record)}, none, none, none});
  };
  CHECK(count("0700").prepaid->purchase_number == 7U);
  CHECK(count("0700AA").prepaid->purchase_number == 7U);
  CHECK(count("0700AA").error.ok());
  for (const char* const record : {"07", "070001", "07000100", "0700AAAA"}) {
    CAPTURE(record);
    CHECK(base::ReasonOf(count(record).error) == "FRAME_NOT_UNDERSTOOD");
    CHECK(base::MetadataOf(count(record).error)["why"] == "a purchase record of another length");
    CHECK_FALSE(count(record).prepaid.has_value());
  }
}

TEST_CASE("a refusal is no error while something is told, but a garbled or missing count is, wherever it stands") {
  const Command command = Do(ReadPrepaid{});
  const ReplyFrames refused = {FrameOf(0xC3, "0800")};
  const ReplyFrames none = {FrameOf(0xD1, "02")};
  const ReplyFrames garbled = {FrameOf(0x91, "0102")};
  const ReplyFrames remaining = {FrameOf(0x91, "00029000 20530000")};
  const Decoded behind = Heard(command, {refused, garbled, none, none, remaining});
  CHECK(base::ReasonOf(behind.error) == "FRAME_NOT_UNDERSTOOD");
  REQUIRE(behind.prepaid.has_value());
  CHECK(behind.prepaid->remaining->ToString() == "53.20");
  CHECK(base::ReasonOf(Heard(command, {refused, {}, none, none, remaining}).error) == "FRAME_NOT_UNDERSTOOD");
  CHECK(base::ReasonOf(Heard(command, {refused, none, none, none, garbled}).error) == "FRAME_NOT_UNDERSTOOD");
  CHECK(Heard(command, {refused, none, none, none, remaining}).error.ok());
  // The answer to something else tells nothing.
  const Decoded other = Heard(command, {{FrameOf(0x83, "FF000007 01020304")}, none, none, none, none});
  CHECK(base::ReasonOf(other.error) == "FRAME_NOT_UNDERSTOOD");
  CHECK_FALSE(other.prepaid.has_value());
}

TEST_CASE("KeDe's status query: sign, remaining, accumulated, count, with its own operator") {
  const Command command = Do(ReadPrepaid{}, "dlt645_kede");
  CHECK(Requests(command)[0] == FrameOf(0x03, "FF028107 01000000"));
  const ReplyFrames no_such_data = {FrameOf(0xD1, "02")};
  const Decoded owing = Heard(
      command,
      {{FrameOf(0x83, "FF028107 01 20030000 00001000 0700")}, no_such_data, no_such_data, no_such_data, no_such_data});
  REQUIRE(owing.prepaid.has_value());
  CHECK(owing.prepaid->remaining->ToString() == "-3.20");
  CHECK(owing.prepaid->accumulated->ToString() == "1000.00");
  CHECK(owing.prepaid->purchase_number == 7U);
  const Decoded cut =
      Heard(command, {{FrameOf(0x83, "FF028107 00 2003")}, no_such_data, no_such_data, no_such_data, no_such_data});
  CHECK(base::ReasonOf(cut.error) == "FRAME_NOT_UNDERSTOOD");
  CHECK_FALSE(cut.prepaid.has_value());
  const auto with_sign = [&](const std::string& sign) {
    return Heard(command, {{FrameOf(0x83, "FF028107" + sign + "20030000 00001000 0700")},
                           no_such_data,
                           no_such_data,
                           no_such_data,
                           no_such_data});
  };
  CHECK(with_sign("00").prepaid->remaining->ToString() == "3.20");
  // A sign that nobody knows makes what follows unknown, and only that.
  for (const char* const sign : {"FF", "02", "80"}) {
    CAPTURE(sign);
    CHECK_FALSE(with_sign(sign).prepaid->remaining.has_value());
    CHECK(with_sign(sign).prepaid->accumulated->ToString() == "1000.00");
  }
}

TEST_CASE("a status of another length than the layout is no money: the records tell, or nothing does") {
  const ReplyFrames none = {FrameOf(0xD1, "02")};
  // KeDe's 11 bytes and the standard's 26 (count 5, 100.00), each read by the other's layout.
  const std::string kede = "FF028107 01 00010000 00000000 0500";
  const std::string standard = "FF028107 10270000 00000000 05000000 00000000 129078563412 00000000";
  for (const auto& [profile, body] : {std::pair{"", kede}, {"dlt645_kede", standard}}) {
    CAPTURE(profile);
    const Decoded beside = Heard(Do(ReadPrepaid{}, profile),
                                 {{FrameOf(0x83, body)}, none, none, none, {FrameOf(0x91, "00029000 00010080")}});
    CHECK(base::ReasonOf(beside.error) == "FRAME_NOT_UNDERSTOOD");
    CHECK(base::MetadataOf(beside.error)["why"] == "a status of another length than the profile's layout");
    REQUIRE(beside.prepaid.has_value());
    CHECK(beside.prepaid->remaining->ToString() == "-1.00");
    CHECK_FALSE(beside.prepaid->purchase_number.has_value());
    CHECK_FALSE(beside.prepaid->accumulated.has_value());
    CHECK(beside.prepaid->customer_number.empty());
    const Decoded alone = Heard(Do(ReadPrepaid{}, profile), {{FrameOf(0x83, body)}, none, none, none, none});
    CHECK(base::ReasonOf(alone.error) == "FRAME_NOT_UNDERSTOOD");
    CHECK_FALSE(alone.prepaid.has_value());
  }
  // One byte more than the layout is another layout, too.
  const Decoded longer = Heard(Do(ReadPrepaid{}), {{FrameOf(0x83, standard + "00")}, none, none, none, none});
  CHECK_FALSE(longer.prepaid.has_value());
}

TEST_CASE("what status query and records tell differently is not told, and both are named") {
  const auto heard = [](const std::string& count, const std::string& remaining) {
    return Heard(Do(ReadPrepaid{}),
                 {{FrameOf(0x83, "FF028107 C8140000 00000000 07000000 00000000 420000000000 00000000")},
                  {FrameOf(0x91, "01023303" + count)},
                  {FrameOf(0x91, "01033303 00500000")},
                  {FrameOf(0xD1, "02")},
                  {FrameOf(0x91, "00029000" + remaining)}});
  };
  const Decoded count = heard("0600", "20530000");
  CHECK(base::ReasonOf(count.error) == "PREPAID_DISAGREES");
  CHECK(base::MetadataOf(count.error)["what"] == "count");
  CHECK(base::MetadataOf(count.error)["status"] == "7");
  CHECK(base::MetadataOf(count.error)["record"] == "6");
  REQUIRE(count.prepaid.has_value());
  CHECK_FALSE(count.prepaid->purchase_number.has_value());
  CHECK(count.prepaid->remaining->ToString() == "53.20");
  // 53.20 in the wallet; a yuan more or less may have been used between the two reads.
  for (const char* const near : {"20530000", "20520000", "20540000"}) {
    CAPTURE(near);
    CHECK(heard("0700", near).error.ok());
    CHECK(heard("0700", near).prepaid->remaining->ToString() == "53.20");
  }
  for (const char* const far : {"19520000", "21540000", "20530080"}) {
    CAPTURE(far);
    const Decoded remaining = heard("0700", far);
    CHECK(base::ReasonOf(remaining.error) == "PREPAID_DISAGREES");
    CHECK(base::MetadataOf(remaining.error)["what"] == "remaining");
    CHECK_FALSE(remaining.prepaid->remaining.has_value());
    CHECK(remaining.prepaid->purchase_number == 7U);
  }
  const ReplyFrames none = {FrameOf(0xD1, "02")};
  const Decoded accumulated = Heard(
      Do(ReadPrepaid{}, "dlt645_kede"),
      {{FrameOf(0x83, "FF028107 00 20030000 00001000 0700")}, none, none, {FrameOf(0x91, "01063303 00000900")}, none});
  CHECK(base::MetadataOf(accumulated.error)["what"] == "accumulated");
  CHECK_FALSE(accumulated.prepaid->accumulated.has_value());
}

TEST_CASE("what a profile says of a register holds for the records of the wallet, too") {
  const ProfileBook book = {{"own", *ParseProfile("name own\nprotocol DLT645_2007\nprepay.status_layout none\n"
                                                  "register 0-0:19.10.0 scale 3 signed no identifier 00900A00\n"
                                                  "register 0-3:199.51.2*1 length 3\n",
                                                  "own")}};
  const Command command = Do(ReadPrepaid{}, "own");
  const auto group = Encode(command, book);
  REQUIRE(group.ok());
  CHECK(group->exchanges.back().request == FrameOf(0x11, "000A9000"));
  const ReplyFrames none = {FrameOf(0xD1, "02")};
  const std::vector<ReplyFrames> replies = {
      {FrameOf(0x91, "01023303 070001")}, none, none, {FrameOf(0x91, "000A9000 00000180")}};
  const Decoded decoded = Decode({command, replies}, book);
  REQUIRE(decoded.error.ok());
  CHECK(decoded.prepaid->purchase_number == 10007U);
  // As ReadRegisters reads it.
  CHECK(decoded.prepaid->remaining->ToString() == "80010.000");
  const Decoded read = Decode({Do(ReadRegisters{{"0-0:19.10.0"}}, "own"), {replies.back()}}, book);
  REQUIRE(read.values.size() == 1);
  CHECK(read.values[0].number == *decoded.prepaid->remaining);
  // The standard's answers are none of this meter.
  const Decoded standard =
      Decode({command, {{FrameOf(0x91, "01023303 0700")}, none, none, {FrameOf(0x91, "00029000 20530000")}}}, book);
  CHECK(base::ReasonOf(standard.error) == "FRAME_NOT_UNDERSTOOD");
  CHECK_FALSE(standard.prepaid.has_value());
}

TEST_CASE("a wallet in kWh is read by its own records") {
  CHECK(Requests(Do(ReadPrepaid{}, "dlt645_energy_wallet")) ==
        Frames{FrameOf(0x03, "FF028107 00000000"), FrameOf(0x11, "01023203"), FrameOf(0x11, "01033203"),
               FrameOf(0x11, "01063203"), FrameOf(0x11, "00019000")});
}

TEST_CASE("a meter of 1997 has no wallet, whatever is brought as its answer") {
  const Command command = Do(ReadPrepaid{}, "", kTestMeter, Protocol::kDlt645_1997);
  CHECK(Reason(command) == "ACTION_NOT_SUPPORTED");
  const std::vector<ReplyFrames> replies(5, {FrameOf(0x91, "01023303 0700")});
  CHECK(base::ReasonOf(Heard(command, replies).error) == "ACTION_NOT_SUPPORTED");
  CHECK_FALSE(Heard(command, replies).prepaid.has_value());
}

TEST_CASE("a wallet may be read after an authentication") {
  const Command command = Do(ReadPrepaid{std::string(24, '\x11'), ""});
  CHECK(Requests(command).size() == 1);
  const Decoded authenticated = Heard(command, {{FrameOf(0x83, "FF000007 01020304 0102030405060708")}});
  REQUIRE(authenticated.continuation.has_value());
  CHECK(authenticated.continuation->exchanges.size() == 5);
}

}  // namespace
}  // namespace voltwell::codec
