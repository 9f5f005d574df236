// The gRPC face: a real server, a real client, a real collector socket; only Redis is a remembered one's place.
#include "services/collector_gateway/service.h"

#include <catch2/catch.hpp>
#include <thread>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "libs/base/status.h"
#include "libs/rpc/client.h"
#include "libs/rpc/test_trust.h"
#include "libs/testing/status.h"
#include "libs/testing/temp_redis.h"
#include "services/collector_gateway/convert.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;
namespace base = voltwell::base;
namespace codec = voltwell::codec;
namespace metrics = voltwell::metrics;
namespace os = voltwell::os;
namespace redis = voltwell::redis;
namespace rpc = voltwell::rpc;

namespace {

void SetMatchers(const voltwell::codec::frame::ReplyMatcher& matcher, codec::v1::Exchange& out) {
  for (const auto& pattern : matcher.any_of) {
    codec::v1::Matcher& added = *out.add_matchers();
    for (const auto& byte : pattern) {
      codec::v1::MatchByte& match = *added.add_bytes();
      match.set_offset(byte.offset);
      match.set_mask(byte.mask);
      match.set_value(byte.value);
    }
  }
}

void AddRead(v1::ExchangeRequest& request, uint32_t id, const std::string& collector = "VW-1") {
  v1::ExchangeItem& item = *request.add_items();
  item.set_id(id);
  item.set_collector(collector);
  item.set_bus(1);
  item.set_tenant("t1");
  item.set_priority(v1::PRIORITY_SCHEDULED);
  codec::v1::Exchange& exchange = *item.mutable_group()->add_exchanges();
  const Exchange read = ReadOf(static_cast<uint8_t>(id));
  exchange.set_request(read.question.request);
  exchange.set_frame_kind(codec::v1::FRAME_KIND_DLT645);
  exchange.mutable_reply_timeout()->set_seconds(5);
  SetMatchers(read.question.replies, exchange);
}

struct World {
  World() {
    REQUIRE_OK(gateway.Start());
    gateway.hub().UseDirectory(std::make_shared<const DirectoryCopy>(1, std::vector{EntryOf("VW-1"), EntryOf("VW-2")}),
                               true);
    server.Add(service);
    REQUIRE(server.Start());
  }
  ~World() { server.Stop(); }

  FakeCollector Dial(const std::string& id) {
    const size_t before = gateway.hub().routes().size();
    FakeCollector collector(gateway.hub().port());
    collector.Send(id);
    REQUIRE(Eventually([&] { return gateway.hub().routes().size() > before; }));
    return collector;
  }
  rpc::Target target() { return {.target = absl::StrCat("127.0.0.1:", server.port()), .service = "collector_gateway"}; }
  std::unique_ptr<grpc::ClientContext> Context() {
    auto context = std::make_unique<grpc::ClientContext>();
    rpc::Bear(*context, scheduler, "collector_gateway", {.tenant = "t1", .subject = "s", .permissions = {"*"}});
    return context;
  }
  // All results in the order in which they came; the stream's end.
  absl::Status Exchange(const v1::ExchangeRequest& request, std::vector<v1::ExchangeResult>& results) {
    const auto context = Context();
    const auto stub =
        v1::GatewayService::NewStub(grpc::CreateChannel(target().target, grpc::InsecureChannelCredentials()));
    const auto reader = stub->Exchange(context.get(), request);
    v1::ExchangeResponse response;
    while (reader->Read(&response)) {
      for (const v1::ExchangeResult& result : response.results()) results.push_back(result);
    }
    return rpc::FromGrpc(reader->Finish());
  }

  os::SystemClock clock;
  os::SystemRandom random;
  metrics::Registry registry;
  GatewayMetrics gateway_metrics{registry};
  voltwell::testing::TempRedis redis_server;
  redis::Client client{redis_server.config(), registry};
  // No directory in Redis: the test's own is used.
  Gateway gateway{
      {.listen = "127.0.0.1", .port = 0}, {"pod-a", "here"}, "/nonexistent", client, clock, random, gateway_metrics};
  rpc::TestTrust trust;
  rpc::TokenIssuer scheduler{"meter_scheduler", trust.Key("meter_scheduler"), clock};
  rpc::TokenIssuer front{"api_gateway", trust.Key("api_gateway"), clock};
  rpc::TokenVerifier verifier{"collector_gateway", trust.directory(), clock, registry};
  rpc::Door door{"collector_gateway", verifier, clock, registry};
  GatewayService service{"pod-a", gateway, door, clock, gateway_metrics};
  rpc::Server server{
      {.listen = "127.0.0.1", .port = 0, .metrics_port = 0, .drain = absl::Seconds(5)}, "collector_gateway", registry};
};

}  // namespace

