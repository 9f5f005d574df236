// R6: how long a command takes from the caller to the collector's socket: an Exchange call of one item (priority
// INTERACTIVE) through the gateway's whole face (identity, limits, metrics), against one message on an open bare gRPC
// stream whose server writes its bytes to a raw TCP socket. Both servers, the caller and the boxes are this process,
// the two ways take turns, one command at a time. Prints "R6 OURS_P50 OURS_P99 BARE_P50 BARE_P99" in microseconds.
//   command_bench COMMANDS
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "libs/base/check.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/rpc/test_trust.h"
#include "libs/testing/temp_redis.h"
#include "services/collector_gateway/core/gateway.h"
#include "services/collector_gateway/service.h"

using namespace voltwell;           // NOLINT
using namespace voltwell::gateway;  // NOLINT

namespace {

// A read of 00010000 from meter 1, DL/T 645-2007, and its answer.
const std::string kQuestion("\x68\x01\x00\x00\x00\x00\x00\x68\x11\x04\x33\x33\x34\x33\xB3\x16", 16);
const std::string kAnswer("\x68\x01\x00\x00\x00\x00\x00\x68\x91\x08\x33\x33\x34\x33\x89\x67\x45\x33\x9F\x16", 20);
constexpr int kRounds = 20;

// The box's end: notes when the question came whole, and answers when it is to.
class Box {
 public:
  Box(int fd, bool answers) : fd_(fd), answers_(answers), thread_([this] { Run(); }) {}
  ~Box() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  absl::Duration Await() {
    std::unique_lock lock(mutex_);
    VW_CHECK(came_.wait_for(lock, std::chrono::seconds(10), [this] { return here_; }));
    here_ = false;
    return at_;
  }

