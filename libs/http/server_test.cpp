// The server over real sockets: what well-behaved clients need, and what others get.
#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

#include "libs/base/status.h"
#include "libs/http/client_testing.h"
#include "libs/http/connection.h"
#include "libs/http/http.h"

namespace voltwell::http {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(5);

// Answers /echo with the body, /big with 1 MiB, /hold later, /stream as told, /silent never.
struct TestServer {
  explicit TestServer(Limits limits = {}, int threads = 2)
      : server(
            "127.0.0.1", 0, limits, threads,
            [this](Request request, std::shared_ptr<Responder> responder) {
              Handle(std::move(request), std::move(responder));
            },
            metrics) {
    REQUIRE(server.Start().ok());
  }

  void Handle(Request request, std::shared_ptr<Responder> responder) {
    if (request.path == "/echo") {
      return responder->Respond({200, {{"x-peer", request.peer}, {"x-noted", request.Header("x-note")}}}, request.body);
    }
    if (request.path == "/big") return responder->Respond({200, {}}, std::string(1 << 20, 'x'));
    if (request.path == "/silent") return;
    responder->OnDisconnect([this] {
      const std::lock_guard lock(mutex);
      ++gone;
      changed.notify_all();
    });
    if (request.path == "/stream") responder->Begin({200, {{"content-type", "text/plain"}}});
    const std::lock_guard lock(mutex);
    held.push_back(std::move(responder));
    changed.notify_all();
  }

  std::shared_ptr<Responder> TakeHeld() {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return !held.empty(); }));
    auto responder = held.front();
    held.erase(held.begin());
    return responder;
  }
  bool WaitGone(int count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(10), [&] { return gone == count; });
  }

  bool IsGone() {
    const std::lock_guard lock(mutex);
    return gone > 0;
  }

  metrics::Registry metrics;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<Responder>> held;
  int gone = 0;
  Server server;
};

}  // namespace

TEST_CASE("a connection is kept for the next request") {
  TestServer test;
  TestClient client(test.server.port());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.Send(Post("/echo", "text/plain", "hello")));
    const auto answer = client.Read();
    CHECK(answer.status == 200);
    CHECK(answer.body == "hello");
    CHECK(answer.headers.at("x-peer") == "127.0.0.1");
    CHECK(answer.headers.count("date") == 1);
  }
}

TEST_CASE("requests sent without waiting are answered in order") {
  TestServer test;
  TestClient client(test.server.port());
  std::string all;
  for (int i = 0; i < 50; ++i) all += Post("/echo", "text/plain", absl::StrCat("n", i));
  REQUIRE(client.Send(all));
  for (int i = 0; i < 50; ++i) CHECK(client.Read().body == absl::StrCat("n", i));
}

TEST_CASE("a request cut at every byte is read all the same") {
  TestServer test;
  TestClient client(test.server.port());
  for (const char c : Post("/echo", "text/plain", "slow")) REQUIRE(client.Send(absl::string_view(&c, 1)));
  CHECK(client.Read().body == "slow");
}

