// Facts in commit-safe order: a publisher's side (append in the fact's transaction; serve Subscribe over the outbox,
// woken by LISTEN/NOTIFY) and a consumer's side (follow an owner's stream with a cursor kept in the effect's
// transaction).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/impl/codegen/service_type.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/pg/pg.h"
#include "libs/rpc/client.h"
#include "libs/rpc/door.h"
#include "voltwell/event/v1/event_service.grpc.pb.h"

namespace voltwell::events {

// What to tell. `payload` is serialized with its type's name.
struct Fact {
  std::string type = {};  // "meter.updated"
  std::string key = {};   // "meters/01j9..."
  std::string tenant = {};
  std::string site_path = {};
  std::string customer = {};
  std::string permission = {};
  const google::protobuf::Message* payload = nullptr;
};

// Writes the event in the fact's transaction and wakes subscribers when it commits.
absl::Status Append(pg::Tx& tx, const Fact& fact);
absl::Status AppendAll(pg::Tx& tx, const std::vector<Fact>& facts);  // One round trip.

// Serves EventService over the outbox of one schema: callback reactors, one poller for all subscribers.
std::unique_ptr<grpc::Service> MakeEventService(pg::Pool& pool, const pg::Config& config, rpc::Door& door,
                                                os::Clock& clock, metrics::Registry& metrics);

// Follows an owner's stream until stopped, from the cursor row (source, consumer) of our own schema.
// `effect` runs in a transaction that has locked the cursor row and advances it: exactly once with any number of
// replicas. On CURSOR_TOO_OLD (and when no cursor row exists yet) `resync` runs first and returns the cursor of the
// owner's snapshot.
struct FollowOptions {
  std::string source = {};                      // "registry"
  std::string consumer = {};                    // "meter_scheduler"
  std::vector<std::string> type_prefixes = {};  // Empty: all.
};
class Follower {
 public:
  using Effect = std::function<absl::Status(pg::Tx&, const std::vector<const voltwell::event::v1::Event*>&)>;
  using Resync = std::function<absl::StatusOr<voltwell::event::v1::Cursor>()>;
  Follower(FollowOptions options, pg::Pool& pool, rpc::Client<voltwell::event::v1::EventService>& owner, Effect effect,
           Resync resync, os::Clock& clock, metrics::Registry& metrics);
  ~Follower();  // Stops and joins.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Cursor of a snapshot read in `tx` (REPEATABLE READ): every event at or below it is contained in what tx sees.
absl::StatusOr<voltwell::event::v1::Cursor> SnapshotCursor(pg::Tx& tx);

}  // namespace voltwell::events