 private:
  void Run() {
    std::string got(kQuestion.size(), '\0');
    while (recv(fd_, got.data(), got.size(), MSG_WAITALL) == static_cast<ssize_t>(got.size())) {
      const absl::Duration now = clock_.Monotonic();
      VW_CHECK(got == kQuestion);
      if (answers_) {
        VW_CHECK(send(fd_, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) > 0);
      }
      const std::lock_guard lock(mutex_);
      at_ = now;
      here_ = true;
      came_.notify_one();
    }
  }
  os::SystemClock clock_;
  const int fd_;
  const bool answers_;
  std::mutex mutex_;
  std::condition_variable came_;
  bool here_ = false;
  absl::Duration at_ = absl::ZeroDuration();
  std::thread thread_;
};

int Listen(int& port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  VW_CHECK(bind(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0 && listen(fd, 4) == 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  port = ntohs(address.sin_port);
  return fd;
}

int Dial(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  VW_CHECK(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return fd;
}

// The peer: each message of a stream goes to the socket as it is.
class BareService final : public grpc::CallbackGenericService {
 public:
  explicit BareService(int fd) : fd_(fd) {}
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    class Stream final : public grpc::ServerGenericBidiReactor {
     public:
      explicit Stream(int fd) : fd_(fd) { StartRead(&message_); }
      void OnReadDone(bool ok) override {
        if (!ok) {
          Finish(grpc::Status::OK);
          return;
        }
        std::vector<grpc::Slice> slices;
        VW_CHECK(message_.Dump(&slices).ok());
        for (const grpc::Slice& slice : slices) VW_CHECK(send(fd_, slice.begin(), slice.size(), MSG_NOSIGNAL) > 0);
        StartRead(&message_);
      }
      void OnDone() override { delete this; }

     private:
      const int fd_;
      grpc::ByteBuffer message_;
    };
    return new Stream(fd_);
  }

 private:
  const int fd_;
};

class Bare {
 public:
  Bare() {
    int port = 0;
    const int listening = Listen(port);
    box_ = std::make_unique<Box>(Dial(port), false);
    fd_ = accept(listening, nullptr, nullptr);
    close(listening);
    const int yes = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    service_ = std::make_unique<BareService>(fd_);
    grpc::ServerBuilder builder;
    int bound = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &bound);
    builder.RegisterCallbackGenericService(service_.get());
    server_ = builder.BuildAndStart();
    stub_ = std::make_unique<grpc::GenericStub>(
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", bound), grpc::InsecureChannelCredentials()));
    call_ = stub_->PrepareCall(&context_, "/bare.Bare/Stream", &queue_);
    call_->StartCall(this);
    Await();
  }
  ~Bare() {
    context_.TryCancel();
    queue_.Shutdown();
    for (void* tag = nullptr; ok_ || tag != nullptr;) {
      if (!queue_.Next(&tag, &ok_)) break;
    }
    server_->Shutdown();
    box_.reset();
    close(fd_);
  }
  absl::Duration Command() {
    const grpc::Slice slice(kQuestion);
    const grpc::ByteBuffer message(&slice, 1);
    const absl::Duration began = clock_.Monotonic();
    call_->Write(message, this);
    Await();
    return box_->Await() - began;
  }

 private:
  void Await() {
    void* tag = nullptr;
    VW_CHECK(queue_.Next(&tag, &ok_) && ok_);
  }
  os::SystemClock clock_;
  int fd_ = -1;
  bool ok_ = false;
  std::unique_ptr<Box> box_;
  std::unique_ptr<BareService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

class Ours {
 public:
  Ours() {
    VW_CHECK(gateway_.Start().ok());
    BusEntry entry;
    entry.registration = entry.registration_id = entry.collector = "VW-1";
    entry.tenant = "t1";
    gateway_.hub().UseDirectory(
        std::make_shared<const DirectoryCopy>(1, std::vector{std::make_shared<const BusEntry>(entry)}), true);
    server_.Add(service_);
    VW_CHECK(server_.Start());
    const int fd = Dial(gateway_.hub().port());
    VW_CHECK(send(fd, "VW-1\r\n", 6, MSG_NOSIGNAL) == 6);
    while (gateway_.hub().routes().size() == 0) usleep(1000);
    box_ = std::make_unique<Box>(fd, true);
    stub_ = v1::GatewayService::NewStub(
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", server_.port()), grpc::InsecureChannelCredentials()));
    v1::ExchangeItem& item = *request_.add_items();
    item.set_id(1);
    item.set_collector("VW-1");
    item.set_tenant("t1");
    item.set_priority(v1::PRIORITY_INTERACTIVE);
    codec::v1::Exchange& exchange = *item.mutable_group()->add_exchanges();
    exchange.set_request(kQuestion);
    exchange.set_frame_kind(codec::v1::FRAME_KIND_DLT645);
    exchange.mutable_reply_timeout()->set_seconds(5);
    codec::v1::Matcher& matcher = *exchange.add_matchers();
    for (uint32_t i = 1; i <= 7; ++i) {
      codec::v1::MatchByte& match = *matcher.add_bytes();
      match.set_offset(i);
      match.set_mask(0xFF);
      match.set_value(static_cast<uint8_t>(kAnswer[i]));
    }
  }
  ~Ours() {
    box_.reset();
    server_.Stop();
  }
  absl::Duration Command() {
    grpc::ClientContext context;
    rpc::Bear(context, issuer_, "collector_gateway", {.tenant = "t1", .subject = "s", .permissions = {"*"}});
    const absl::Duration began = clock_.Monotonic();
    const auto reader = stub_->Exchange(&context, request_);
    v1::ExchangeResponse response;
    VW_CHECK(reader->Read(&response) && response.results(0).outcome() == codec::v1::OUTCOME_OK);
    VW_CHECK(!reader->Read(&response) && reader->Finish().ok());
    return box_->Await() - began;
  }

 private:
  os::SystemClock clock_;
  os::SystemRandom random_;
  metrics::Registry registry_;
  GatewayMetrics metrics_{registry_};
  testing::TempRedis redis_server_;
  redis::Client redis_{redis_server_.config(), registry_};
  Gateway gateway_{
      {.listen = "127.0.0.1", .port = 0}, {"pod-a", "here"}, "/nonexistent", redis_, clock_, random_, metrics_};
  rpc::TestTrust trust_;
  rpc::TokenIssuer issuer_{"meter_scheduler", trust_.Key("meter_scheduler"), clock_};
  rpc::TokenVerifier verifier_{"collector_gateway", trust_.directory(), clock_, registry_};
  rpc::Door door_{"collector_gateway", verifier_, clock_, registry_};
  GatewayService service_{"pod-a", gateway_, door_, clock_, metrics_};
  rpc::Server server_{
      {.listen = "127.0.0.1", .port = 0, .metrics_port = 0, .drain = absl::Seconds(5)}, "collector_gateway", registry_};
  std::unique_ptr<v1::GatewayService::Stub> stub_;
  v1::ExchangeRequest request_;
  std::unique_ptr<Box> box_;
};

double Quantile(std::vector<absl::Duration>& all, double part) {
  std::sort(all.begin(), all.end());
  return absl::ToDoubleMicroseconds(all[static_cast<size_t>(part * static_cast<double>(all.size() - 1))]);
}

}  // namespace

int main(int argc, char** argv) {
  const int commands = argc == 2 ? std::atoi(argv[1]) : 0;
  if (commands < kRounds) {
    std::fprintf(stderr, "usage: command_bench COMMANDS\n");
    return 2;
  }
  Ours ours;
  Bare bare;
  for (int i = 0; i < 100; ++i) {  // Connections, caches and what gRPC does once.
    ours.Command();
    bare.Command();
  }
  std::vector<absl::Duration> through_us;
  std::vector<absl::Duration> through_bare;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < commands / kRounds; ++i) through_us.push_back(ours.Command());
    for (int i = 0; i < commands / kRounds; ++i) through_bare.push_back(bare.Command());
  }
  std::printf("R6 %.1f %.1f %.1f %.1f\n", Quantile(through_us, 0.5), Quantile(through_us, 0.99),
              Quantile(through_bare, 0.5), Quantile(through_bare, 0.99));
  std::fflush(stdout);
  return 0;
}