TEST_CASE("a chunked body is joined") {
  TestServer test;
  TestClient client(test.server.port());
  REQUIRE(client.Send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  CHECK(client.Read().body == "abcde");
}

TEST_CASE("a client that waits for 100 Continue is told to go on") {
  TestServer test;
  TestClient client(test.server.port());
  REQUIRE(client.Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  while (client.buffer().find("\r\n\r\n") == std::string::npos) REQUIRE(client.More());
  CHECK(client.buffer() == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(client.Send("ok"));
  CHECK(client.Read().body == "ok");
}

TEST_CASE("HEAD gets the length and no body") {
  TestServer test;
  TestClient client(test.server.port());
  REQUIRE(client.Send("HEAD /big HTTP/1.1\r\nHost: h\r\n\r\n"));
  const auto head = client.Read(true);
  CHECK(head.headers.at("content-length") == "1048576");
  REQUIRE(client.Send(Get("/big")));
  CHECK(client.Read().body.size() == 1048576);
}

TEST_CASE("an HTTP/1.0 client gets its answer and the connection is closed") {
  TestServer test;
  TestClient client(test.server.port());
  REQUIRE(client.Send("GET /big HTTP/1.0\r\n\r\n"));
  CHECK(client.Read().body.size() == 1048576);
  CHECK(client.WaitClosed());
}

TEST_CASE("a header one byte beyond its limit is refused with 431") {
  TestServer test;
  const std::string frame = Get("/echo", "X-Long: \r\n");
  const std::string fits(static_cast<size_t>(Limits().header_bytes) - frame.size(), 'x');
  TestClient client(test.server.port());
  REQUIRE(client.Send(Get("/echo", absl::StrCat("X-Long: ", fits, "\r\n"))));
  CHECK(client.Read().status == 200);
  REQUIRE(client.Send(Get("/echo", absl::StrCat("X-Long: ", fits, "x\r\n"))));
  CHECK(client.Read().status == 431);
  CHECK(client.WaitClosed());
}

TEST_CASE("a body one byte beyond its limit is refused with 413 before it is read") {
  Limits limits;
  limits.body_bytes = 1000;
  TestServer test(limits);
  TestClient client(test.server.port());
  REQUIRE(client.Send(Post("/echo", "text/plain", std::string(1000, 'x'))));
  CHECK(client.Read().status == 200);
  REQUIRE(client.Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n"));
  const auto refused = client.Read();
  CHECK(refused.status == 413);
  CHECK(refused.body.find("resource_exhausted") != std::string::npos);

  TestClient chunked(test.server.port());
  REQUIRE(chunked.Send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                       std::string(1001, 'x') + "\r\n0\r\n\r\n"));
  CHECK(chunked.Read().status == 413);
}

TEST_CASE("the line of a chunk or trailers without end are refused with 431") {
  Limits limits;
  limits.body_timeout = absl::Minutes(5);
  TestServer test(limits);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string begun = GENERATE("3;x=", "3\r\nabc\r\n0\r\nX-Long: ");
  TestClient client(test.server.port());
  REQUIRE(client.Send(head + begun + std::string(static_cast<size_t>(limits.header_bytes) + 1, 'x')));
  CHECK(client.Read().status == 431);
  CHECK(client.WaitClosed());
}

TEST_CASE("trailers do not become headers") {
  TestServer test;
  TestClient client(test.server.port());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n";
  REQUIRE(client.Send(head + "\r\n3\r\nabc\r\n0\r\nX-Note: late\r\n\r\n"));
  auto answer = client.Read();
  CHECK(answer.body == "abc");
  CHECK(answer.headers.at("x-noted").empty());
  REQUIRE(client.Send(head + "X-Note: early\r\n\r\n0\r\n\r\n"));
  CHECK(client.Read().headers.at("x-noted") == "early");
}

TEST_CASE("what is no HTTP is refused with 400") {
  TestServer test;
  for (const char* bytes :
       {"\x16\x03\x01 hello\r\n\r\n", "GET /echo HTTP/1.1\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"}) {
    TestClient client(test.server.port());
    REQUIRE(client.Send(bytes));
    CHECK(client.Read().status == 400);
    CHECK(client.WaitClosed());
  }
}

TEST_CASE("a client that stops in mid-header is refused with 408, one that says nothing is closed") {
  Limits limits;
  limits.header_timeout = absl::Milliseconds(200);
  TestServer test(limits);
  TestClient slow(test.server.port());
  TestClient mute(test.server.port());
  REQUIRE(slow.Send("GET / HTTP/1.1\r\nHo"));
  CHECK(slow.Read().status == 408);
  CHECK(mute.WaitClosed());
}

TEST_CASE("a client that stops in mid-body is refused with 408") {
  Limits limits;
  limits.body_timeout = absl::Milliseconds(200);
  TestServer test(limits);
  TestClient client(test.server.port());
  REQUIRE(client.Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"));
  CHECK(client.Read().status == 408);
}

TEST_CASE("an idle connection is closed after its time") {
  Limits limits;
  limits.idle_timeout = absl::Milliseconds(200);
  TestServer test(limits);
  TestClient client(test.server.port());
  REQUIRE(client.Send(Get("/echo")));
  CHECK(client.Read().status == 200);
  CHECK(client.WaitClosed());
}

TEST_CASE("a client that does not read its answer is cut off") {
  Limits limits;
  limits.write_timeout = absl::Milliseconds(300);
  TestServer test(limits);
  TestClient client(test.server.port());
  std::string all;
  for (int i = 0; i < 64; ++i) all += Get("/big");
  REQUIRE(client.Send(all));
  const std::string cut = "voltwell_http_refused_total{limit=\"write_timeout\",port=\"0\"} 1";
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (test.metrics.Text().find(cut) == std::string::npos) REQUIRE(std::chrono::steady_clock::now() < end);
}

TEST_CASE("one connection too many gets 503, and there is room again when one has gone") {
  Limits limits;
  SECTION("in all") { limits.connections = 3; }
  SECTION("of one address") { limits.connections_per_address = 3; }
  TestServer test(limits);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<TestClient>(test.server.port()));
    REQUIRE(clients.back()->Send(Get("/echo")));
    REQUIRE(clients.back()->Read().status == 200);
  }
  TestClient beyond(test.server.port());
  CHECK(beyond.Read().status == 503);
  clients.pop_back();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    TestClient again(test.server.port());
    again.Send(Get("/echo"));
    if (again.Read().status == 200) break;
    REQUIRE(std::chrono::steady_clock::now() < end);
  }
}

TEST_CASE("out of descriptors the server pauses, and serves whoever waited when there are some again") {
  TestServer test;
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int next_free = ::dup(socket);
  ::close(next_free);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next_free);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  TestClient client(socket, test.server.port());
  const bool sent = client.Send(Get("/echo"));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const std::string none_yet = "voltwell_http_accept_pauses_total{port=\"0\"} 0";
  while (test.metrics.Text().find(none_yet) != std::string::npos && std::chrono::steady_clock::now() < end) {
  }
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(sent);
  CHECK(test.metrics.Text().find(none_yet) == std::string::npos);
  CHECK(client.Read().status == 200);
}

