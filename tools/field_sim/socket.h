// The few socket calls of the simulator.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/field_sim/load.h"

namespace voltwell::field_sim {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void Reset();

 private:
  int fd_ = -1;
};

struct Target {
  sockaddr_in address = {};
  std::string text;
};

// HOST:PORT; the host is an IPv4 address or a name that resolves to one.
absl::StatusOr<Target> ParseTarget(absl::string_view text);

// A non-blocking TCP socket whose connect has been started; invalid when even that failed.
UniqueFd StartConnect(const Target& target);
// 0, or the errno with which the connect ended.
int ConnectResult(int fd);
// A non-blocking listener on the loopback interface; port 0 takes a free one.
absl::StatusOr<UniqueFd> ListenLoopback(uint16_t port);
uint16_t PortOf(int fd);

Moment ReadClocks();

}  // namespace voltwell::field_sim
