// What a server tells about itself: gRPC health, /healthz, /metrics; and one call beyond its threads.
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "libs/rpc/bytes_call.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/rpc/test_trust.h"
#include "libs/testing/eventually.h"
#include "libs/testing/status.h"
#include "voltwell/registry/v1/meter_service.grpc.pb.h"

namespace voltwell::rpc {
namespace {

using voltwell::registry::v1::GetMeterRequest;
using voltwell::registry::v1::Meter;
using voltwell::registry::v1::MeterService;

std::string HttpGet(int port, const std::string& path) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(port)});
  const std::string request = absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  boost::asio::write(socket, boost::asio::buffer(request));
  std::string answer;
  boost::system::error_code ended;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), ended);
  return answer;
}

TEST_CASE("a server without its database says so, and serves when it is there") {
  metrics::Registry metrics;
  std::atomic<bool> there = false;
  Server server({}, "registry", metrics);
  server.Health("postgres", [&] { return there.load(); });
  REQUIRE(server.Start());
  REQUIRE(testing::Eventually(
      [&] { return HttpGet(server.metrics_port(), "/healthz").find("waits for: postgres") != std::string::npos; }));
  CHECK(HttpGet(server.metrics_port(), "/healthz").find("503") != std::string::npos);
  there = true;
  CHECK(testing::Eventually(
      [&] { return HttpGet(server.metrics_port(), "/healthz").find("200 OK") != std::string::npos; }));
  CHECK(HttpGet(server.metrics_port(), "/metrics").find("voltwell_serving 1") != std::string::npos);
}

TEST_CASE("who has no token learns of health only: channelz is not served unless asked for") {
  metrics::Registry metrics;
  Server server({}, "registry", metrics);
  REQUIRE(server.Start());
  const auto channel =
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", server.port()), grpc::InsecureChannelCredentials());
  std::promise<grpc::StatusCode> code;
  const auto call =
      NewUnaryCall(channel, {.path = "/grpc.channelz.v1.Channelz/GetServers"},
                   [&](const grpc::Status& status, const std::string&) { code.set_value(status.error_code()); });
  call->Start();
  CHECK(code.get_future().get() == grpc::StatusCode::UNIMPLEMENTED);
}

TEST_CASE("a port that is taken is told, not shared") {
  metrics::Registry metrics;
  Server first({}, "registry", metrics);
  REQUIRE(first.Start());
  Server second({.port = first.port()}, "registry", metrics);
  CHECK_FALSE(second.Start());
}

// Holds every call until told.
class Stuck final : public MeterService::Service {
 public:
  grpc::Status GetMeter(grpc::ServerContext*, const GetMeterRequest*, Meter*) override {
    ++inside;
    testing::Eventually([&] { return leave.load(); }, absl::Seconds(20));
    return grpc::Status::OK;
  }
  std::atomic<int> inside = 0;
  std::atomic<bool> leave = false;
};

TEST_CASE("a call beyond the thread cap is refused or waits, and the process has no more threads than allowed") {
  os::SystemClock clock;
  metrics::Registry metrics;
  TestTrust trust;
  TokenIssuer issuer("meter_scheduler", trust.Key("meter_scheduler"), clock);
  Stuck stuck;
  constexpr int kThreads = 4;
  Server server({.max_threads = kThreads}, "registry", metrics);
  server.Add(stuck);
  REQUIRE(server.Start());
  Client<MeterService> client({.target = absl::StrCat("127.0.0.1:", server.port()), .service = "registry"}, issuer,
                              clock, metrics);
  client.caller().SetSleeper([](absl::Duration) {});
  std::atomic<int> refused = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < kThreads + 4; ++i) {
    callers.emplace_back([&] {
      const auto answer = client.Call(&MeterService::Stub::GetMeter, GetMeterRequest{});
      if (base::ReasonOf(answer.status()) == "SERVICE_BUSY") ++refused;
    });
  }
  REQUIRE(testing::Eventually([&] { return refused + stuck.inside >= kThreads; }));
  CHECK(stuck.inside <= kThreads);
  stuck.leave = true;
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace voltwell::rpc