TEST_CASE("a handler that forgets to answer answers 500") {
  TestServer test;
  TestClient client(test.server.port());
  REQUIRE(client.Send(Get("/silent")));
  CHECK(client.Read().status == 500);
}

TEST_CASE("a stream arrives chunk by chunk and the connection is kept") {
  TestServer test;
  TestClient client(test.server.port());
  REQUIRE(client.Send(Get("/stream")));
  const auto responder = test.TakeHeld();
  CHECK(client.ReadHead().headers.at("transfer-encoding") == "chunked");
  std::atomic<int> written{0};
  for (const char* text : {"one", "two"}) {
    responder->Write(text, [&](bool alive) { written += alive ? 1 : 100; });
    std::string chunk;
    REQUIRE(client.ReadChunk(chunk) == TestClient::kMore);
    CHECK(chunk == text);
  }
  responder->End();
  std::string nothing;
  CHECK(client.ReadChunk(nothing) == TestClient::kLast);
  CHECK(written == 2);
  REQUIRE(client.Send(Get("/echo")));
  CHECK(client.Read().status == 200);
}

TEST_CASE("a stream whose writer goes without End looks cut, not whole") {
  TestServer test;
  TestClient client(test.server.port());
  REQUIRE(client.Send(Get("/stream")));
  test.TakeHeld()->Write("half", nullptr);
  const auto answer = client.Read();
  CHECK(answer.body == "half");
  CHECK_FALSE(answer.complete);
}

TEST_CASE("a client that leaves is noticed while its answer is under way") {
  TestServer test;
  auto client = std::make_unique<TestClient>(test.server.port());
  std::shared_ptr<Responder> responder;
  SECTION("before the answer, by a reset") {
    REQUIRE(client->Send(Get("/hold")));
    responder = test.TakeHeld();
    client->Reset();
  }
  SECTION("in a stream") {
    REQUIRE(client->Send(Get("/stream")));
    responder = test.TakeHeld();
    client.reset();
  }
  CHECK(test.WaitGone(1));
}

TEST_CASE("a client that has said all it has to say still gets its answer, but no stream") {
  TestServer test({}, 1);
  TestClient client(test.server.port());
  REQUIRE(client.Send(Get("/hold")));
  const auto responder = test.TakeHeld();
  client.ShutdownSend();
  TestClient later(test.server.port());  // On the same thread: when it has its answer the end was seen.
  REQUIRE(later.Send(Get("/echo")));
  REQUIRE(later.Read().status == 200);
  SECTION("answer") {
    CHECK_FALSE(test.IsGone());
    responder->Respond({200, {}}, "here");
    CHECK(client.Read().body == "here");
    CHECK(client.WaitClosed());
    CHECK_FALSE(test.IsGone());
  }
  SECTION("stream") {
    responder->Begin({200, {}});
    CHECK(test.WaitGone(1));
  }
}

TEST_CASE("more unsent bytes than the write queue holds cut the line") {
  TestServer test;
  TestClient client(test.server.port());
  REQUIRE(client.Send(Get("/stream")));
  const auto responder = test.TakeHeld();
  std::mutex mutex;
  std::condition_variable changed;
  int dead = 0;
  for (size_t sent = 0; sent <= 3 * kWriteQueueBytes; sent += 1 << 20) {
    responder->Write(std::string(1 << 20, 'x'), [&](bool alive) {
      const std::lock_guard lock(mutex);
      if (!alive) ++dead;
      changed.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  CHECK(changed.wait_for(lock, std::chrono::seconds(10), [&] { return dead > 0; }));
}

TEST_CASE("a drain lets the answer under way go out and then closes") {
  TestServer test;
  TestClient busy(test.server.port());
  TestClient idle(test.server.port());
  REQUIRE(idle.Send(Get("/echo")));
  REQUIRE(idle.Read().status == 200);
  REQUIRE(busy.Send(Get("/hold")));
  const auto responder = test.TakeHeld();
  std::thread drain([&] { test.server.Drain(kGrace); });
  CHECK(idle.WaitClosed());
  responder->Respond({200, {}}, "late");
  const auto answer = busy.Read();
  CHECK(answer.body == "late");
  CHECK(answer.headers.at("connection") == "close");
  busy.Close();
  drain.join();
  CHECK_FALSE(TestClient(test.server.port()).connected());
}

TEST_CASE("a drain ends at its grace, and answers that come later are dropped") {
  TestServer test;
  TestClient client(test.server.port());
  REQUIRE(client.Send(Get("/hold")));
  const auto responder = test.TakeHeld();
  test.server.Drain(absl::Milliseconds(50));
  CHECK(client.WaitClosed());
  responder->Respond({200, {}}, "too late");
}

}  // namespace voltwell::http
