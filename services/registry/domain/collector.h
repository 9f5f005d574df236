// A collector and its buses: what may be said of them, and by which ids their connections register.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace voltwell::registry {

inline constexpr int kBusesMax = 16;
inline constexpr int kDefaultBaud = 2400;       // DL/T 645-2007's usual speed.
inline constexpr int kDefaultLinkTimeMs = 500;  // Between gateway and bus over a mobile network.
inline constexpr int kLinkTimeMsMax = 30'000;
inline constexpr int kHeartbeatBytesMax = 64;
// As libs/directory/sealed_key.h has them.
inline constexpr size_t kCollectorKeyBytesMin = 16;
inline constexpr size_t kCollectorKeyBytesMax = 64;
inline constexpr int kNoPort = -1;
inline constexpr int kPortMax = 255;  // One byte of each packet.
inline constexpr int kDialHostMax = 253;

struct Bus {
  int number = 0;
  std::string registration_id = {};
  int baud = 0;
  int link_time_ms = 0;
  int port = kNoPort;  // Within the one connection of a collector that carries several buses over it.
  bool operator==(const Bus&) const = default;
};

// How sure a gateway must be of who dials, from the weakest to the strongest. The numbers are the contract's
// (voltwell.registry.v1.Collector.Assurance) and stand in the database.
enum class Assurance { kUnspecified = 0, kId = 1, kNetwork = 2, kKey = 3, kTlsPsk = 4, kTlsCertificate = 5 };

struct Presence {
  bool online = false;
  std::optional<absl::Time> since = {};  // None: never seen.
  std::string pod = {};
  std::string reason = {};
};

struct Collector {
  std::string id = {};
  std::string tenant = {};
  std::string registration_id = {};
  std::string display_name = {};
  std::string site = {};       // Id.
  std::string site_path = {};  // Joined, not kept.
  std::string dialect = {};
  std::string heartbeat_hex = {};
  std::string source_network = {};
  std::string dial_target = {};  // "host:port"; empty: it dials us.
  Assurance assurance = Assurance::kUnspecified;
  std::string sealed_key = {};  // Only gateways can open it. Empty: it has no key.
  std::optional<absl::Time> key_set_at = {};
  std::optional<std::string> new_key_hex = {};  // As a call brings it, until it is sealed; empty: take the key away.
  std::vector<Bus> buses = {};
  Presence presence = {};
  absl::Time created_at = absl::UnixEpoch();
};

// Puts in what empty fields mean (dialect, baud, link time, registration ids of buses) and orders the buses.
Collector WithDefaults(Collector collector);

// Of a collector with defaults. BAD_REGISTRATION_ID, BAD_DISPLAY_NAME, UNKNOWN_DIALECT, BAD_HEARTBEAT, BAD_BUS,
// BAD_NETWORK, BAD_DIAL_TARGET, BAD_ASSURANCE, ASSURANCE_NEEDS_NETWORK, ASSURANCE_NEEDS_KEY; metadata field names
// it.
absl::Status CheckCollector(const Collector& collector);

// Whether a change from `before` (of a new collector: an empty one) makes gateways dial somewhere else than before:
// what only the platform's operator may do, since it is a connection out of our own network.
bool DialsElsewhere(const Collector& before, const Collector& after);

// Of a key as people write it. BAD_COLLECTOR_KEY.
absl::StatusOr<std::string> KeyOfHex(absl::string_view digits);

// As directory::Entry.assurance says it: id, network, key, tls-psk or tls-certificate.
absl::string_view WordOf(Assurance assurance);

// One presence of the presences of all buses: online when one of them is, since the latest change.
Presence Fold(const std::vector<Presence>& buses);

}  // namespace voltwell::registry
