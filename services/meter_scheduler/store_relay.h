// Holds, permits, the stop of all cuts, and what is known of relays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/pg.h"
#include "services/meter_scheduler/store_meters.h"
#include "voltwell/scheduler/v1/relay.pb.h"
#include "voltwell/scheduler/v1/relay_service.pb.h"

namespace voltwell::scheduler {

inline constexpr int kReconcileMax = 64;                             // Operations made in one transaction.
inline constexpr absl::Duration kReconcilePause = absl::Minutes(1);  // After an operation on the relay ended.

// All within the caller's transaction, which bears the tenant, but for Reconcile.
class RelayStore {
 public:
  using Hold = voltwell::scheduler::v1::Hold;
  using Permit = voltwell::scheduler::v1::Permit;

  // HOLD_ALREADY_STANDS when this owner holds the meter already.
  static absl::Status InsertHold(pg::Tx& tx, const MeterRow& meter, const Hold& hold);
  // HOLD_NOT_FOUND, HOLD_OF_ANOTHER_OWNER, HOLD_NOT_STANDING. True: it was the last of its meter.
  static absl::StatusOr<bool> LiftHold(pg::Tx& tx, const std::string& tenant, const std::string& id, Hold::Owner owner,
                                       absl::Time now, std::string& meter);
  static absl::StatusOr<std::vector<Hold>> ListHolds(pg::Tx& tx, const std::string& tenant, int32_t meter_no,
                                                     const std::string& after, int limit);
  // CUTS_STOPPED, HOLD_NOT_STANDING.
  static absl::Status CheckPermit(pg::Tx& tx, const MeterRow& meter, const std::string& hold);
  static absl::Status InsertPermit(pg::Tx& tx, const Permit& permit, const std::string& id, const std::string& hold,
                                   int64_t operation);
  static absl::Status SetCutStop(pg::Tx& tx, const std::string& tenant, bool stopped, const std::string& reason,
                                 const std::string& author, absl::Time now);
  static absl::Status ReadRelay(pg::Tx& tx, int32_t meter_no, voltwell::scheduler::v1::GetRelayResponse& response);
  // Opening operations of the meter that were not attempted end here: their hold does not stand any more.
  static absl::Status DropOpenings(pg::Tx& tx, int32_t meter_no, absl::Time now);

  // Makes closing operations for relays that stand open, or may, for no reason; queues what was forgotten. How many.
  static absl::StatusOr<int> Reconcile(pg::Pool& pool, absl::Time now);
};

}  // namespace voltwell::scheduler
