// Replies: follow-up frames, refusals, and frames that do not fit. Values are shown by recorded frames
// (vectors_test.cpp).
#include "libs/codec/dlt645/reply.h"

#include <catch2/catch.hpp>
#include <random>

#include "libs/base/status.h"

namespace voltwell::codec::dlt645 {
namespace {

const Address kMeter = *ParseAddress("111111111111");
const std::string kForwardBlock("\0\xFF\1\0", 4);  // 0001FF00.

std::string Reply(uint8_t control, const std::string& data) { return BuildFrame(kMeter, control, base::AsBytes(data)); }
std::string Energy(char low) { return {low, 0, 0, 0}; }

std::string WhyOf(const absl::Status& status) {
  CHECK(base::ReasonOf(status) == "FRAME_NOT_UNDERSTOOD");
  return base::MetadataOf(status)["why"];
}

TEST_CASE("follow-up frames are joined without identifiers and sequence numbers") {
  const auto joined = JoinReplies(kMeter, {Reply(0xB1, kForwardBlock + Energy(1) + Energy(2)),
                                           Reply(0xB2, kForwardBlock + Energy(3) + Energy(4) + "\1"),
                                           Reply(0x92, kForwardBlock + Energy(5) + "\2")});
  REQUIRE(joined.ok());
  CHECK(joined->di == 0x0001FF00);
  std::vector<Field> fields;
  REQUIRE(DecodeData(Edition::k2007, joined->di, base::AsBytes(joined->data), fields) == ReadOutcome::kValues);
  REQUIRE(fields.size() == 5);
  for (int i = 0; i < 5; ++i) CHECK(fields[static_cast<size_t>(i)].value.number == decimal::Decimal(i + 1, 2));
}

TEST_CASE("follow-ups that are missing, out of sequence or of other data are not understood") {
  const std::string first = Reply(0xB1, kForwardBlock + Energy(1));
  CHECK(WhyOf(JoinReplies(kMeter, {first}).status()) == "more data was announced than came");
  CHECK(WhyOf(JoinReplies(kMeter, {first, Reply(0x92, kForwardBlock + Energy(2) + "\2")}).status()) ==
        "a follow-up out of sequence");
  CHECK(WhyOf(JoinReplies(kMeter, {first, Reply(0x92, std::string("\0\0\1\0", 4) + Energy(2) + "\1")}).status()) ==
        "a follow-up of other data");
  CHECK(WhyOf(JoinReplies(kMeter, {first, Reply(0x92, "\1\2\3")}).status()) == "too short for a data identifier");
  CHECK(WhyOf(JoinReplies(kMeter, {}).status()) == "no reply");
}

TEST_CASE("frames that are no reply of this meter are not understood") {
  CHECK(WhyOf(ParseReply(kMeter, kReadData, base::AsBytes("junk")).status()) == "no frame with a right checksum");
  CHECK(WhyOf(ParseReply(kMeter, kReadData, base::AsBytes(Reply(0x11, "\0\0\0\0"))).status()) ==
        "a request, not a reply");
  CHECK(WhyOf(ParseReply(kMeter, kReadNext, base::AsBytes(Reply(0x91, "\0\0\0\0"))).status()) ==
        "the reply to another function");
  CHECK(WhyOf(ParseReply(*ParseAddress("1"), kReadData, base::AsBytes(Reply(0x91, "\0\0\0\0"))).status()) ==
        "the reply of another meter");
}

TEST_CASE("a refusal names the bits of the error word") {
  const auto refused = [](uint8_t control, const std::string& word) {
    const std::string bytes = Reply(control, word);
    const absl::Status status = MeterRefused(*ParseFrame(base::AsBytes(bytes)));
    CHECK(base::ReasonOf(status) == "METER_REFUSED");
    return base::MetadataOf(status)["bits"];
  };
  CHECK(refused(0xD1, "\x02") == "no_such_data");
  CHECK(refused(0xD1, "\x06") == "no_such_data,password_or_authority");
  CHECK(refused(0xD1, std::string(1, '\0')) == "unspecified");
  CHECK(refused(0xD1, "") == "unspecified");
  CHECK(refused(0xDC, "\x04") == "password_or_authority");
  CHECK(refused(0xDC, std::string("\x20\0", 2)) == "keep_power_refuses_trip");
  CHECK(refused(0xDC, std::string("\0\1", 2)) == "already_tripped");
  CHECK(refused(0xDC, std::string("\0\x80", 2)) == "bit_15");
  CHECK(refused(0xC3, std::string("\x02\0", 2)) == "duplicate_recharge");
  CHECK(refused(0xC3, std::string("\0\1", 2)) == "suspended");
  CHECK(refused(0xC3, "\x02") == "no_such_data");
}

std::string WithOffset(std::string plain) {
  for (char& c : plain) c = static_cast<char>(c + kOffset);
  return plain;
}
std::string Hex(absl::string_view hex) { return WithOffset(*base::FromHex(hex)); }

TEST_CASE("a block may be shorter than three phases, and an energy block longer than four tariffs") {
  std::vector<Field> fields;
  const std::string voltage = Hex("5622");
  CHECK(DecodeData(Edition::k2007, 0x0201FF00, base::AsBytes(voltage), fields) == ReadOutcome::kValues);
  CHECK(fields.size() == 1);
  fields.clear();
  const std::string energies = WithOffset(std::string(36, '\0'));
  CHECK(DecodeData(Edition::k2007, 0x0001FF00, base::AsBytes(energies), fields) == ReadOutcome::kValues);
  REQUIRE(fields.size() == 9);
  CHECK(ValueIdOf(Edition::k2007, fields[8]) == "1-0:1.8.8");
}

TEST_CASE("members of a block may be divided by AA, and what is FF has no value") {
  std::vector<Field> fields;
  const std::string block = Hex("50100000AAFFFFFFFFAA01000000AA");
  REQUIRE(DecodeData(Edition::k1997, 0x901F, base::AsBytes(block), fields) == ReadOutcome::kValues);
  REQUIRE(fields.size() == 3);
  CHECK(fields[0].value.number.ToString() == "10.50");
  CHECK(fields[1].value.kind == FieldValue::Kind::kNoValue);
  CHECK(ValueIdOf(Edition::k1997, fields[2]) == "1-0:1.8.2");
}

TEST_CASE("a record may end behind any of its fields, but not within one") {
  const std::string record = Hex("0009102211260102030402010004");
  std::vector<Field> fields;
  for (size_t size = 0; size <= record.size(); ++size) {
    CAPTURE(size);
    fields.clear();
    const bool boundary = size == 6 || size == 10 || size == 14;
    CHECK((DecodeData(Edition::k2007, 0x03300001, base::AsBytes(record).first(size), fields) == ReadOutcome::kValues) ==
          boundary);
    CHECK(fields.size() == (!boundary ? 0 : size == 6 ? 1 : size == 10 ? 2 : 3));
  }
}

TEST_CASE("a demand has the time at which the meter took it") {
  const std::string demand = Hex("1225003009221126");
  std::vector<Field> fields;
  REQUIRE(DecodeData(Edition::k2007, 0x01010000, base::AsBytes(demand), fields) == ReadOutcome::kValues);
  REQUIRE(fields.size() == 1);
  CHECK(MeterTimeOf(fields[0]) == "2026-11-22T09:30");
  CHECK(DecodeData(Edition::k2007, 0x01010000, base::AsBytes(demand).first(3), fields) == ReadOutcome::kLengthDiffers);
}

TEST_CASE("a profile may give a row another format and length") {
  const FieldSpec wide = {.format = Format::kBcd, .length = 3, .scale = 3, .unit = "V"};
  const std::string data = Hex("561223");
  std::vector<Field> fields;
  REQUIRE(DecodeData(Edition::k2007, 0x02010100, base::AsBytes(data), fields, &wide) == ReadOutcome::kValues);
  CHECK(fields[0].value.number.ToString() == "231.256");
}

TEST_CASE("records of a load profile give the values of their classes with the time") {
  // Class 1 (voltages, currents, frequency) and 4 (energies); the others are not selected.
  const std::string record =
      Hex("A0A02F3009221126"
          "002201220222001000002000003000"
          "0050"
          "AA"
          "AA"
          "AA"
          "56341200"
          "00000000"
          "00000000"
          "00000000"
          "AA"
          "AA"
          "AA"
          "55E5");
  std::vector<Field> fields;
  REQUIRE(DecodeData(Edition::k2007, 0x06000002, base::AsBytes(record + record), fields) == ReadOutcome::kValues);
  REQUIRE(fields.size() == 22);
  CHECK(fields[0].value.number.ToString() == "220.0");
  CHECK(fields[6].value.number.ToString() == "50.00");
  CHECK(fields[7].value.number.ToString() == "1234.56");
  CHECK(ValueIdOf(Edition::k2007, fields[7]) == "0-6:199.0.0*2/forward");
  CHECK(MeterTimeOf(fields[21]) == "2026-11-22T09:30");
  for (size_t size = 0; size < record.size(); ++size) {
    fields.clear();
    CHECK(DecodeData(Edition::k2007, 0x06000002, base::AsBytes(record).first(size), fields) ==
          ReadOutcome::kLengthDiffers);
    CHECK(fields.empty());
  }
}

TEST_CASE("replies of 1997 are joined without their two bytes of identifier") {
  const std::string block("\x1F\x90", 2);
  const auto joined =
      JoinReplies(kMeter, {Reply(0xA1, block + Energy(1)), Reply(0x82, block + Energy(2))}, Edition::k1997);
  REQUIRE(joined.ok());
  CHECK(joined->di == 0x901F);
  CHECK(joined->data.size() == 8);
}

TEST_CASE("random data of every row gives values or an outcome, never a crash") {
  std::mt19937 random(9);
  std::vector<Field> fields;
  for (const Edition edition : {Edition::k2007, Edition::k1997}) {
    for (const Register* const row : Registers(edition)) {
      for (int i = 0; i < 40; ++i) {
        std::string data(random() % 256, '\0');
        for (char& c : data) c = static_cast<char>(random());
        fields.clear();
        const Match match = {row, row->di};
        for (const uint32_t di : {row->di, BlockOf(edition, match), static_cast<uint32_t>(random())}) {
          DecodeData(edition, di, base::AsBytes(data), fields);
        }
        for (const Field& field : fields) {
          CHECK_FALSE(ValueIdOf(edition, field).empty());
          field.value.Text();
          MeterTimeOf(field);
        }
      }
    }
  }
}

TEST_CASE("data of another length than the table says, or of an unknown identifier, gives no value") {
  std::vector<Field> fields;
  CHECK(DecodeData(Edition::k2007, 0x00010000, base::AsBytes("\x33\x33\x33"), fields) == ReadOutcome::kLengthDiffers);
  CHECK(DecodeData(Edition::k2007, 0x0201FF00, base::AsBytes("\x33\x33\x33"), fields) == ReadOutcome::kLengthDiffers);
  CHECK(DecodeData(Edition::k2007, 0x0201FF00, base::AsBytes("\x33\x33\x33\x33\x33\x33\x33\x33"), fields) ==
        ReadOutcome::kLengthDiffers);
  CHECK(DecodeData(Edition::k2007, 0x0201FF00, {}, fields) == ReadOutcome::kLengthDiffers);
  CHECK(DecodeData(Edition::k2007, 0x028011FF, base::AsBytes("\x33"), fields) == ReadOutcome::kUnknownDi);
  CHECK(fields.empty());
}

}  // namespace
}  // namespace voltwell::codec::dlt645
