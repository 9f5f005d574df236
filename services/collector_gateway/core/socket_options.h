// Options of collectors' sockets. A socket that refuses one still works, only less well.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace voltwell::gateway {

// A half-open connection is found by the kernel, at no cost to us: idle 60 s, then three probes 15 s apart.
inline constexpr int kKeepaliveIdleSeconds = 60;
inline constexpr int kKeepaliveIntervalSeconds = 15;
inline constexpr int kKeepaliveProbes = 3;
// Bytes of ours not acknowledged for so long: the line is dead.
inline constexpr int kUserTimeoutMs = 30'000;

inline void SetOption(int fd, int level, int option, int value) {
  [[maybe_unused]] const int result = setsockopt(fd, level, option, &value, sizeof(value));
}

inline void SetKeepalive(int fd, int idle_seconds, int interval_seconds) {
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_seconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_seconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
}

// Of a collector's connection, or of the socket that listens for them.
inline void SetCollectorOptions(int fd) {
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetKeepalive(fd, kKeepaliveIdleSeconds, kKeepaliveIntervalSeconds);
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

// Ends with a reset, so that whoever is refused leaves nothing behind here, no TIME_WAIT either.
inline void Slam(int fd) {
  const linger none = {.l_onoff = 1, .l_linger = 0};
  [[maybe_unused]] const int result = setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  close(fd);
}

}  // namespace voltwell::gateway
