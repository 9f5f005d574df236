#include "tools/field_sim/socket.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::field_sim {
namespace {

int64_t ReadClock(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

const sockaddr* Generic(const sockaddr_in* address) { return reinterpret_cast<const sockaddr*>(address); }

}  // namespace

void UniqueFd::Reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

absl::StatusOr<Target> ParseTarget(absl::string_view text) {
  const auto bad = [&](absl::string_view why) {
    return base::InvalidArgument("TARGET_BAD", absl::StrCat("'", text, "': ", why), {{"target", std::string(text)}});
  };
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 1 ||
      port > 65'535) {
    return bad("HOST:PORT is expected");
  }
  const std::string host(text.substr(0, colon));
  addrinfo hints = {};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0 || found == nullptr) return bad("no such host");
  Target target;
  std::memcpy(&target.address, found->ai_addr, sizeof target.address);
  freeaddrinfo(found);
  target.address.sin_port = htons(static_cast<uint16_t>(port));
  target.text = std::string(text);
  return target;
}

UniqueFd StartConnect(const Target& target) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd.get(), Generic(&target.address), sizeof target.address) != 0 && errno != EINPROGRESS) fd.Reset();
  return fd;
}

int ConnectResult(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

absl::StatusOr<UniqueFd> ListenLoopback(uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (!fd || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd.get(), Generic(&address), sizeof address) != 0 || listen(fd.get(), SOMAXCONN) != 0) {
    return base::Unavailable("PORT_TAKEN", absl::StrCat("cannot listen on 127.0.0.1:", port, ": ", strerror(errno)),
                             {{"port", std::to_string(port)}});
  }
  return fd;
}

uint16_t PortOf(int fd) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

Moment ReadClocks() { return {ReadClock(CLOCK_MONOTONIC), ReadClock(CLOCK_REALTIME)}; }

}  // namespace voltwell::field_sim