TEST_CASE("every item of an Exchange call gets exactly one result, and the stream ends") {
  World world;
  FakeCollector collector = world.Dial("VW-1");
  v1::ExchangeRequest request;
  AddRead(request, 1);
  AddRead(request, 2);
  AddRead(request, 3, "VW-2");
  std::vector<v1::ExchangeResult> results;
  std::thread meters([&] {
    for (const uint8_t meter : {1, 2}) {
      if (collector.Receive(Ask(meter).size()) == Ask(meter)) collector.Send(Reply(meter));
    }
  });
  const absl::Status status = world.Exchange(request, results);
  meters.join();
  REQUIRE_OK(status);
  std::map<uint32_t, std::string> by_id;
  for (const v1::ExchangeResult& result : results) {
    by_id[result.id()] += codec::v1::Outcome_Name(result.outcome());
    if (result.id() == 1) CHECK(result.replies(0).frames(0) == Reply(1));
  }
  CHECK(by_id == std::map<uint32_t, std::string>{{1, "OUTCOME_OK"}, {2, "OUTCOME_OK"}, {3, "OUTCOME_OFFLINE"}});
  CHECK(Eventually([&] { return world.gateway_metrics.streams.Value() == 0; }));
}

TEST_CASE("a call without items, with one too many, or with a wrong one is refused with its position") {
  World world;
  std::vector<v1::ExchangeResult> results;
  v1::ExchangeRequest request;
  CHECK_REASON(world.Exchange(request, results), "BATCH_EMPTY");
  for (uint32_t i = 0; i < kBatchItemsMax; ++i) AddRead(request, i);
  CHECK_OK(world.Exchange(request, results));
  CHECK(results.size() == kBatchItemsMax);
  AddRead(request, 9999);
  CHECK_REASON(world.Exchange(request, results), "BATCH_TOO_LARGE");

  v1::ExchangeRequest wrong;
  AddRead(wrong, 1);
  AddRead(wrong, 1);
  const absl::Status twice = world.Exchange(wrong, results);
  CHECK_REASON(twice, "BAD_EXCHANGE");
  CHECK(base::MetadataOf(twice)["position"] == "1");
  wrong.mutable_items(1)->set_id(2);
  wrong.mutable_items(1)->mutable_group()->mutable_exchanges(0)->set_frame_kind(codec::v1::FRAME_KIND_UNSPECIFIED);
  CHECK_REASON(world.Exchange(wrong, results), "BAD_EXCHANGE");
}

TEST_CASE("an M-Bus exchange is cut by its own kind: E5H alone is the answer to SND_NKE") {
  World world;
  FakeCollector collector = world.Dial("VW-1");
  v1::ExchangeRequest request;
  AddRead(request, 1);
  codec::v1::Exchange& exchange = *request.mutable_items(0)->mutable_group()->mutable_exchanges(0);
  exchange.set_request("\x10\x40\x05\x45\x16");
  exchange.set_frame_kind(codec::v1::FRAME_KIND_MBUS);
  exchange.clear_matchers();
  codec::v1::MatchByte& byte = *exchange.add_matchers()->add_bytes();
  byte.set_mask(0xFF);
  byte.set_value(0xE5);
  std::vector<v1::ExchangeResult> results;
  std::thread meter([&] {
    if (collector.Receive(5) == exchange.request()) collector.Send("\x01\xE5");
  });
  const absl::Status status = world.Exchange(request, results);
  meter.join();
  REQUIRE_OK(status);
  REQUIRE(results.size() == 1);
  REQUIRE(results[0].replies_size() == 1);
  CHECK(results[0].replies(0).frames(0) == "\xE5");
}

