// Explanations cover every byte once, say what it is, and never print a secret.
#include "libs/codec/dlt645/explain.h"

#include <catch2/catch.hpp>
#include <random>

#include "absl/strings/match.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec::dlt645 {
namespace {

void RequireCovers(const Explained& explained, size_t size) {
  size_t at = 0;
  for (const Span& span : explained.spans) {
    REQUIRE(span.offset == at);
    REQUIRE(span.length > 0);
    REQUIRE_FALSE(span.kind.empty());
    REQUIRE_FALSE(span.meaning.empty());
    at += span.length;
  }
  REQUIRE(at == size);
}

TEST_CASE("every recorded frame is explained, each byte once") {
  for (const auto& vector : vectors::Load("dlt645_2007.vec")) {
    CAPTURE(vector.id);
    for (const std::string& bytes : {vector.request, vector.reply}) {
      const Explained explained = Explain(base::AsBytes(bytes));
      RequireCovers(explained, bytes.size());
      CHECK(explained.understood == !bytes.empty());
      for (const Span& span : explained.spans) CHECK(span.kind != "unknown");
    }
  }
}

TEST_CASE("random data in every function, and random bytes, are covered too") {
  std::mt19937 random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string data(random() % 40, '\0');
    for (char& c : data) c = static_cast<char>(random());
    const auto control = static_cast<uint8_t>(random());
    const std::string frame = BuildFrame(*ParseAddress("1"), control, base::AsBytes(data));
    RequireCovers(Explain(base::AsBytes(frame)), frame.size());
    RequireCovers(Explain(base::AsBytes(data)), data.size());
  }
}

TEST_CASE("a reply is explained with its value") {
  const Explained explained = Explain(base::AsBytes(*base::FromHex("FEFE6812907856341268910833333433896745335416")));
  CHECK(explained.summary == "meter 123456789012, reply: read data: forward active energy, total = 1234.56 kWh");
  REQUIRE(explained.spans.size() == 10);
  CHECK(explained.spans[0].kind == "preamble");
  CHECK(explained.spans[6].meaning == "00010000: forward active energy, total");
  CHECK(explained.spans[7].meaning == "forward active energy, total = 1234.56 kWh");
}

TEST_CASE("the relay's state and a refusal are said in words") {
  const auto summary = [](absl::string_view hex) { return Explain(base::AsBytes(*base::FromHex(hex))).summary; };
  CHECK(absl::EndsWith(summary("68611001301215689106363833378333BE16"), "relay open"));
  CHECK(absl::EndsWith(summary("686110013012156891063638333733336E16"), "relay closed"));
  CHECK(absl::EndsWith(summary("6812907856341268D101358D16"), "refused: no_such_data"));
}

TEST_CASE("passwords and operator codes are marked and appear in no words") {
  // Password level 02, 370602; operator 31323334.
  const std::string secret = *base::FromHex("02370602 31323334 1A 00 000000301299");
  const std::string frame = BuildFrame(*ParseAddress("1"), kRelayControl, base::AsBytes(secret));
  const Explained explained = Explain(base::AsBytes(frame));
  size_t secrets = 0;
  for (const Span& span : explained.spans) {
    if (span.secret) secrets += span.length;
    for (const char* word : {"370602", "020637", "31323334", "34333231"})
      CHECK_FALSE(absl::StrContains(span.meaning, word));
  }
  CHECK(secrets == 8);
  CHECK(explained.summary == "meter 000000000001, request: relay control: trip, not after 2099-12-30T00:00:00");
}

TEST_CASE("data of requests that we do not take apart is secret as a whole") {
  // Write data (14H): identifier, password, operator, value.
  const std::string frame = BuildFrame(*ParseAddress("1"), 0x14, base::AsBytes("0123456789abcdef"));
  bool secret = false;
  for (const Span& span : Explain(base::AsBytes(frame)).spans) secret = secret || (span.secret && span.length == 16);
  CHECK(secret);
}

TEST_CASE("a broken frame is said to be broken") {
  const Explained explained = Explain(base::AsBytes(*base::FromHex("680100000000006808060102030703175E16")));
  CHECK_FALSE(explained.understood);
  RequireCovers(explained, 18);
}

}  // namespace
}  // namespace voltwell::codec::dlt645
