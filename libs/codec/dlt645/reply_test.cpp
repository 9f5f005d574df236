// Replies: follow-up frames, refusals, and frames that do not fit. Values are shown by recorded frames
// (vectors_test.cpp).
#include "libs/codec/dlt645/reply.h"

#include <catch2/catch.hpp>

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
  REQUIRE(DecodeData(joined->di, base::AsBytes(joined->data), fields) == ReadOutcome::kValues);
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
}

TEST_CASE("a block may be shorter than three phases, and an energy block longer than four tariffs") {
  std::vector<Field> fields;
  const auto with_offset = [](std::string plain) {
    for (char& c : plain) c = static_cast<char>(c + kOffset);
    return plain;
  };
  CHECK(DecodeData(0x0201FF00, base::AsBytes(with_offset({0x56, 0x22})), fields) == ReadOutcome::kValues);
  CHECK(fields.size() == 1);
  fields.clear();
  CHECK(DecodeData(0x0001FF00, base::AsBytes(with_offset(std::string(36, '\0'))), fields) == ReadOutcome::kValues);
  CHECK(fields.size() == 5);
}

TEST_CASE("data of another length than the table says, or of an unknown identifier, gives no value") {
  std::vector<Field> fields;
  CHECK(DecodeData(0x00010000, base::AsBytes("\x33\x33\x33"), fields) == ReadOutcome::kLengthDiffers);
  CHECK(DecodeData(0x0201FF00, base::AsBytes("\x33\x33\x33"), fields) == ReadOutcome::kLengthDiffers);
  CHECK(DecodeData(0x0201FF00, base::AsBytes("\x33\x33\x33\x33\x33\x33\x33\x33"), fields) ==
        ReadOutcome::kLengthDiffers);
  CHECK(DecodeData(0x0201FF00, {}, fields) == ReadOutcome::kLengthDiffers);
  CHECK(DecodeData(0x028011FF, base::AsBytes("\x33"), fields) == ReadOutcome::kUnknownDi);
  CHECK(fields.empty());
}

}  // namespace
}  // namespace voltwell::codec::dlt645
