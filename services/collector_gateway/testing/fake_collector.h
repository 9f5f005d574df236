// A scripted collector on a real loopback socket: dials, sends what the test says, and tells what came.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "libs/base/check.h"

namespace voltwell::gateway::testing {

class FakeCollector {
 public:
  explicit FakeCollector(int port) : FakeCollector() { Connect(port); }
  FakeCollector() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { VW_CHECK(fd_ >= 0); }
  ~FakeCollector() { Hang(); }
  FakeCollector(FakeCollector&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FakeCollector(const FakeCollector&) = delete;
  FakeCollector& operator=(const FakeCollector&) = delete;
  FakeCollector& operator=(FakeCollector&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  // Takes over a connected socket.
  static FakeCollector Of(int fd) {
    FakeCollector one;
    one.Hang();
    one.fd_ = fd;
    return one;
  }

  void Connect(int port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    VW_CHECK(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    const int yes = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  }

  // From 127.0.0.`host`: to the gateway another box.
  void ConnectFrom(int host, int port) {
    sockaddr_in source = {};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl((INADDR_LOOPBACK & 0xFFFFFF00U) | static_cast<uint32_t>(host));
    VW_CHECK(bind(fd_, reinterpret_cast<const sockaddr*>(&source), sizeof(source)) == 0);
    Connect(port);
  }

  void Send(absl::string_view bytes) const {
    VW_CHECK(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  // What comes until `count` bytes are there, the line ends, or real seconds have passed.
  std::string Receive(size_t count, int limit_ms = 5'000) {
    std::string got;
    while (got.size() < count && Readable(limit_ms)) {
      std::array<char, 4096> buffer;
      const ssize_t n = recv(fd_, buffer.data(), std::min(buffer.size(), count - got.size()), 0);
      if (n <= 0) break;
      got.append(buffer.data(), static_cast<size_t>(n));
    }
    return got;
  }
  // The gateway has ended the connection; what it sent before is dropped.
  bool Closed(int limit_ms = 5'000) const {
    std::array<char, 4096> buffer;
    while (Readable(limit_ms)) {
      if (recv(fd_, buffer.data(), buffer.size(), 0) <= 0) return true;
    }
    return false;
  }
  // Nothing has come and the line is open, right now.
  bool Silent() const { return !Readable(0); }
  void Hang() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int fd() const { return fd_; }

 private:
  bool Readable(int limit_ms) const {
    pollfd entry = {.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&entry, 1, limit_ms) == 1;
  }
  int fd_;
};

}  // namespace voltwell::gateway::testing
