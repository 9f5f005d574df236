// The whole door over real sockets, before a registry and a service that the test plays.
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/wrappers.pb.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server_builder.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/http/test_client.h"
#include "libs/os/files.h"
#include "libs/os/worker.h"
#include "libs/rpc/door.h"
#include "libs/testing/eventually.h"
#include "services/api_gateway/envelope.h"
#include "services/api_gateway/front_door.h"
#include "services/api_gateway/gzip.h"
#include "services/api_gateway/metrics_port.h"
#include "voltwell/event/v1/event_service.grpc.pb.h"
#include "voltwell/registry/v1/session_service.grpc.pb.h"
#include "voltwell/rpc/v1/identity.pb.h"

namespace voltwell::front {
namespace {

namespace pb = google::protobuf;
namespace registry = voltwell::registry::v1;
namespace event = voltwell::event::v1;

using http::TestClient;

// A service that no code of ours knows: its descriptors are made here and travel like all others.
pb::FileDescriptorProto ProbeFile() {
  pb::FileDescriptorProto file;
  file.set_name("voltwell/probe/v1/probe_service.proto");
  file.set_package("voltwell.probe.v1");
  file.set_syntax("proto3");
  file.add_dependency("google/protobuf/wrappers.proto");
  file.add_dependency("voltwell/rpc/v1/options.proto");
  auto* service = file.add_service();
  service->set_name("ProbeService");
  for (const char* name : {"Echo", "Read", "Count", "Fail", "Hang", "Hidden"}) {
    auto* method = service->add_method();
    method->set_name(name);
    method->set_input_type(".google.protobuf.StringValue");
    method->set_output_type(".google.protobuf.StringValue");
    method->set_server_streaming(method->name() == "Count");
    auto* rules = method->mutable_options()->MutableExtension(voltwell::rpc::v1::rules);
    rules->add_audience(method->name() == "Hidden" ? voltwell::rpc::v1::AUDIENCE_INTERNAL
                                                   : voltwell::rpc::v1::AUDIENCE_OPERATOR);
    rules->set_permission("probe.use");
    rules->set_idempotency(voltwell::rpc::v1::IDEMPOTENCY_SAFE);
    if (!method->server_streaming()) rules->mutable_max_deadline()->set_seconds(5);
    if (method->name() == "Read") method->mutable_options()->set_idempotency_level(pb::MethodOptions::NO_SIDE_EFFECTS);
  }
  return file;
}

std::string Descriptors() {
  pb::FileDescriptorSet files;
  VW_CHECK(files.ParseFromString(*os::ReadFile(VOLTWELL_DESCRIPTORS)));
  bool has_wrappers = false;
  for (const auto& file : files.file()) has_wrappers |= file.name() == "google/protobuf/wrappers.proto";
  if (!has_wrappers) pb::StringValue::descriptor()->file()->CopyTo(files.add_file());
  *files.add_file() = ProbeFile();
  return files.SerializeAsString();
}

std::string TextOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  VW_CHECK(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const auto& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  pb::StringValue value;
  VW_CHECK(value.ParseFromString(bytes));
  return value.value();
}

grpc::ByteBuffer BufferOf(const std::string& text) {
  pb::StringValue value;
  value.set_value(text);
  const grpc::Slice slice(value.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

// What the service behind saw and did.
struct Behind {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::string> metadata;  // Of the last call.
  absl::Duration deadline_left = {};
  int cancelled = 0;
  int messages_wanted = 0;  // Count sends this many, then waits for the cancel when negative one follows.
  bool endless = false;

  void Saw(const grpc::GenericCallbackServerContext& context) {
    const std::lock_guard lock(mutex);
    metadata.clear();
    for (const auto& [name, value] : context.client_metadata()) {
      metadata[std::string(name.data(), name.size())] = std::string(value.data(), value.size());
    }
    deadline_left = absl::FromChrono(context.deadline()) - absl::Now();
  }
};

class ProbeReactor final : public grpc::ServerGenericBidiReactor {
 public:
  ProbeReactor(Behind& behind, std::string method, bool endless, int messages)
      : behind_(behind), method_(std::move(method)), endless_(endless), messages_(messages) {
    StartRead(&request_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    const std::string text = TextOf(request_);
    if (method_ == "Hang") return;
    if (method_ == "Fail") {
      return Finish(
          rpc::ToGrpc(base::FailedPrecondition("PROBE_FAILED", "坏了: " + text, {{"position", "3"}}), "probe"));
    }
    if (method_ == "Count") return Next();
    answer_ = BufferOf(text);
    StartWriteAndFinish(&answer_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void OnWriteDone(bool ok) override {
    if (ok && method_ == "Count") Next();
  }
  void OnCancel() override {
    {
      const std::lock_guard lock(behind_.mutex);
      ++behind_.cancelled;
      behind_.changed.notify_all();
    }
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (sent_ == messages_) {
      if (!endless_) Finish(grpc::Status::OK);
      return;
    }
    answer_ = BufferOf(absl::StrCat("n", sent_++));
    StartWrite(&answer_);
  }

  Behind& behind_;
  const std::string method_;
  const bool endless_;
  const int messages_;
  int sent_ = 0;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer answer_;
};

class ProbeService final : public grpc::CallbackGenericService {
 public:
  explicit ProbeService(Behind& behind) : behind_(behind) {}
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    behind_.Saw(*context);
    const std::string path = context->method();
    const std::lock_guard lock(behind_.mutex);
    return new ProbeReactor(behind_, path.substr(path.rfind('/') + 1), behind_.endless, behind_.messages_wanted);
  }

 private:
  Behind& behind_;
};

class FakeSessions final : public registry::SessionService::Service {
 public:
  grpc::Status Login(grpc::ServerContext*, const registry::LoginRequest* request,
                     registry::LoginResponse* response) override {
    if (request->password() != "right") {
      return rpc::ToGrpc(base::Unauthenticated("LOGIN_FAILED", "wrong name or password"), "registry");
    }
    response->set_token("good");
    response->set_user("users/1");
    response->mutable_expire_time()->set_seconds(absl::ToUnixSeconds(absl::Now() + absl::Hours(8)));
    return grpc::Status::OK;
  }
  grpc::Status Logout(grpc::ServerContext*, const registry::LogoutRequest*, registry::LogoutResponse*) override {
    ended = true;
    return grpc::Status::OK;
  }
  grpc::Status Authenticate(grpc::ServerContext* context, const registry::AuthenticateRequest* request,
                            registry::AuthenticateResponse* response) override {
    ++asked;
    if (context->client_metadata().count("authorization") == 0)
      return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "");
    for (const std::string& token : request->tokens()) {
      auto* identity = response->add_identities();
      if (ended || (token != "good" && token != "poor" && token != "resident")) continue;
      identity->set_valid(true);
      identity->set_subject("users/1");
      identity->set_tenant("t1");
      identity->set_session("sessions/" + token);
      identity->set_caller_kind(token == "resident" ? "RESIDENT" : "OPERATOR");
      identity->add_permissions(token == "poor" ? "meter.read" : "*");
    }
    return grpc::Status::OK;
  }
  std::atomic<bool> ended{false};
  std::atomic<int> asked{0};
};

class FakeEvents final : public event::EventService::CallbackService {
 public:
  class Reactor final : public grpc::ServerWriteReactor<event::SubscribeResponse> {
   public:
    explicit Reactor(FakeEvents& owner) : owner_(owner) {}
    void Send(const event::Event& news) {
      *response_.mutable_events()->Add() = news;
      StartWrite(&response_);
    }
    void OnWriteDone(bool) override {}
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override {
      const std::lock_guard lock(owner_.mutex);
      if (owner_.open == this) owner_.open = nullptr;
      delete this;
    }

   private:
    FakeEvents& owner_;
    event::SubscribeResponse response_;
  };
  grpc::ServerWriteReactor<event::SubscribeResponse>* Subscribe(grpc::CallbackServerContext*,
                                                                const event::SubscribeRequest* request) override {
    const std::lock_guard lock(mutex);
    from_now = request->from_now();
    open = new Reactor(*this);
    return open;
  }
  bool Tell(const event::Event& news) {
    const std::lock_guard lock(mutex);
    if (open == nullptr) return false;
    open->Send(news);
    return true;
  }
  bool Subscribed() {
    const std::lock_guard lock(mutex);
    return open != nullptr;
  }
  std::mutex mutex;
  Reactor* open = nullptr;
  bool from_now = false;
};

// Everything between a browser's socket and the service behind.
struct Suite {
  explicit Suite(const std::function<void(Config&)>& change = nullptr) {
    probe = std::make_unique<ProbeService>(behind);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&sessions_service);
    builder.RegisterService(&events_service);
    builder.RegisterCallbackGenericService(probe.get());
    grpc_server = builder.BuildAndStart();
    REQUIRE(grpc_server != nullptr);
    if (change) change(config);
    auto parsed = Routes::Parse(Descriptors());
    REQUIRE(parsed.ok());
    routes = *std::move(parsed);
    const std::string here = absl::StrCat("127.0.0.1:", port);
    auto connected =
        Upstreams::Connect({"registry=" + here, "probe=" + here, "scheduler=" + here}, issuer, clock, metrics);
    REQUIRE(connected.ok());
    upstreams = std::make_unique<Upstreams>(*std::move(connected));
    sessions = std::make_unique<Sessions>(AskRegistry(upstreams->Find("registry"), clock), clock, metrics);
    live = std::make_unique<Live>(clock, metrics);
    live->Follow(upstreams->Find("registry"), {"collector."});
    door = std::make_unique<FrontDoor>(FrontDoor::Parts{config, *routes, *Networks::Parse(config.trusted_proxies),
                                                        *upstreams, *sessions, *live, issuer, clock, metrics});
    server = std::make_unique<http::Server>("127.0.0.1", 0, ServerLimits(config), 2, HandlerOf(*door), metrics);
    REQUIRE(server->Start().ok());
    tick = std::make_unique<os::Worker>("tick", [this] {
      door->Tick();
      return absl::Milliseconds(50);
    });
  }
  ~Suite() {
    door->Drain();
    server->Drain(absl::Seconds(5));
    tick->Stop();
    live->Stop();
    CHECK(door->AwaitIdle(absl::Seconds(5)));
    grpc_server->Shutdown(std::chrono::system_clock::now());
  }

  http::TestAnswer Call(const std::string& method, const std::string& json,
                        const std::string& more = "Authorization: Bearer good\r\n") {
    TestClient client(server->port());
    REQUIRE(client.Send(http::Post("/voltwell." + method, "application/json", json, more)));
    return client.Read();
  }
  static bool Has(const http::TestAnswer& answer, const std::string& text) {
    return answer.body.find(text) != std::string::npos;
  }

  Config config;
  os::SystemClock clock;
  metrics::Registry metrics;
  rpc::TokenIssuer issuer{"api_gateway", *crypto::SigningKey::FromSeed(std::string(32, 's')), clock};
  Behind behind;
  std::unique_ptr<ProbeService> probe;
  FakeSessions sessions_service;
  FakeEvents events_service;
  std::unique_ptr<grpc::Server> grpc_server;
  std::unique_ptr<Routes> routes;
  std::unique_ptr<Upstreams> upstreams;
  std::unique_ptr<Sessions> sessions;
  std::unique_ptr<Live> live;
  std::unique_ptr<FrontDoor> door;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<os::Worker> tick;
};

constexpr char kEcho[] = "probe.v1.ProbeService/Echo";

// The envelopes that have come, chunk by chunk; the last one is the end.
struct Frame {
  int flags = -1;
  std::string payload;
};
Frame ReadFrame(TestClient& client) {
  std::string chunk;
  if (client.ReadChunk(chunk) != TestClient::kMore || chunk.size() < kEnvelopeHead) return {};
  return {static_cast<unsigned char>(chunk[0]), chunk.substr(kEnvelopeHead)};
}

void StartStream(TestClient& client, const std::string& path, const std::string& json,
                 const std::string& more = "Authorization: Bearer good\r\n") {
  REQUIRE(client.Send(http::Post("/voltwell." + path, "application/connect+json", Envelope(0, json), more)));
  const auto head = client.ReadHead();
  REQUIRE(head.status == 200);
  CHECK(head.headers.at("content-type") == "application/connect+json");
}

}  // namespace

TEST_CASE("a unary call goes through as JSON and as proto, with identity, request id and address") {
  Suite suite;
  const auto json = suite.Call(kEcho, "\"hello\"", "Authorization: Bearer good\r\nX-Request-Id: r-1\r\n");
  CHECK(json.status == 200);
  CHECK(json.body == "\"hello\"");
  CHECK(json.headers.at("content-type") == "application/json");
  CHECK(json.headers.at("x-request-id") == "r-1");
  CHECK(json.headers.at("cache-control") == "no-store");
  CHECK(suite.behind.metadata.at("x-request-id") == "r-1");
  CHECK(suite.behind.metadata.at("x-client-address") == "127.0.0.1");
  CHECK(suite.behind.deadline_left <= absl::Seconds(6));  // gRPC rounds it up on the wire.

  pb::StringValue value;
  value.set_value("电表");
  TestClient client(suite.server->port());
  REQUIRE(client.Send(http::Post(absl::StrCat("/voltwell.", kEcho), "application/proto", value.SerializeAsString(),
                                 "Authorization: Bearer good\r\n")));
  const auto proto = client.Read();
  CHECK(proto.headers.at("content-type") == "application/proto");
  CHECK(proto.body == value.SerializeAsString());
}

TEST_CASE("the token for the service behind names it, the tenant and who asks") {
  Suite suite;
  CHECK(suite.Call(kEcho, "\"x\"").status == 200);
  const std::string token = suite.behind.metadata.at("authorization").substr(7);
  voltwell::rpc::v1::IdentityClaims claims;
  REQUIRE(claims.ParseFromString(*crypto::FromBase64Url(token.substr(0, token.find('.')))));
  CHECK(claims.issuer() == "api_gateway");
  REQUIRE(claims.audience_size() == 1);
  CHECK(claims.audience(0) == "probe");
  CHECK(claims.tenant() == "t1");
  CHECK(claims.subject() == "users/1");
  CHECK(claims.session() == "sessions/good");
  CHECK(claims.caller_kind() == "OPERATOR");
}

TEST_CASE("an error of the service keeps its code, message and details") {
  Suite suite;
  const auto answer = suite.Call("probe.v1.ProbeService/Fail", "\"why\"");
  CHECK(answer.status == 400);
  CHECK(Suite::Has(answer, "\"code\":\"failed_precondition\""));
  CHECK(Suite::Has(answer, "坏了: why"));
  CHECK(Suite::Has(answer, "\"type\":\"voltwell.rpc.v1.ErrorInfo\""));
  CHECK(Suite::Has(
      answer,
      "\"debug\":{\"reason\":\"PROBE_FAILED\",\"domain\":\"voltwell.probe\",\"metadata\":{\"position\":\"3\"}}"));
}

TEST_CASE("what the door itself refuses has a code, a reason and the right HTTP status") {
  Suite suite;
  struct Row {
    const char* path;
    const char* json;
    const char* more;
    int status;
    const char* reason;
  };
  constexpr char kGood[] = "Authorization: Bearer good\r\n";
  for (const Row& row : {Row{kEcho, "\"x\"", "", 401, "NOT_SIGNED_IN"},
                         Row{kEcho, "\"x\"", "Authorization: Bearer bad\r\n", 401, "SESSION_ENDED"},
                         Row{kEcho, "\"x\"", "Authorization: Bearer poor\r\n", 403, "NOT_PERMITTED"},
                         Row{kEcho, "\"x\"", "Authorization: Bearer resident\r\n", 403, "CALLER_NOT_ALLOWED"},
                         Row{kEcho, "{{", kGood, 400, "BAD_MESSAGE"},
                         Row{"probe.v1.ProbeService/Hidden", "\"x\"", kGood, 404, "METHOD_NOT_FOUND"},
                         Row{"probe.v1.ProbeService/None", "\"x\"", kGood, 404, "METHOD_NOT_FOUND"},
                         Row{"registry.v1.SessionService/Authenticate", "{}", kGood, 404, "METHOD_NOT_FOUND"},
                         Row{"event.v1.EventService/Subscribe", "{}", kGood, 404, "METHOD_NOT_FOUND"}}) {
    INFO(row.path << " " << row.reason);
    const auto answer = suite.Call(row.path, row.json, row.more);
    CHECK(answer.status == row.status);
    CHECK(Suite::Has(answer, row.reason));
  }
  TestClient client(suite.server->port());
  REQUIRE(client.Send(http::Get(absl::StrCat("/voltwell.", kEcho))));
  const auto by_get = client.Read();
  CHECK(by_get.status == 405);
  CHECK(by_get.headers.at("allow") == "POST");
  REQUIRE(client.Send(http::Post(absl::StrCat("/voltwell.", kEcho), "text/plain", "x")));
  CHECK(client.Read().status == 415);
}

TEST_CASE("a method without side effects may be called by GET") {
  Suite suite;
  TestClient client(suite.server->port());
  REQUIRE(client.Send(http::Get("/voltwell.probe.v1.ProbeService/Read?connect=v1&encoding=json&message=%22g%22",
                                "Authorization: Bearer good\r\n")));
  CHECK(client.Read().body == "\"g\"");
}

TEST_CASE("a large answer is packed for whom it may be, a small one never") {
  Suite suite;
  const std::string gzip = "Authorization: Bearer good\r\nAccept-Encoding: gzip\r\n";
  const std::string large = absl::StrCat("\"", std::string(kGzipFrom, 'x'), "\"");
  const auto packed = suite.Call(kEcho, large, gzip);
  CHECK(packed.headers.at("content-encoding") == "gzip");
  CHECK(*Gunzip(packed.body, 1 << 20) == large);
  CHECK(suite.Call(kEcho, large).headers.count("content-encoding") == 0);
  CHECK(suite.Call(kEcho, "\"x\"", gzip).headers.count("content-encoding") == 0);
}

TEST_CASE("the client's timeout ends the call behind") {
  Suite suite;
  const auto answer =
      suite.Call("probe.v1.ProbeService/Hang", "\"x\"", "Authorization: Bearer good\r\nConnect-Timeout-Ms: 200\r\n");
  CHECK(answer.status == 504);
  CHECK(Suite::Has(answer, "DEADLINE_PASSED"));
  CHECK(suite.behind.deadline_left <= absl::Milliseconds(300));
}

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

TEST_CASE("signing in sets the cookie, the cookie lets in, signing out clears it") {
  Suite suite;
  const auto failed = suite.Call("registry.v1.SessionService/Login", "{\"user\":\"a\",\"password\":\"wrong\"}", "");
  CHECK(failed.status == 401);
  CHECK(failed.headers.count("set-cookie") == 0);
  const auto login = suite.Call("registry.v1.SessionService/Login", "{\"user\":\"a\",\"password\":\"right\"}", "");
  CHECK(login.status == 200);
  CHECK(Suite::Has(login, "\"token\":\"good\""));
  CHECK(login.headers.at("set-cookie").find("voltwell_session=good; Path=/; HttpOnly; SameSite=Strict; Max-Age=2") ==
        0);
  const std::string cookie = "Cookie: voltwell_session=good\r\n";
  CHECK(suite.Call(kEcho, "\"x\"", cookie).status == 200);
  const auto foreign = suite.Call(kEcho, "\"x\"", cookie + "Sec-Fetch-Site: cross-site\r\n");
  CHECK(foreign.status == 403);
  CHECK(Suite::Has(foreign, "CROSS_SITE"));
  const auto logout = suite.Call("registry.v1.SessionService/Logout", "{}", cookie);
  CHECK(logout.headers.at("set-cookie").find("voltwell_session=; ") == 0);
  CHECK(logout.headers.at("set-cookie").find("Max-Age=0") != std::string::npos);
  CHECK(suite.Call(kEcho, "\"x\"", cookie).status == 401);  // At once: the cached answer is forgotten.
}

TEST_CASE("sign-ins beyond their rate are refused with a time to wait") {
  Suite suite([](Config& config) { config.logins_per_minute = 2; });
  const std::string wrong = "{\"user\":\"a\",\"password\":\"wrong\"}";
  CHECK(suite.Call("registry.v1.SessionService/Login", wrong, "").status == 401);
  CHECK(suite.Call("registry.v1.SessionService/Login", wrong, "").status == 401);
  const auto limited = suite.Call("registry.v1.SessionService/Login", wrong, "");
  CHECK(limited.status == 429);
  CHECK(Suite::Has(limited, "RATE_LIMITED"));
  CHECK(limited.headers.count("retry-after") == 1);
  CHECK(suite.Call(kEcho, "\"x\"").status == 200);
}

TEST_CASE("without the service behind the answer says so and no more") {
  Suite suite;
  CHECK(suite.Call(kEcho, "\"x\"").status == 200);
  suite.grpc_server->Shutdown(std::chrono::system_clock::now());
  const auto answer = suite.Call(kEcho, "\"x\"");
  CHECK(answer.status == 503);
  CHECK(Suite::Has(answer, "SERVICE_DOWN"));
  CHECK_FALSE(Suite::Has(answer, "127.0.0.1"));
  CHECK(testing::Eventually([&] { return suite.door->Health().first == 503; }));
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

TEST_CASE("proxies we trust tell the client's address") {
  Suite suite([](Config& config) { config.trusted_proxies = {"127.0.0.0/8"}; });
  CHECK(suite.Call(kEcho, "\"x\"", "Authorization: Bearer good\r\nX-Forwarded-For: 1.1.1.1, 203.0.113.7\r\n").status ==
        200);
  CHECK(suite.behind.metadata.at("x-client-address") == "203.0.113.7");
}

}  // namespace voltwell::front
