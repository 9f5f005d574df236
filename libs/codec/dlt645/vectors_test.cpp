// Recorded frames and hand-worked examples say the same in our requests and our decoding as they did where they are
// from; and every row of the register tables is shown by one of them or counted as unproven.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "absl/strings/match.h"
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

constexpr Edition kEditions[] = {Edition::k2007, Edition::k1997};
const char* FileOf(Edition edition) { return edition == Edition::k2007 ? "dlt645_2007.vec" : "dlt645_1997.vec"; }

// Read once: the tests walk them often.
const std::vector<vectors::Vector>& VectorsOf(Edition edition) {
  static const std::map<Edition, std::vector<vectors::Vector>> kAll = {
      {Edition::k2007, vectors::Load(FileOf(Edition::k2007))}, {Edition::k1997, vectors::Load(FileOf(Edition::k1997))}};
  return kAll.at(edition);
}

Frame ParseOrFail(const std::string& bytes) {
  const auto frame = ParseFrame(base::AsBytes(bytes));
  REQUIRE(frame.has_value());
  return *frame;
}

std::string WithoutPreamble(const std::string& bytes) { return bytes.substr(bytes.find('\x68')); }

std::string WithOffset(std::string plain) {
  for (char& c : plain) c = static_cast<char>(c + kOffset);
  return plain;
}

// A register by the name or the id that a vector gives it.
std::string IdNamed(Edition edition, const std::string& name) {
  if (absl::StrContains(name, ":")) return name;
  for (const Register* const row : Registers(edition)) {
    for (const Match& match : UsualMembers(edition, *row)) {
      if (NameOf(match) == name) return IdOf(edition, match);
    }
  }
  FAIL("no register " << name);
  return "";
}