TEST_CASE("every frame kind of the contract is one that the cutter knows, and no other number is taken") {
  v1::ExchangeRequest request;
  AddRead(request, 1);
  codec::v1::Exchange& exchange = *request.mutable_items(0)->mutable_group()->mutable_exchanges(0);
  for (int kind = codec::v1::FrameKind_MIN; kind <= codec::v1::FrameKind_MAX + 1; ++kind) {
    exchange.set_frame_kind(static_cast<codec::v1::FrameKind>(kind));
    if (kind < codec::v1::FRAME_KIND_DLT645 || kind > codec::v1::FRAME_KIND_MBUS) {
      CHECK_REASON(Check(request), "BAD_EXCHANGE");
      continue;
    }
    CHECK_OK(Check(request));
    CHECK(ToItem(request.items(0), Instant{}).exchanges[0].frame_kind == static_cast<codec::frame::FrameKind>(kind));
  }
}

TEST_CASE("the contract's limits are checked at one beyond each") {
  const auto refused = [](const std::function<void(v1::ExchangeItem&)>& spoil) {
    v1::ExchangeRequest request;
    AddRead(request, 1);
    CHECK_OK(Check(request));
    spoil(*request.mutable_items(0));
    return base::ReasonOf(Check(request)) == "BAD_EXCHANGE";
  };
  const auto exchange = [](v1::ExchangeItem& item) { return item.mutable_group()->mutable_exchanges(0); };
  CHECK(refused([&](v1::ExchangeItem& item) { exchange(item)->set_request(std::string(kRequestBytesMax + 1, 'x')); }));
  CHECK(refused([&](v1::ExchangeItem& item) { exchange(item)->set_request(""); }));
  CHECK(refused([&](v1::ExchangeItem& item) { exchange(item)->mutable_reply_timeout()->set_seconds(61); }));
  CHECK(refused([&](v1::ExchangeItem& item) { exchange(item)->clear_matchers(); }));
  CHECK(refused([&](v1::ExchangeItem& item) {
    while (exchange(item)->matchers_size() <= kMatchersMax) exchange(item)->add_matchers();
  }));
  CHECK(refused([&](v1::ExchangeItem& item) {
    while (exchange(item)->matchers(0).bytes_size() <= kMatchBytesMax) exchange(item)->mutable_matchers(0)->add_bytes();
  }));
  CHECK(refused([&](v1::ExchangeItem& item) {
    while (exchange(item)->follow_up().steps_size() <= kFollowUpStepsMax) {
      exchange(item)->mutable_follow_up()->add_steps()->set_request("x");
    }
  }));
  CHECK(refused([&](v1::ExchangeItem& item) {
    while (item.group().exchanges_size() <= kGroupExchangesMax)
      *item.mutable_group()->add_exchanges() = *exchange(item);
  }));
  CHECK(refused([](v1::ExchangeItem& item) { item.set_priority(v1::PRIORITY_UNSPECIFIED); }));
  CHECK(refused([](v1::ExchangeItem& item) { item.clear_tenant(); }));
}

