// Where a bus is connected, as the gateway that holds it writes it into Redis and the scheduler reads it: one MGET of
// SessionKey()s gives pods, one of GatewayKey()s gives the addresses that those pods serve gRPC on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace voltwell::directory {

// The value at SessionKey(collector, bus): "<pod> <generation>.<counter> <unix ms>". Absent: not connected.
struct Route {
  std::string pod = {};    // No spaces.
  int64_t generation = 0;  // Epochs compare as (generation, counter).
  int64_t counter = 0;
  int64_t since_ms = 0;  // When it registered.
};

inline std::string EncodeRoute(const Route& route) {
  return absl::StrCat(route.pod, " ", route.generation, ".", route.counter, " ", route.since_ms);
}

// None when the text is not a route.
inline std::optional<Route> DecodeRoute(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ' ');
  if (parts.size() != 3 || parts[0].empty()) return std::nullopt;
  const std::vector<absl::string_view> epoch = absl::StrSplit(parts[1], '.');
  Route route;
  route.pod = std::string(parts[0]);
  if (epoch.size() != 2 || !absl::SimpleAtoi(epoch[0], &route.generation) ||
      !absl::SimpleAtoi(epoch[1], &route.counter) || !absl::SimpleAtoi(parts[2], &route.since_ms)) {
    return std::nullopt;
  }
  return route;
}

// Text "host:port" of the pod's gRPC, kept for kGatewayTtlSeconds and restated by the pod while it lives.
inline std::string GatewayKey(absl::string_view pod) { return absl::StrCat("gateway:", pod); }
inline constexpr int kGatewayTtlSeconds = 15;
// A session's key lives this long; its gateway restates it each minute.
inline constexpr int kSessionTtlSeconds = 150;

}  // namespace voltwell::directory
