// Collectors that dial with TLS, on real loopback sockets.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <catch2/catch.hpp>

#include "libs/base/status.h"
#include "libs/testing/process.h"
#include "services/collector_gateway/core/tcp_liveness.h"
#include "services/collector_gateway/testing/tls_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;

namespace {

// Bytes sent that the other end has not acknowledged yet.
int Unacknowledged(int fd) {
  int bytes = -1;
  ioctl(fd, SIOCOUTQ, &bytes);
  return bytes;
}

}  // namespace

TEST_CASE("a collector with its own certificate registers over TLS, and exchanges go both ways") {
  TlsBench tls;
  const Certificate own("VW-1", &tls.collectors_ca);
  TlsCollector collector(tls.bench.hub.tls_port(), tls.server_ca, &own);
  REQUIRE(collector.connected());
  REQUIRE(collector.Send("VW-1\r\n"));
  REQUIRE(tls.Registered(1));
  const auto sink = tls.bench.Submit({ItemOf(1), ItemOf(2)});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  REQUIRE(collector.Send(Reply(1).substr(0, 5)));
  REQUIRE(collector.Send(Reply(1).substr(5)));
  REQUIRE(collector.Receive(Ask(2).size()) == Ask(2));
  REQUIRE(collector.Send(Reply(2)));
  CHECK(sink->Outcomes(2) == "1 ok, 2 ok");
  // Another bus of the same collector has the same certificate.
  TlsCollector second(tls.bench.hub.tls_port(), tls.server_ca, &own);
  REQUIRE(second.Send("VW-1/2\r\n"));
  CHECK(tls.Registered(2));
}

TEST_CASE("a collector that shows another one's certificate is refused") {
  TlsBench tls;
  const Certificate other("VW-2", &tls.collectors_ca);
  TlsCollector collector(tls.bench.hub.tls_port(), tls.server_ca, &other);
  REQUIRE(collector.Send("VW-1\r\n"));
  CHECK(collector.Closed());
  tls.bench.Settle();
  CHECK(tls.bench.metrics.Refused(Refusal::kWrongCertificate).Value() == 1);
  CHECK(tls.bench.routes.size() == 0);
}

TEST_CASE("who shows its certificate takes over at once from who showed none") {
  TlsBench tls;
  FakeCollector thief;
  thief.ConnectFrom(2, tls.bench.hub.port());
  thief.Send("VW-1\r\n");
  REQUIRE(tls.Registered(1));
  const Certificate own("VW-1", &tls.collectors_ca);
  TlsCollector collector(tls.bench.hub.tls_port(), tls.server_ca, &own);
  REQUIRE(collector.Send("VW-1\r\n"));
  CHECK(thief.Closed());
  CHECK(tls.bench.metrics.takeovers.Value() == 0);
  CHECK(tls.bench.routes.Find({"VW-1", 1})->shown == Assurance::kTlsCertificate);
}

TEST_CASE("who shows no certificate is refused while a holder that showed one lives, also from its address") {
  TlsBench tls;
  const Certificate own("VW-1", &tls.collectors_ca);
  TlsCollector holder(tls.bench.hub.tls_port(), tls.server_ca, &own);
  REQUIRE(holder.Send("VW-1\r\n"));
  REQUIRE(tls.Registered(1));
  FakeCollector thief(tls.bench.hub.port());
  thief.Send("VW-1\r\n");
  REQUIRE(Eventually([&] { return tls.bench.metrics.takeovers.Value() == 1; }));
  // From here on only probes come: what the holder sent is acknowledged, and so all that went before has come.
  REQUIRE(Eventually([&] { return Unacknowledged(holder.fd()) == 0; }));
  const uint32_t before = SegmentsReceived(holder.fd());
  REQUIRE(Eventually([&] { return SegmentsReceived(holder.fd()) > before; }));
  tls.bench.Advance(kTakeoverLook);
  CHECK(thief.Closed());
  CHECK(tls.bench.metrics.Refused(Refusal::kTaken).Value() == 1);
  CHECK(tls.bench.routes.Find({"VW-1", 1})->shown == Assurance::kTlsCertificate);
}

TEST_CASE("a collector of which a certificate is demanded gets in with it only, and never is taken over without") {
  TlsBench tls;
  BusEntry strict = *EntryOf("VW-1");
  strict.assurance = Assurance::kTlsCertificate;
  tls.bench.Publish({std::make_shared<const BusEntry>(strict), EntryOf("VW-2")});
  const auto refused = [&] {
    tls.bench.Settle();
    return tls.bench.metrics.Refused(Refusal::kAssurance).Value();
  };
  FakeCollector plain(tls.bench.hub.port());
  plain.Send("VW-1\r\n");
  CHECK(plain.Closed());
  CHECK(refused() == 1);
  TlsCollector nameless(tls.bench.hub.tls_port(), tls.server_ca, nullptr);
  REQUIRE(nameless.Send("VW-1\r\n"));
  CHECK(nameless.Closed());
  CHECK(refused() == 2);
  CHECK(tls.bench.routes.size() == 0);
  const Certificate own("VW-1", &tls.collectors_ca);
  TlsCollector collector(tls.bench.hub.tls_port(), tls.server_ca, &own);
  REQUIRE(collector.Send("VW-1\r\n"));
  REQUIRE(tls.Registered(1));
  // A dead line's id is free for its own certificate only: no probe is asked for, the thief is refused at once.
  FakeCollector thief(tls.bench.hub.port());
  thief.Send("VW-1\r\n");
  CHECK(thief.Closed());
  CHECK(refused() == 3);
  CHECK(tls.bench.metrics.takeovers.Value() == 0);
  CHECK(tls.bench.routes.Find({"VW-1", 1})->shown == Assurance::kTlsCertificate);
}