Match MatchNamed(Edition edition, const std::string& name) {
  const std::string id = IdNamed(edition, name);
  const Match match = FindByObis(edition, id);
  REQUIRE(match);
  return {match.row, match.di};  // Its suffix would be a part of `id`.
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
  for (const int n1 : {0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x2A, 0x2B, 0x3A, 0x3B}) {
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

// Our bytes for what the recorded request asks; nothing where it asks what the tests of the codec cover.
std::optional<std::string> BuildRecorded(Edition edition, const vectors::Vector& vector) {
  const Address address = ParseOrFail(vector.request).address;
  for (const auto& [key, rest] : vector.facts) {
    const Words words = absl::StrSplit(rest, ' ');
    if (key == "reads") return BuildRead(address, MatchNamed(edition, words[0]).di, edition);
    if (key == "read_address") return BuildReadAddress(address);
    if (key == "relay") return BuildRecordedRelay(address, words);
    if (key == "reads_block") {
      uint32_t di = 0;
      REQUIRE(absl::SimpleHexAtoi(words[0], &di));
      REQUIRE(FindByDi(edition, di).block != nullptr);
      return BuildRead(address, di, edition);
    }
  }
  return std::nullopt;
}

// Identifier and data (with 33H) of a vector that shows values.
struct Shown {
  uint32_t di = 0;
  std::string data = "";
};
std::optional<Shown> ShownBy(Edition edition, const vectors::Vector& vector) {
  for (const auto& [key, rest] : vector.facts) {
    if (key != "data") continue;
    const Words words = absl::StrSplit(rest, ' ');
    Shown shown;
    REQUIRE(absl::SimpleHexAtoi(words[0], &shown.di));
    shown.data = WithOffset(*base::FromHex(words[1]));
    return shown;
  }
  if (vector.reply.empty()) return std::nullopt;
  const Frame frame = ParseOrFail(vector.reply);
  const uint8_t read = edition == Edition::k2007 ? kReadData : kReadData1997;
  if (frame.control != (read | kReplyBit)) return std::nullopt;
  const size_t size = edition == Edition::k2007 ? kDiSize : kDiSize1997;
  return Shown{edition == Edition::k2007 ? DataIdentifier(frame.data) : DataIdentifier1997(frame.data),
               base::ToString(frame.data.subspan(size))};
}

void CheckFact(Edition edition, const std::vector<Field>& fields, const std::string& key, const std::string& rest) {
  const Words words = absl::StrSplit(rest, ' ');
  const std::string id = IdNamed(edition, words[0]);
  CAPTURE(id);
  const auto field = std::find_if(fields.begin(), fields.end(),
                                  [&](const Field& candidate) { return ValueIdOf(edition, candidate) == id; });
  REQUIRE(field != fields.end());
  if (key == "no_value") {
    CHECK(field->value.kind == FieldValue::Kind::kNoValue);
  } else if (key == "meter_time") {
    CHECK(MeterTimeOf(*field) == words[2]);
  } else if (field->value.kind == FieldValue::Kind::kNumber) {
    CHECK(field->value.number.ToString() == words[2]);
    CHECK(field->spec->unit == (words.size() > 3 ? words[3] : ""));
  } else {
    CHECK(field->value.Text() == words[2]);
  }
}

bool IsValueFact(const std::string& key) { return key == "value" || key == "no_value" || key == "meter_time"; }

TEST_CASE("our requests are byte for byte the recorded ones") {
  size_t requests = 0;
  for (const Edition edition : kEditions) {
    for (const auto& vector : VectorsOf(edition)) {
      if (vector.request.empty()) continue;
      CAPTURE(vector.id);
      const auto built = BuildRecorded(edition, vector);
      if (!built.has_value()) continue;
      CHECK(base::ToHex(base::AsBytes(*built)) == base::ToHex(base::AsBytes(WithoutPreamble(vector.request))));
      ++requests;
    }
  }
  CHECK(requests > 30);
}

TEST_CASE("recorded replies and worked examples decode to the values that their sources give") {
  size_t shown_values = 0;
  for (const Edition edition : kEditions) {
    for (const auto& vector : VectorsOf(edition)) {
      CAPTURE(vector.id);
      CHECK_FALSE(vector.source.empty());
      const auto shown = ShownBy(edition, vector);
      std::vector<Field> fields;
      if (shown.has_value()) {
        CHECK(DecodeData(edition, shown->di, base::AsBytes(shown->data), fields) == ReadOutcome::kValues);
      }
      for (const auto& [key, rest] : vector.facts) {
        if (IsValueFact(key)) {
          CheckFact(edition, fields, key, rest);
          ++shown_values;
        }
        if (key == "error") CHECK(base::MetadataOf(MeterRefused(ParseOrFail(vector.reply)))["bits"] == rest);
        if (key == "address") CHECK(FormatAddress(ParseOrFail(vector.reply).address) == rest);
        if (key == "relay_state") CHECK(((fields.at(0).value.raw & kRelayOpenBit) != 0) == (rest == "open"));
      }
    }
  }
  CHECK(shown_values > 400);
}

TEST_CASE("a recorded reply is decoded by the hot path as by its data") {
  for (const Edition edition : kEditions) {
    for (const auto& vector : VectorsOf(edition)) {
      if (vector.reply.empty()) continue;
      CAPTURE(vector.id);
      CHECK(ParseOrFail(vector.reply).is_reply());
      std::vector<Field> fields;
      const bool values =
          std::any_of(vector.facts.begin(), vector.facts.end(), [](const auto& fact) { return fact.first == "value"; });
      const Frame frame = ParseOrFail(vector.reply);
      if (values && frame.function() != kReadAddress) CHECK(DecodeReadReply(base::AsBytes(vector.reply), fields));
    }
  }
}

TEST_CASE("what an example shows of a writable register is written as the example's bytes") {
  size_t written = 0;
  for (const Edition edition : kEditions) {
    for (const auto& vector : VectorsOf(edition)) {
      const auto shown = ShownBy(edition, vector);
      if (!shown.has_value()) continue;
      const Match match = FindByDi(edition, shown->di);
      REQUIRE(match);
      if (!match.row->writable() || match.block != nullptr) continue;
      std::string text;
      for (const auto& [key, rest] : vector.facts) {
        const Words words = absl::StrSplit(rest, ' ');
        if (key == "value") absl::StrAppend(&text, text.empty() ? "" : ",", words[2]);
      }
      if (text.empty()) continue;
      CAPTURE(vector.id, text);
      const auto bytes = EncodeValue(match, text);
      REQUIRE(bytes.ok());
      CHECK(base::ToHex(base::AsBytes(WithOffset(*bytes))) == base::ToHex(base::AsBytes(shown->data)));
      ++written;
    }
  }
  CHECK(written > 80);
}

TEST_CASE("the reply recorded with a request is picked by the request's matcher") {
  size_t pairs = 0;
  for (const Edition edition : kEditions) {
    for (const auto& vector : VectorsOf(edition)) {
      if (vector.request.empty() || vector.reply.empty()) continue;
      CAPTURE(vector.id);
      const Frame request = ParseOrFail(vector.request);
      const uint8_t function = request.function();
      if (request.address.wire[0] == 0x99) continue;  // A meter that answered to all.
      auto matcher = ReplyMatcherOf(request.address, function);
      if (function == kReadData) matcher = ReadReplyMatcher(request.address, function, DataIdentifier(request.data));
      if (function == kReadData1997) {
        matcher = ReadReplyMatcher(request.address, function, DataIdentifier1997(request.data), Edition::k1997);
      }
      CHECK(matcher.Matches(base::AsBytes(WithoutPreamble(vector.reply))));
      CHECK_FALSE(matcher.Matches(base::AsBytes(WithoutPreamble(vector.request))));
      ++pairs;
    }
  }
  CHECK(pairs > 8);
}

// Row, or its register, by a value, a missing value, or a recorded request.
bool Shows(Edition edition, const vectors::Vector& vector, const Register& row) {
  for (const auto& [key, rest] : vector.facts) {
    const Words words = absl::StrSplit(rest, ' ');
    if (key == "value" || key == "no_value" || key == "reads") {
      if (MatchNamed(edition, words[0]).row == &row) return true;
    }
    uint32_t di = 0;
    if (key == "reads_block" && absl::SimpleHexAtoi(words[0], &di) && FindByDi(edition, di).row == &row) return true;
  }
  return false;
}

bool IsMoney(const Register& row) {
  return absl::StrContains(row.value.unit, "CNY") && absl::StartsWith(row.source, "State Grid prepaid");
}

TEST_CASE("a row that names a proof is shown by that vector, and at most a fifth of the rows is unproven") {
  for (const Edition edition : kEditions) {
    size_t unproven = 0;
    for (const Register* const row : Registers(edition)) {
      CAPTURE(std::string(row->name), row->di, std::string(row->proof));
      if (row->proof.empty()) {
        ++unproven;
        // Nothing that moves money or a relay.
        CHECK_FALSE(IsMoney(*row));
        CHECK(row->di != kRelayStatusDi);
        for (const auto& vector : VectorsOf(edition)) {
          if (Shows(edition, vector, *row)) WARN(row->name << " is shown by " << vector.id);
        }
        continue;
      }
      const auto& all = VectorsOf(edition);
      const auto vector = std::find_if(all.begin(), all.end(), [row](const auto& v) { return v.id == row->proof; });
      REQUIRE(vector != all.end());
      CHECK(Shows(edition, *vector, *row));
    }
    CHECK(unproven * 5 <= Registers(edition).size());
  }
}

TEST_CASE("what shows the relay and the remaining money is proven by a recorded reply") {
  for (const char* const name : {"relay_status_word", "remaining_amount"}) {
    const auto& all = VectorsOf(Edition::k2007);
    CHECK(std::any_of(all.begin(), all.end(), [name](const auto& vector) {
      return !vector.reply.empty() && std::any_of(vector.facts.begin(), vector.facts.end(), [name](const auto& fact) {
        return fact.first == "value" && absl::StartsWith(fact.second, absl::StrCat(name, " "));
      });
    }));
  }
}

}  // namespace
}  // namespace voltwell::codec::dlt645
