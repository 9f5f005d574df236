// The peer of R29: the parts of the road, each measured alone, without any of our services. An exchange through all
// processes cannot be faster than one item's share of three bare gRPC batches, one TCP echo of 20 bytes, and one COPYed
// row.
//
//   parts_bench POSTGRES_URL    prints lines `part <name> <items per second>`; ends by itself after some seconds
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <libpq-fe.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "voltwell/codec/v1/codec_service.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;
using voltwell::codec::v1::CodecService;
using voltwell::codec::v1::DecodeRequest;
using voltwell::codec::v1::DecodeResponse;
using voltwell::codec::v1::EncodeRequest;
using voltwell::codec::v1::EncodeResponse;

constexpr int kBatch = 512;        // As many items as our own calls carry.
constexpr int kConnections = 200;  // As many links as the bench's field.
constexpr int kFrameBytes = 20;
constexpr double kSeconds = 2;

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

double Since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Answers each command with an exchange of the usual size, and each reply with one value: no work but the messages.
class BareCodec final : public CodecService::CallbackService {
  grpc::ServerUnaryReactor* Encode(grpc::CallbackServerContext* context, const EncodeRequest* request,
                                   EncodeResponse* response) override {
    for (int i = 0; i < request->commands_size(); ++i) {
      auto* exchange = response->add_items()->mutable_group()->add_exchanges();
      exchange->set_request(std::string(kFrameBytes, '\x68'));
      for (uint32_t offset = 0; offset < 8; ++offset) exchange->add_matchers()->add_bytes()->set_offset(offset);
    }
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerUnaryReactor* Decode(grpc::CallbackServerContext* context, const DecodeRequest* request,
                                   DecodeResponse* response) override {
    for (int i = 0; i < request->items_size(); ++i) {
      auto* value = response->add_results()->add_values();
      value->set_register_("1-0:1.8.0");
      value->mutable_value()->set_value("1234.56");
    }
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

double GrpcBatches() {
  BareCodec service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  const auto stub = CodecService::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  EncodeRequest encode;
  DecodeRequest decode;
  for (int i = 0; i < kBatch; ++i) {
    auto* command = encode.add_commands();
    command->set_address("202411110002");
    command->mutable_read()->add_registers("1-0:1.8.0");
    auto* item = decode.add_items();
    *item->mutable_command() = *command;
    item->add_replies()->add_frames(std::string(kFrameBytes, '\x68'));
  }
  long items = 0;
  const auto begin = Clock::now();
  while (Since(begin) < kSeconds) {
    EncodeResponse encoded;
    DecodeResponse decoded;
    grpc::ClientContext first, second, third;
    // Three hops: the exchange's messages are as large as those of Encode's answer.
    if (!stub->Encode(&first, encode, &encoded).ok() || !stub->Encode(&second, encode, &encoded).ok() ||
        !stub->Decode(&third, decode, &decoded).ok()) {
      Die("gRPC");
    }
    items += kBatch;
  }
  const double rate = static_cast<double>(items) / Since(begin);
  server->Shutdown();
  return rate;
}

int Listen(sockaddr_in& address) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, raw, length) != 0 || listen(listener, kConnections) != 0 ||
      getsockname(listener, raw, &length) != 0) {
    Die("listen");
  }
  return listener;
}

// Echoes whatever comes on each connection until all are closed.
void Echo(int listener) {
  const int poll = epoll_create1(0);
  int open = 0;
  for (; open < kConnections; ++open) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = accept(listener, nullptr, nullptr)}};
    epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
  }
  std::vector<epoll_event> ready(kConnections);
  while (open > 0) {
    const int count = epoll_wait(poll, ready.data(), kConnections, -1);
    for (int i = 0; i < count; ++i) {
      char frame[256];
      const ssize_t got = read(ready[i].data.fd, frame, sizeof(frame));
      if (got <= 0) {
        close(ready[i].data.fd);
        --open;
      } else if (write(ready[i].data.fd, frame, got) != got) {
        Die("write");
      }
    }
  }
  close(poll);
}

// One frame in flight on each of 200 connections, answered by another thread.
double TcpEcho() {
  sockaddr_in address;
  const int listener = Listen(address);
  std::thread echo(Echo, listener);
  const int poll = epoll_create1(0);
  const std::string frame(kFrameBytes, '\x68');
  std::vector<int> sockets;
  for (int i = 0; i < kConnections; ++i) {
    const int one = 1;
    const int link = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(link, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) Die("connect");
    setsockopt(link, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    epoll_event event{.events = EPOLLIN, .data = {.fd = link}};
    epoll_ctl(poll, EPOLL_CTL_ADD, link, &event);
    sockets.push_back(link);
    if (write(link, frame.data(), frame.size()) != kFrameBytes) Die("write");
  }
  long echoes = 0;
  std::vector<epoll_event> ready(kConnections);
  const auto begin = Clock::now();
  while (Since(begin) < kSeconds) {
    const int count = epoll_wait(poll, ready.data(), kConnections, 1000);
    for (int i = 0; i < count; ++i) {
      char answer[256];
      if (read(ready[i].data.fd, answer, sizeof(answer)) <= 0) Die("read");
      if (write(ready[i].data.fd, frame.data(), frame.size()) != kFrameBytes) Die("write");
      ++echoes;
    }
  }
  const double rate = static_cast<double>(echoes) / Since(begin);
  for (const int link : sockets) close(link);
  echo.join();
  close(poll);
  close(listener);
  return rate;
}

void Run(PGconn* connection, const char* sql, ExecStatusType wanted) {
  PGresult* result = PQexec(connection, sql);
  if (PQresultStatus(result) != wanted) {
    std::fprintf(stderr, "%s: %s", sql, PQerrorMessage(connection));
    std::exit(1);
  }
  PQclear(result);
}

// Batches of 512 narrow rows with a primary key, a commit each.
double CopyRows(const char* url) {
  PGconn* connection = PQconnectdb(url);
  if (PQstatus(connection) != CONNECTION_OK) Die(PQerrorMessage(connection));
  Run(connection,
      "CREATE TABLE parts_bench (meter_no integer, register_no integer, time timestamptz, origin bigint, units bigint, "
      "scale smallint, PRIMARY KEY (meter_no, register_no, time, origin))",
      PGRES_COMMAND_OK);
  long rows = 0;
  const auto begin = Clock::now();
  for (long origin = 1; Since(begin) < kSeconds; ++origin) {
    std::string text;
    for (int meter = 0; meter < kBatch; ++meter) {
      text += std::to_string(meter) + "\t1\t2026-01-01 00:00:00+00\t" + std::to_string(origin) + "\t123456\t2\n";
    }
    Run(connection, "COPY parts_bench FROM STDIN", PGRES_COPY_IN);
    PQputCopyData(connection, text.data(), static_cast<int>(text.size()));
    PQputCopyEnd(connection, nullptr);
    PQclear(PQgetResult(connection));
    while (PGresult* rest = PQgetResult(connection)) PQclear(rest);
    rows += kBatch;
  }
  const double rate = static_cast<double>(rows) / Since(begin);
  Run(connection, "DROP TABLE parts_bench", PGRES_COMMAND_OK);
  PQfinish(connection);
  return rate;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: parts_bench POSTGRES_URL\n");
    return 2;
  }
  const double grpc = GrpcBatches();
  const double tcp = TcpEcho();
  const double copy = CopyRows(argv[1]);
  std::printf("part grpc %.0f\npart tcp %.0f\npart copy %.0f\npart sum %.0f\n", grpc, tcp, copy,
              1 / (1 / grpc + 1 / tcp + 1 / copy));
  return 0;
}
