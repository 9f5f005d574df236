// Collectors that prove their key by a challenge, on real loopback sockets.
#include <catch2/catch.hpp>

#include "libs/base/bytes.h"
#include "libs/crypto/crypto.h"
#include "services/collector_gateway/domain/challenge.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;
namespace base = voltwell::base;
namespace crypto = voltwell::crypto;

namespace {

const std::string kKey = "0123456789abcdef";
const std::string kOtherKey = "fedcba9876543210";
constexpr size_t kQuestionBytes = 5 + 2 * kNonceBytes + 2;  // CHAL:, the nonce, a line end.

DialectPtr LoginKey() {
  static const DialectPtr kDialect = std::make_shared<const Dialect>(
      *ParseDialect("login-key",
                    "title t\nregistration LOGIN:{id}\\r\\n\nchallenge CHAL:{nonce}\\r\\n\n"
                    "response RESP:{mac}\\r\\n\nanswer OK\\r\\n\nheartbeat PING\\r\\n\n"));
  return kDialect;
}

BusEntryPtr Keyed(const std::string& id, const std::string& key, Assurance assurance = Assurance::kKey) {
  BusEntry entry = *EntryOf(id);
  entry.dialect = LoginKey();
  if (!key.empty()) entry.key = std::make_shared<const std::string>(key);
  entry.assurance = assurance;
  return std::make_shared<const BusEntry>(entry);
}

std::string Answer(const std::string& nonce, const std::string& key = kKey, const std::string& id = "1001") {
  return "RESP:" + base::ToHex(base::AsBytes(crypto::HmacSha256(key, ChallengeText(nonce, id)))) + "\r\n";
}

struct Box {
  explicit Box(HubBench& bench, const std::string& id = "1001") : collector(bench.hub.port()) {
    collector.Send("LOGIN:" + id + "\r\n");
  }
  // The nonce of the question that came; empty when none did.
  std::string Asked() {
    const std::string question = collector.Receive(kQuestionBytes);
    return question.size() == kQuestionBytes && question.substr(0, 5) == "CHAL:" ? question.substr(5, 2 * kNonceBytes)
                                                                                 : "";
  }
  FakeCollector collector;
};

struct KeyBench : HubBench {
  KeyBench() { Publish({Keyed("1001", kKey), Keyed("1002", kOtherKey), EntryOf("VW-1")}); }
  double Wrong() {
    Settle();
    return metrics.Refused(Refusal::kChallengeWrong).Value();
  }
};

}  // namespace

TEST_CASE("a collector that answers its challenge rightly registers, and is answered only then") {
  KeyBench bench;
  Box box(bench);
  const std::string nonce = box.Asked();
  REQUIRE(nonce.size() == 2 * kNonceBytes);
  CHECK(bench.routes.size() == 0);
  box.collector.Send(Answer(nonce));
  CHECK(box.collector.Receive(4) == "OK\r\n");
  REQUIRE(bench.routes.Find({"1001", 1}).has_value());
  CHECK(bench.routes.Find({"1001", 1})->shown == Assurance::kKey);
  const auto sink = bench.Submit({ItemOf(1)}, "1001");
  REQUIRE(box.collector.Receive(Ask(1).size()) == Ask(1));
  box.collector.Send(Reply(1));
  CHECK(sink->Outcomes(1) == "1 ok");
  CHECK(bench.metrics.challenges.Value() == 1);
}

TEST_CASE("a wrong answer is refused: of another key, for another id, of another nonce, or no answer at all") {
  KeyBench bench;
  std::vector<std::function<std::string(const std::string&)>> wrongs = {
      [](const std::string& nonce) { return Answer(nonce, kOtherKey); },
      [](const std::string& nonce) { return Answer(nonce, kKey, "1002"); },
      [](const std::string&) { return Answer(std::string(2 * kNonceBytes, '0')); },
      [](const std::string& nonce) { return Answer(nonce).substr(0, 67) + "\r\n"; },
      [](const std::string&) { return "RESP:" + std::string(64, 'X') + "\r\n"; },
      [](const std::string&) { return std::string("hello\r\n"); },
  };
  double refused = 0;
  for (const auto& wrong : wrongs) {
    Box box(bench);
    const std::string nonce = box.Asked();
    REQUIRE_FALSE(nonce.empty());
    box.collector.Send(wrong(nonce));
    CHECK(box.collector.Closed());
    CHECK(bench.Wrong() == ++refused);
  }
  CHECK(bench.routes.size() == 0);
}

TEST_CASE("an answer that was right once is of no use again") {
  KeyBench bench;
  std::string heard;
  {
    Box box(bench);
    heard = Answer(box.Asked());
    box.collector.Send(heard);
    REQUIRE(box.collector.Receive(4) == "OK\r\n");
  }
  REQUIRE(Eventually([&] { return bench.routes.size() == 0; }));
  Box thief(bench);
  const std::string nonce = thief.Asked();
  REQUIRE_FALSE(nonce.empty());
  CHECK(Answer(nonce) != heard);
  thief.collector.Send(heard);
  CHECK(thief.collector.Closed());
  CHECK(bench.Wrong() == 1);
}

