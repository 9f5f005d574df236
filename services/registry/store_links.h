// Rows of what gateways tell: presence of buses, its history, and ids that nobody owns.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/pg.h"

namespace voltwell::registry::store {

inline constexpr int kQuarantineMax = 1'000;  // Rows kept; the one tried longest ago makes room.

// One fact of the link stream.
struct LinkFact {
  std::string stream_id = {};  // Empty: found by the registry itself.
  bool online = false;
  std::string registration_id = {};  // Of the bus.
  std::string pod = {};
  std::string peer = {};
  std::string reason = {};
  absl::Time time = absl::UnixEpoch();
  int64_t generation = 0;  // Epoch, with counter.
  int64_t counter = 0;
};

// Writes them and answers the ids of collectors of which a bus changed. Facts of ids that are not ours, and of an epoch
// older than what is known, are passed over.
absl::StatusOr<std::vector<std::string>> ApplyLinks(pg::Tx& tx, const std::vector<LinkFact>& facts);

struct Quarantined {
  std::string registration_id = {};
  std::string peer = {};
  absl::Time first_at = absl::UnixEpoch();
  absl::Time last_at = absl::UnixEpoch();
  int64_t attempts = 0;
};

// Counts a try of each, leaving out ids that are ours by now, and keeps kQuarantineMax.
absl::Status ApplyQuarantined(pg::Tx& tx, const std::vector<Quarantined>& tries);
// Latest first, after the place of the last row of the page before.
absl::StatusOr<std::vector<Quarantined>> ListQuarantined(pg::Tx& tx, const std::string& after, int limit);
std::string PlaceOf(const Quarantined& row);

// A bus that is online as far as we know, or was taken for offline because its session could not be found.
struct KnownLink {
  std::string collector = {};  // Id.
  int bus = 0;
  std::string collector_registration_id = {};
  std::string registration_id = {};
  bool online = false;
  std::string pod = {};
  std::string peer = {};
  int64_t generation = 0;
  int64_t counter = 0;
};
// The reason of those that the registry itself took for offline.
inline constexpr char kSessionLost[] = "session lost";
// The last row of the page before; a page may end within a collector.
struct LinkPlace {
  std::string collector = {};
  int bus = 0;
};
absl::StatusOr<std::vector<KnownLink>> ListKnownLinks(pg::Tx& tx, const LinkPlace& after, int limit);

// Deletes at most `limit` rows of the history before `before`.
absl::StatusOr<int64_t> ForgetLinks(pg::Tx& tx, absl::Time before, int limit);

}  // namespace voltwell::registry::store
