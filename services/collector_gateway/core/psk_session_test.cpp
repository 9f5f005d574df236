// Collectors that prove their key through TLS, on real loopback sockets.
#include <catch2/catch.hpp>

#include "services/collector_gateway/testing/tls_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT

namespace {

const std::string kKey = "0123456789abcdef";
const std::string kOtherKey = "fedcba9876543210";

BusEntryPtr Keyed(const std::string& id, const std::string& key, Assurance assurance) {
  BusEntry entry = *EntryOf(id);
  entry.key = std::make_shared<const std::string>(key);
  entry.assurance = assurance;
  return std::make_shared<const BusEntry>(entry);
}

struct PskBench : TlsBench {
  explicit PskBench(Assurance assurance = Assurance::kTlsPsk, bool required = false) : TlsBench(required) {
    bench.Publish({Keyed("VW-1", kKey, assurance), Keyed("VW-2", kOtherKey, Assurance::kId), EntryOf("VW-3")});
  }
  double Refused(Refusal refusal) {
    bench.Settle();
    return bench.metrics.Refused(refusal).Value();
  }
};

}  // namespace

TEST_CASE("a collector whose key is demanded through TLS registers with it, in TLS 1.2 and 1.3, and works") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    PskBench psk;
    const SharedKey own = {"VW-1", kKey};
    TlsCollector collector(psk.bench.hub.tls_port(), own, version);
    REQUIRE(collector.connected());
    REQUIRE(collector.Send("VW-1\r\n"));
    REQUIRE(psk.Registered(1));
    CHECK(psk.bench.routes.Find({"VW-1", 1})->shown == Assurance::kTlsPsk);
    const auto sink = psk.bench.Submit({ItemOf(1)});
    REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
    REQUIRE(collector.Send(Reply(1)));
    CHECK(sink->Outcomes(1) == "1 ok");
  }
}

TEST_CASE("a wrong key and an identity that nobody has fail the handshake and are counted; nothing falls back") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    PskBench psk;
    const std::vector<SharedKey> wrong = {{"VW-1", kOtherKey}, {"VW-9", kKey}, {"VW-3", kKey}};
    double refused = 0;
    for (const SharedKey& shared : wrong) {
      TlsCollector collector(psk.bench.hub.tls_port(), shared, version);
      CHECK_FALSE(collector.connected());
      CHECK(psk.Refused(Refusal::kTlsPsk) == ++refused);
    }
    CHECK(psk.bench.routes.size() == 0);
    CHECK(psk.bench.metrics.registrations.Value() == 0);
  }
}

TEST_CASE("a key lets in its own collector only") {
  PskBench psk(Assurance::kId);
  const SharedKey other = {"VW-2", kOtherKey};
  TlsCollector collector(psk.bench.hub.tls_port(), other, TLS1_3_VERSION);
  REQUIRE(collector.Send("VW-1\r\n"));
  CHECK(collector.Closed());
  CHECK(psk.Refused(Refusal::kWrongCertificate) == 1);
  CHECK(psk.bench.routes.size() == 0);
}

TEST_CASE("where the key is demanded through TLS, neither the bare id nor TLS without a key gets in") {
  PskBench psk;
  FakeCollector plain(psk.bench.hub.port());
  plain.Send("VW-1\r\n");
  CHECK(plain.Closed());
  TlsCollector nameless(psk.bench.hub.tls_port(), psk.server_ca, nullptr);
  REQUIRE(nameless.Send("VW-1\r\n"));
  CHECK(nameless.Closed());
  CHECK(psk.Refused(Refusal::kAssurance) == 2);
  // Its certificate is more than its key.
  const Certificate own("VW-1", &psk.collectors_ca);
  TlsCollector certified(psk.bench.hub.tls_port(), psk.server_ca, &own);
  REQUIRE(certified.Send("VW-1\r\n"));
  CHECK(psk.Registered(1));
}

TEST_CASE("where certificates are required of all, a key is no way around them") {
  PskBench psk(Assurance::kId, /*required=*/true);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const SharedKey own = {"VW-1", kKey};
    TlsCollector collector(psk.bench.hub.tls_port(), own, version);
    CHECK_FALSE(collector.connected());
  }
  CHECK(psk.Refused(Refusal::kTls) == 2);
}

TEST_CASE("a key that is rotated ends the sessions that proved the old one") {
  PskBench psk;
  const SharedKey own = {"VW-1", kKey};
  TlsCollector collector(psk.bench.hub.tls_port(), own, TLS1_3_VERSION);
  REQUIRE(collector.Send("VW-1\r\n"));
  REQUIRE(psk.Registered(1));
  psk.bench.Publish({Keyed("VW-1", kOtherKey, Assurance::kTlsPsk)});
  CHECK(collector.Closed());
  psk.bench.Settle();
  CHECK(psk.bench.book.Has("offline VW-1: key changed"));
  TlsCollector late(psk.bench.hub.tls_port(), own, TLS1_3_VERSION);
  CHECK_FALSE(late.connected());
}
