// Server streams through the whole door: what ends them, and what a watching page is told.
#include <catch2/catch.hpp>

#include "services/api_gateway/live.h"
#include "services/api_gateway/streams.h"
#include "services/api_gateway/suite_testing.h"

namespace voltwell::front {

using namespace testing_suite;

TEST_CASE("a client that leaves cancels the call behind") {
  Suite suite;
  auto client = std::make_unique<TestClient>(suite.server->port());
  suite.behind.endless = true;
  suite.behind.messages_wanted = 1;
  SECTION("unary") {
    REQUIRE(client->Send(http::Post("/voltwell.probe.v1.ProbeService/Hang", "application/json", "\"x\"",
                                    "Authorization: Bearer good\r\n")));
    REQUIRE(testing::Eventually([&] {
      const std::lock_guard lock(suite.behind.mutex);
      return !suite.behind.metadata.empty();
    }));
    client->Reset();
  }
  SECTION("stream") {
    StartStream(*client, "probe.v1.ProbeService/Count", "\"x\"");
    CHECK(ReadFrame(*client).payload == "\"n0\"");
  }
  client.reset();
  CHECK(testing::Eventually([&] {
    const std::lock_guard lock(suite.behind.mutex);
    return suite.behind.cancelled == 1;
  }));
  CHECK(testing::Eventually([&] { return suite.door->streams() == 0; }));
}

TEST_CASE("a server stream arrives message by message and ends with an empty error") {
  Suite suite;
  suite.behind.messages_wanted = 200;
  TestClient client(suite.server->port());
  StartStream(client, "probe.v1.ProbeService/Count", "\"x\"");
  for (int i = 0; i < 200; ++i) {
    const Frame frame = ReadFrame(client);
    REQUIRE(frame.flags == 0);
    REQUIRE(frame.payload == absl::StrCat("\"n", i, "\""));
  }
  const Frame end = ReadFrame(client);
  CHECK(end.flags == kEnvelopeEnd);
  CHECK(end.payload == "{}");
  REQUIRE(testing::Eventually([&] { return suite.door->streams() == 0; }));
}

TEST_CASE("a stream that is refused is a stream of nothing but its error") {
  Suite suite;
  TestClient client(suite.server->port());
  REQUIRE(client.Send(
      http::Post("/voltwell.probe.v1.ProbeService/Count", "application/connect+json", Envelope(0, "\"x\""))));
  const auto answer = client.Read();
  CHECK(answer.status == 200);
  REQUIRE(answer.body.size() > kEnvelopeHead);
  CHECK(answer.body[0] == kEnvelopeEnd);
  CHECK(Suite::Has(answer, "{\"error\":{\"code\":\"unauthenticated\""));
}

TEST_CASE("a stream ends when its session has ended") {
  Suite suite;
  suite.behind.messages_wanted = 1;
  suite.behind.endless = true;
  TestClient client(suite.server->port());
  StartStream(client, "probe.v1.ProbeService/Count", "\"x\"");
  CHECK(ReadFrame(client).payload == "\"n0\"");
  suite.sessions_service.ended = true;
  const Frame end = ReadFrame(client);
  CHECK(end.flags == kEnvelopeEnd);
  CHECK(end.payload.find("SESSION_ENDED") != std::string::npos);
  CHECK(end.payload.find("unauthenticated") != std::string::npos);
}

TEST_CASE("a drain ends streams as unavailable, and health says so") {
  Suite suite;
  suite.behind.messages_wanted = 1;
  suite.behind.endless = true;
  TestClient client(suite.server->port());
  StartStream(client, "probe.v1.ProbeService/Count", "\"x\"");
  CHECK(ReadFrame(client).flags == 0);
  REQUIRE(testing::Eventually([&] { return suite.door->Health().first == 200; }));
  suite.door->Drain();
  const Frame end = ReadFrame(client);
  CHECK(end.flags == kEnvelopeEnd);
  CHECK(end.payload.find("\"code\":\"unavailable\"") != std::string::npos);
  CHECK(suite.door->Health().first == 503);
}

TEST_CASE("one stream more than a session may have is refused") {
  Suite suite;
  suite.behind.endless = true;
  std::vector<std::unique_ptr<TestClient>> clients;
  for (size_t i = 0; i < kStreamsPerSessionMax; ++i) {
    clients.push_back(std::make_unique<TestClient>(suite.server->port()));
    StartStream(*clients.back(), "probe.v1.ProbeService/Count", "\"x\"");
  }
  TestClient beyond(suite.server->port());
  REQUIRE(beyond.Send(http::Post("/voltwell.probe.v1.ProbeService/Count", "application/connect+json",
                                 Envelope(0, "\"x\""), "Authorization: Bearer good\r\n")));
  CHECK(Suite::Has(beyond.Read(), "TOO_MANY_STREAMS"));
}

TEST_CASE("one stream more than this process may have is refused, whoever asks") {
  struct Nobody final : http::Responder {
    void Respond(http::Headers, std::string) override {}
    void Begin(http::Headers) override {}
    void Write(std::string, std::function<void(bool)>) override {}
    void End() override {}
    void OnDisconnect(std::function<void()>) override {}
  };
  const auto routes = Routes::Parse(Descriptors());
  REQUIRE(routes.ok());
  os::SystemClock clock;
  metrics::Registry metrics;
  Visitors visitors;
  const House house{**routes, clock, metrics, visitors};
  Streams streams(metrics);
  const auto open = [&](size_t session) {
    auto visit = std::make_shared<Visit>(house, http::Request(), std::make_shared<Nobody>());
    visit->identity.session = absl::StrCat(session);
    return streams.Open(std::move(visit)).status();
  };
  for (size_t i = 0; i < kStreamsMax; ++i) REQUIRE(open(i).ok());
  CHECK(base::ReasonOf(open(kStreamsMax)) == "TOO_MANY_STREAMS");
  streams.Drain();
  CHECK(streams.size() == 0);
  CHECK(base::ReasonOf(open(0)) == "FRONT_DRAINING");
  CHECK(visitors.AwaitNone(absl::Seconds(1)));
}

TEST_CASE("a page that watches is told at once that it is connected, then what happens") {
  Suite suite;
  TestClient client(suite.server->port());
  StartStream(client, "front.v1.LiveService/Watch", "{\"topics\":[\"collector.\"]}");
  CHECK(ReadFrame(client).payload.find("\"time\"") != std::string::npos);
  REQUIRE(testing::Eventually([&] { return suite.events_service.Subscribed(); }));
  CHECK(suite.events_service.from_now);
  registry::Collector collector;
  collector.set_name("collectors/c1");
  event::Event news;
  news.set_type("collector.online");
  news.set_key("collectors/c1");
  news.set_tenant("t1");
  news.set_permission("collector.read");
  news.set_payload(collector.SerializeAsString());
  news.set_payload_type("voltwell.registry.v1.Collector");
  REQUIRE(suite.events_service.Tell(news));
  const Frame frame = ReadFrame(client);
  CHECK(frame.flags == 0);
  CHECK(frame.payload.find("\"collectors\":[{\"name\":\"collectors/c1\"}]") != std::string::npos);
}

TEST_CASE("more topics than a page may name end the watch") {
  Suite suite;
  std::string topics = "\"a\"";
  for (size_t i = 0; i < kLiveTopicsMax; ++i) topics += ",\"a\"";
  TestClient client(suite.server->port());
  StartStream(client, "front.v1.LiveService/Watch", absl::StrCat("{\"topics\":[", topics, "]}"));
  CHECK(ReadFrame(client).payload.find("TOO_MANY_TOPICS") != std::string::npos);
}

}  // namespace voltwell::front
