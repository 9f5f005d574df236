// Recorded frames say the same in our requests and our decoding as they did where they were recorded.
#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/reply.h"
#include "libs/codec/dlt645/request.h"
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec::dlt645 {
namespace {

using Words = std::vector<std::string>;

Frame ParseOrFail(const std::string& bytes) {
  const auto frame = ParseFrame(base::AsBytes(bytes));
  REQUIRE(frame.has_value());
  return *frame;
}

std::string WithoutPreamble(const std::string& bytes) { return bytes.substr(bytes.find('\x68')); }

const Register& RowOf(const std::string& name) {
  for (const Register& row : Registers()) {
    if (row.name == name) return row;
  }
  FAIL("no register " << name);
  return Registers().front();
}

// "password=02370602" among the words.
std::string Option(const Words& words, const std::string& key) {
  for (const std::string& word : words) {
    if (word.rfind(key + "=", 0) == 0) return word.substr(key.size() + 1);
  }
  FAIL("no " << key);
  return "";
}

std::string BuildRecordedRelay(const Address& address, const Words& words) {
  RelayRequest request;
  for (const int n1 : {0x1A, 0x1B, 0x1C, 0x2A, 0x2B, 0x3A, 0x3B}) {
    if (RelayActionName(static_cast<uint8_t>(n1)) == words[0]) request.action = static_cast<RelayAction>(n1);
  }
  request.password = *base::FromHex(Option(words, "password"));
  request.operator_code = *base::FromHex(Option(words, "operator"));
  request.channel = static_cast<uint8_t>(std::stoi(Option(words, "channel")));
  request.expiry = Option(words, "expiry");
  const auto bytes = BuildRelay(address, request);
  REQUIRE(bytes.ok());
  return *bytes;
}

// Our bytes for what the recorded request asks.
std::string BuildRecorded(const vectors::Vector& vector) {
  const Address address = ParseOrFail(vector.request).address;
  for (const auto& [key, rest] : vector.facts) {
    const Words words = absl::StrSplit(rest, ' ');
    if (key == "reads") return BuildRead(address, RowOf(words[0]).di);
    if (key == "read_address") return BuildReadAddress(address);
    if (key == "relay") return BuildRecordedRelay(address, words);
    if (key == "reads_block") {
      uint32_t di = 0;
      REQUIRE(absl::SimpleHexAtoi(words[0], &di));
      return BuildRead(address, di);
    }
  }
  FAIL("the request says nothing");
  return "";
}

void CheckField(const vectors::Vector& vector, const std::string& key, const Words& words) {
  std::vector<Field> fields;
  REQUIRE(DecodeReadReply(base::AsBytes(vector.reply), fields));
  const Register& row = RowOf(words[0]);
  for (const Field& field : fields) {
    if (field.row != &row) continue;
    if (key == "no_value") {
      CHECK(field.value.kind == FieldValue::Kind::kNoValue);
    } else if (field.value.kind == FieldValue::Kind::kNumber) {
      CHECK(field.value.number.ToString() == words[2]);
      CHECK(row.unit == (words.size() > 3 ? words[3] : ""));
    } else {
      CHECK(field.value.Text() == words[2]);
    }
    return;
  }
  FAIL("the reply does not hold " << words[0]);
}

void CheckReply(const vectors::Vector& vector, const std::string& key, const std::string& rest) {
  const Frame frame = ParseOrFail(vector.reply);
  if (key == "value" || key == "no_value") CheckField(vector, key, absl::StrSplit(rest, ' '));
  if (key == "error") CHECK(base::MetadataOf(MeterRefused(frame))["bits"] == rest);
  if (key == "address") CHECK(FormatAddress(frame.address) == rest);
  if (key == "relay_state") {
    std::vector<Field> fields;
    REQUIRE(DecodeReadReply(base::AsBytes(vector.reply), fields));
    CHECK(((fields[0].value.raw & kRelayOpenBit) != 0) == (rest == "open"));
  }
}

TEST_CASE("our requests are byte for byte the recorded ones") {
  size_t requests = 0;
  for (const auto& vector : vectors::Load("dlt645_2007.vec")) {
    if (vector.request.empty()) continue;
    CAPTURE(vector.id);
    CHECK(base::ToHex(base::AsBytes(BuildRecorded(vector))) ==
          base::ToHex(base::AsBytes(WithoutPreamble(vector.request))));
    ++requests;
  }
  CHECK(requests > 25);
}

TEST_CASE("recorded replies decode to the values that were recorded with them") {
  size_t replies = 0;
  for (const auto& vector : vectors::Load("dlt645_2007.vec")) {
    if (vector.reply.empty()) continue;
    CAPTURE(vector.id);
    CHECK(ParseOrFail(vector.reply).is_reply());
    for (const auto& [key, rest] : vector.facts) CheckReply(vector, key, rest);
    ++replies;
  }
  CHECK(replies > 35);
}

TEST_CASE("the reply recorded with a request is picked by the request's matcher") {
  size_t pairs = 0;
  for (const auto& vector : vectors::Load("dlt645_2007.vec")) {
    if (vector.request.empty() || vector.reply.empty()) continue;
    CAPTURE(vector.id);
    const Frame request = ParseOrFail(vector.request);
    const auto matcher = request.function() == kReadData
                             ? ReadReplyMatcher(request.address, kReadData, DataIdentifier(request.data))
                             : ReplyMatcherOf(request.address, request.function());
    CHECK(matcher.Matches(base::AsBytes(WithoutPreamble(vector.reply))));
    CHECK_FALSE(matcher.Matches(base::AsBytes(WithoutPreamble(vector.request))));
    ++pairs;
  }
  CHECK(pairs > 8);
}

}  // namespace
}  // namespace voltwell::codec::dlt645