TEST_CASE("whoever does not answer in time is closed, and a late answer finds nobody") {
  KeyBench bench;
  Box box(bench);
  const std::string nonce = box.Asked();
  REQUIRE_FALSE(nonce.empty());
  bench.Advance(kChallengeMax - absl::Seconds(1));
  CHECK(box.collector.Silent());
  bench.Advance(absl::Seconds(1));
  CHECK(box.collector.Closed());
  CHECK(bench.metrics.Refused(Refusal::kChallengeLate).Value() == 1);
  CHECK(bench.routes.size() == 0);
}

TEST_CASE("an answer may come in any pieces, after heartbeats and the registration again") {
  for (size_t cut = 1; cut < 71; cut += 3) {
    KeyBench bench;
    Box box(bench);
    const std::string before = "PING\r\nLOGIN:1001\r\n";
    const std::string all = before + Answer(box.Asked());
    const double read = bench.metrics.bytes_in.Value();
    box.collector.Send(all.substr(0, cut));
    REQUIRE(bench.Read(read + static_cast<double>(cut)));
    box.collector.Send(all.substr(cut));
    CHECK(box.collector.Receive(4) == "OK\r\n");
  }
}

TEST_CASE("more bytes than an answer can have are refused, heartbeats too") {
  KeyBench bench;
  Box box(bench);
  REQUIRE_FALSE(box.Asked().empty());
  std::string heartbeats;
  while (heartbeats.size() <= kRegistrationBytesMax) heartbeats += "PING\r\n";
  box.collector.Send(heartbeats);
  CHECK(box.collector.Closed());
  CHECK(bench.Wrong() == 1);
}

TEST_CASE("whoever knows the id alone does not disturb the collector that proved its key") {
  KeyBench bench;
  Box box(bench);
  box.collector.Send(Answer(box.Asked()));
  REQUIRE(box.collector.Receive(4) == "OK\r\n");
  const SessionId holder = bench.routes.Find({"1001", 1})->session;
  Box thief(bench);
  REQUIRE_FALSE(thief.Asked().empty());
  bench.Advance(kChallengeMax);
  CHECK(thief.collector.Closed());
  CHECK(bench.routes.Find({"1001", 1})->session == holder);
  CHECK(box.collector.Silent());
  CHECK(bench.metrics.takeovers.Value() == 0);
  // The collector itself, come back with its key, takes over.
  Box again(bench);
  again.collector.Send(Answer(again.Asked()));
  CHECK(again.collector.Receive(4) == "OK\r\n");
  CHECK(box.collector.Closed());
}

TEST_CASE("a key that is demanded and cannot be asked for keeps the collector out") {
  HubBench bench;
  BusEntry plain = *Keyed("VW-1", kKey);
  plain.dialect = nullptr;
  bench.Publish({Keyed("1001", ""), std::make_shared<const BusEntry>(plain)});
  Box keyless(bench);
  CHECK(keyless.collector.Closed());
  FakeCollector transparent(bench.hub.port());
  transparent.Send("VW-1\r\n");
  CHECK(transparent.Closed());
  bench.Settle();
  CHECK(bench.metrics.Refused(Refusal::kAssurance).Value() == 2);
  CHECK(bench.metrics.challenges.Value() == 0);
}

TEST_CASE("nobody is asked where the id is enough; when the key is demanded or rotated, its session ends") {
  HubBench bench;
  bench.Publish({Keyed("1001", kKey, Assurance::kId)});
  Box box(bench);
  REQUIRE(box.collector.Receive(4) == "OK\r\n");
  bench.Publish({Keyed("1001", kKey)});
  CHECK(box.collector.Closed());
  CHECK(Eventually([&] { return bench.book.Has("offline 1001: assurance raised"); }));
  Box again(bench);
  again.collector.Send(Answer(again.Asked()));
  REQUIRE(again.collector.Receive(4) == "OK\r\n");
  bench.Publish({Keyed("1001", kKey), EntryOf("VW-2")});  // A change that is not this one's.
  bench.Settle();
  CHECK(again.collector.Silent());
  // Rotated while one is being asked: the new key counts.
  Box asked(bench);
  const std::string nonce = asked.Asked();
  bench.Publish({Keyed("1001", kOtherKey)});
  CHECK(again.collector.Closed());
  CHECK(Eventually([&] { return bench.book.Has("offline 1001: key changed"); }));
  asked.collector.Send(Answer(nonce, kOtherKey));
  CHECK(asked.collector.Receive(4) == "OK\r\n");
}

TEST_CASE("the answer is the HMAC of the README's example") {
  const std::string key = *base::FromHex("000102030405060708090A0B0C0D0E0F");
  const std::string text = ChallengeText("00112233445566778899AABBCCDDEEFF", "1001");
  CHECK(text == "VW1:00112233445566778899AABBCCDDEEFF:1001");
  CHECK(base::ToHex(base::AsBytes(crypto::HmacSha256(key, text))) ==
        "A79019F7B9BB4981909100388FDB385DCFD41442A636E37C0F0291BE56A7F1FD");
}
