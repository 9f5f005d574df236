// Operations: rows that the road claims like planned items, with a life that their author watches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/pg.h"
#include "services/meter_scheduler/domain/item.h"
#include "services/meter_scheduler/store_meters.h"
#include "voltwell/scheduler/v1/operation.pb.h"

namespace voltwell::scheduler {

struct NewOperation {
  domain::Kind kind = domain::Kind::kReadNow;
  std::vector<std::string> registers = {};
  int action = 0;           // voltwell.codec.v1.RelayAction
  std::string permit = {};  // Of an opening one: id.
  std::string author = {};
  absl::Time now = absl::UnixEpoch();
  absl::Time give_up_time = absl::InfiniteFuture();
  int max_attempts = 1;
};

// All within the caller's transaction, which bears the tenant.
class OperationStore {
 public:
  using Operation = voltwell::scheduler::v1::Operation;

  // Writes it and queues it; a relay operation waits while another of the meter is in flight. Tells operation.created.
  static absl::StatusOr<int64_t> Insert(pg::Tx& tx, const std::string& tenant, const MeterRow& meter,
                                        const NewOperation& operation);
  // OPERATION_NOT_FOUND. Without readings.
  static absl::StatusOr<Operation> Get(pg::Tx& tx, const std::string& tenant, int64_t number);
  // Latest first, before the number; meter 0: of all. One more than `limit` when there is another page.
  static absl::StatusOr<std::vector<Operation>> List(pg::Tx& tx, const std::string& tenant, int32_t meter_no,
                                                     int64_t before, int limit);
  // The relay operation of the meter that is not over; number 0: none.
  static absl::StatusOr<int64_t> OpenRelayOperation(pg::Tx& tx, int32_t meter_no);
};

}  // namespace voltwell::scheduler