TEST_CASE("a client that goes takes its waiting items along, and the bus goes on for others") {
  World world;
  FakeCollector collector = world.Dial("VW-1");
  v1::ExchangeRequest request;
  AddRead(request, 1);
  AddRead(request, 2);
  const auto context = world.Context();
  const auto stub =
      v1::GatewayService::NewStub(grpc::CreateChannel(world.target().target, grpc::InsecureChannelCredentials()));
  const auto reader = stub->Exchange(context.get(), request);
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  context->TryCancel();
  v1::ExchangeResponse response;
  while (reader->Read(&response)) {
  }
  CHECK(reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
  REQUIRE(Eventually([&] { return world.gateway_metrics.streams.Value() == 0; }));

  std::vector<v1::ExchangeResult> results;
  v1::ExchangeRequest next;
  AddRead(next, 3);
  std::thread meters([&] {
    collector.Send(Reply(1));
    if (collector.Receive(Ask(3).size()) == Ask(3)) collector.Send(Reply(3));
  });
  CHECK_OK(world.Exchange(next, results));
  meters.join();
  REQUIRE(results.size() == 1);
  CHECK(results[0].outcome() == codec::v1::OUTCOME_OK);
}

TEST_CASE("one Exchange call beyond the limit is refused") {
  World world;
  world.gateway_metrics.streams.Set(kExchangeStreamsMax);
  v1::ExchangeRequest request;
  AddRead(request, 1);
  std::vector<v1::ExchangeResult> results;
  CHECK_REASON(world.Exchange(request, results), "TOO_MANY_STREAMS");
  world.gateway_metrics.streams.Set(kExchangeStreamsMax - 1);
  CHECK_OK(world.Exchange(request, results));
}

TEST_CASE("sessions are listed in pages, found, and closed") {
  World world;
  FakeCollector second = world.Dial("VW-2");
  FakeCollector first = world.Dial("VW-1");
  rpc::Client<v1::GatewayService> client(world.target(), world.scheduler, world.clock, world.registry);
  using Stub = v1::GatewayService::Stub;
  v1::ListSessionsRequest list;
  list.set_page_size(1);
  auto page = client.Call(&Stub::ListSessions, list);
  REQUIRE_OK(page);
  REQUIRE(page->sessions_size() == 1);
  CHECK(page->sessions(0).collector() == "VW-1");
  CHECK(page->sessions(0).pod() == "pod-a");
  CHECK(page->sessions(0).bytes_in() == 4);
  list.set_page_token(page->next_page_token());
  page = client.Call(&Stub::ListSessions, list);
  REQUIRE_OK(page);
  REQUIRE(page->sessions_size() == 1);
  CHECK(page->sessions(0).collector() == "VW-2");
  CHECK(page->next_page_token().empty());
  list.set_page_token("what");
  CHECK_REASON(client.Call(&Stub::ListSessions, list), "BAD_PAGE_TOKEN");

  v1::GetSessionRequest get;
  get.set_collector("VW-2");
  CHECK(client.Call(&Stub::GetSession, get)->bus() == 1);
  v1::CloseSessionRequest close;
  CHECK_REASON(client.Call(&Stub::CloseSession, close), "COLLECTOR_MISSING");
  close.set_collector("VW-2");
  CHECK(client.Call(&Stub::CloseSession, close)->closed() == 1);
  CHECK(second.Closed());
  REQUIRE(
      Eventually([&] { return base::ReasonOf(client.Call(&Stub::GetSession, get).status()) == "SESSION_NOT_HERE"; }));
  CHECK(first.Silent());
}

TEST_CASE("without a token, and for services that are no callers of it, an Exchange is refused") {
  World world;
  const auto stub =
      v1::GatewayService::NewStub(grpc::CreateChannel(world.target().target, grpc::InsecureChannelCredentials()));
  v1::ExchangeRequest request;
  AddRead(request, 1);
  v1::ExchangeResponse response;
  grpc::ClientContext nobody;
  const auto reader = stub->Exchange(&nobody, request);
  CHECK_FALSE(reader->Read(&response));
  CHECK(reader->Finish().error_code() == grpc::StatusCode::UNAUTHENTICATED);

  grpc::ClientContext front;
  rpc::Bear(front, world.front, "collector_gateway", {.tenant = "t1", .subject = "u", .permissions = {"*"}});
  const auto other = stub->Exchange(&front, request);
  CHECK_FALSE(other->Read(&response));
  CHECK(other->Finish().error_code() == grpc::StatusCode::PERMISSION_DENIED);
}

TEST_CASE("a drained gateway finishes what is on the bus, tells its caller, and refuses what comes later") {
  World world;
  FakeCollector collector = world.Dial("VW-1");
  v1::ExchangeRequest request;
  AddRead(request, 1);
  AddRead(request, 2);
  std::vector<v1::ExchangeResult> results;
  absl::Status status;
  std::thread caller([&] { status = world.Exchange(request, results); });
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  std::thread drain([&] { world.service.Drain(); });
  std::vector<v1::ExchangeResult> none;
  CHECK(Eventually([&] { return base::ReasonOf(world.Exchange(request, none)) == "GATEWAY_DRAINING"; }));
  collector.Send(Reply(1));
  caller.join();
  drain.join();
  REQUIRE_OK(status);
  CHECK(results.size() == 2);
  CHECK(collector.Closed());
  CHECK(world.client.Call({"KEYS", "session:*"})->items.empty());
}

TEST_CASE("a bus's health tells counts, meters, a verdict and who is alive") {
  World world;
  FakeCollector collector = world.Dial("VW-1");
  v1::ExchangeRequest request;
  AddRead(request, 1);
  request.mutable_items(0)->set_attempt(2);
  std::vector<v1::ExchangeResult> results;
  std::thread meter([&] {
    if (collector.Receive(Ask(1).size()) == Ask(1)) collector.Send(Reply(1));
  });
  const absl::Status status = world.Exchange(request, results);
  meter.join();
  REQUIRE_OK(status);

  const auto stub =
      v1::GatewayService::NewStub(grpc::CreateChannel(world.target().target, grpc::InsecureChannelCredentials()));
  v1::GetBusHealthRequest asked;
  asked.set_collector("VW-1");
  v1::BusHealth health;
  REQUIRE(stub->GetBusHealth(world.Context().get(), asked, &health).ok());
  CHECK(health.bus() == 1);
  CHECK(health.tenant() == "t1");
  CHECK(health.counts().asked() == 1);
  CHECK(health.counts().retries() == 1);
  CHECK(health.counts().answered() == 1);
  CHECK(health.verdict() == v1::BUS_VERDICT_UNSPECIFIED);
  REQUIRE(health.meters_size() == 1);
  CHECK(health.meters(0).label() == std::string(6, '\x01'));
  CHECK(health.meters(0).liveness().state() == v1::Liveness::STATE_ALIVE);
  CHECK(health.meters(0).round_trips_size() == health.round_trip_ms_size() + 1);
  CHECK(health.socket().reason() == v1::Liveness::REASON_BYTES_SEEN);

  asked.set_bus(2);
  CHECK_REASON(rpc::FromGrpc(stub->GetBusHealth(world.Context().get(), asked, &health)), "SESSION_NOT_HERE");
}

TEST_CASE("a trace is started, read, and refused where there is none or for too long") {
  World world;
  FakeCollector collector = world.Dial("VW-1");
  const auto stub =
      v1::GatewayService::NewStub(grpc::CreateChannel(world.target().target, grpc::InsecureChannelCredentials()));
  v1::StartTraceRequest start;
  start.set_collector("VW-1");
  v1::GetTraceRequest get;
  get.set_collector("VW-1");
  v1::Trace trace;
  CHECK_REASON(rpc::FromGrpc(stub->GetTrace(world.Context().get(), get, &trace)), "TRACE_NOT_HERE");
  REQUIRE(stub->StartTrace(world.Context().get(), start, &trace).ok());
  CHECK(trace.end_time().seconds() - trace.start_time().seconds() == 600);
  collector.Send("ping");
  REQUIRE(
      Eventually([&] { return stub->GetTrace(world.Context().get(), get, &trace).ok() && trace.frames_size() == 1; }));
  CHECK(trace.frames(0).data() == "ping");
  CHECK(trace.frames(0).direction() == v1::TraceFrame::DIRECTION_UP);

  start.mutable_duration()->set_seconds(3601);
  CHECK_REASON(rpc::FromGrpc(stub->StartTrace(world.Context().get(), start, &trace)), "BAD_DURATION");
  start.clear_duration();
  start.set_collector("VW-9");
  CHECK_REASON(rpc::FromGrpc(stub->StartTrace(world.Context().get(), start, &trace)), "SESSION_NOT_HERE");
}

TEST_CASE("who watches hears who comes and goes, and is told when the gateway drains") {
  World world;
  const auto stub =
      v1::GatewayService::NewStub(grpc::CreateChannel(world.target().target, grpc::InsecureChannelCredentials()));
  const auto context = world.Context();
  const auto reader = stub->WatchSessions(context.get(), {});
  v1::WatchSessionsResponse response;
  REQUIRE(reader->Read(&response));
  CHECK(response.changes().empty());
  FakeCollector collector = world.Dial("VW-1");
  REQUIRE(reader->Read(&response));
  REQUIRE(response.changes_size() == 1);
  CHECK(response.changes(0).collector() == "VW-1");
  CHECK(response.changes(0).online());
  collector.Hang();
  REQUIRE(reader->Read(&response));
  CHECK(response.changes(0).reason() == "closed by peer");
  CHECK_FALSE(response.changes(0).online());
  std::thread drain([&] { world.service.Drain(); });
  while (reader->Read(&response)) {
  }
  CHECK_REASON(rpc::FromGrpc(reader->Finish()), "GATEWAY_DRAINING");
  drain.join();
}