TEST_CASE("a session that proved less than the directory now demands is closed") {
  TlsBench tls;
  FakeCollector plain = tls.bench.Dial("VW-1");
  FakeCollector other = tls.bench.Dial("VW-2");
  BusEntry strict = *EntryOf("VW-1");
  strict.assurance = Assurance::kTlsCertificate;
  tls.bench.Publish({std::make_shared<const BusEntry>(strict), EntryOf("VW-2")});
  CHECK(plain.Closed());
  tls.bench.Settle();
  CHECK(tls.bench.book.Has("offline VW-1: assurance raised"));
  CHECK(other.Silent());
}

TEST_CASE("a certificate that the collectors' CA did not sign is refused before an id is listened to") {
  TlsBench tls;
  const Certificate forger("forger CA");
  const Certificate forged("VW-1", &forger);
  TlsCollector collector(tls.bench.hub.tls_port(), tls.server_ca, &forged);
  collector.Send("VW-1\r\n");
  CHECK(collector.Closed());
  tls.bench.Settle();
  CHECK(tls.bench.metrics.Refused(Refusal::kTls).Value() == 1);
  CHECK(tls.bench.routes.size() == 0);
}

TEST_CASE("without a certificate a collector registers by its id, unless certificates are required") {
  {
    TlsBench tls;
    TlsCollector collector(tls.bench.hub.tls_port(), tls.server_ca, nullptr);
    REQUIRE(collector.Send("VW-1\r\n"));
    CHECK(tls.Registered(1));
  }
  TlsBench tls(/*required=*/true);
  TlsCollector collector(tls.bench.hub.tls_port(), tls.server_ca, nullptr);
  collector.Send("VW-1\r\n");
  CHECK(collector.Closed());
  tls.bench.Settle();
  CHECK(tls.bench.metrics.Refused(Refusal::kTls).Value() == 1);
  CHECK(tls.bench.routes.size() == 0);
}

TEST_CASE("who speaks no TLS on its port is refused, and plain collectors do not notice") {
  TlsBench tls;
  FakeCollector plain = tls.bench.Dial("VW-2");
  FakeCollector wrong(tls.bench.hub.tls_port());
  wrong.Send("VW-1\r\n");
  CHECK(wrong.Closed());
  tls.bench.Settle();
  CHECK(tls.bench.metrics.Refused(Refusal::kTls).Value() == 1);
  CHECK(plain.Silent());
}

TEST_CASE("a handshake that does not go on is closed after ten seconds") {
  TlsBench tls;
  FakeCollector silent(tls.bench.hub.tls_port());
  silent.Send("\x16\x03\x01");
  REQUIRE(tls.bench.Read(3));
  tls.bench.Advance(kRegistrationTimeout);
  CHECK(silent.Closed());
  CHECK(tls.bench.metrics.Refused(Refusal::kNoRegistration).Value() == 1);
}

TEST_CASE("behind a balancer its header comes before TLS") {
  TlsBench tls(/*required=*/true, {"127.0.0.0/8"});
  const Certificate own("VW-1", &tls.collectors_ca);
  const std::string header = *voltwell::base::FromHex("0D0A0D0A000D0A515549540A2111000C0A0800077F000001C8221DDD");
  TlsCollector collector(tls.bench.hub.tls_port(), tls.server_ca, &own, header);
  REQUIRE(collector.Send("VW-1\r\n"));
  REQUIRE(tls.Registered(1));
  CHECK(ToText(tls.bench.routes.Find({"VW-1", 1})->peer) == "10.8.0.7:51234");
}

TEST_CASE("a reader that is slow gets all that was asked, in order") {
  TlsBench tls;
  TlsCollector collector(tls.bench.hub.tls_port(), tls.server_ca, nullptr);
  REQUIRE(collector.Send("VW-1\r\n"));
  REQUIRE(tls.Registered(1));
  for (uint32_t id = 1; id <= 50; ++id) {
    const auto sink = tls.bench.Submit({ItemOf(id)});
    REQUIRE(collector.Receive(Ask(static_cast<uint8_t>(id)).size()) == Ask(static_cast<uint8_t>(id)));
    REQUIRE(collector.Send(Reply(static_cast<uint8_t>(id))));
    REQUIRE(sink->Outcomes(1) == std::to_string(id) + " ok");
  }
}

TEST_CASE("certificate files that cannot be used end the start") {
  const auto refused = [](const TlsConfig& config) {
    return voltwell::base::ReasonOf(TlsContext::Make(config).status());
  };
  voltwell::testing::TempDirectory folder{"gateway-tls"};
  const Certificate one("one");
  const Certificate two("two");
  one.Write(folder.path() + "/one.pem", folder.path() + "/one.key");
  two.Write(folder.path() + "/two.pem", folder.path() + "/two.key");
  const std::string certificate = folder.path() + "/one.pem";
  const std::string key = folder.path() + "/one.key";
  CHECK(refused({certificate, key}) == "");
  CHECK(refused({folder.path() + "/none.pem", key}) == "BAD_TLS_FILE");
  CHECK(refused({certificate, folder.path() + "/two.key"}) == "BAD_TLS_FILE");
  CHECK(refused({certificate, key, folder.path() + "/none.pem"}) == "BAD_TLS_FILE");
  CHECK(refused({certificate, key, "", true}) == "BAD_TLS_FILE");
}
