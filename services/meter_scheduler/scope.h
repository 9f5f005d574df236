// What a caller who is limited to sites may see and act on. All of it is free for a caller without a limit.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "libs/pg/pg.h"
#include "libs/rpc/identity.h"
#include "voltwell/scheduler/v1/schedule.pb.h"

namespace voltwell::scheduler {

// OUT_OF_SCOPE for a caller who is limited to sites: the act concerns the whole tenant.
absl::Status CheckWholeTenant(const rpc::Identity& identity);

// OUT_OF_SCOPE unless all that the selection names is in the caller's scope; an empty one is the whole tenant. A site
// is known by its meters: one without any is refused, unless it is the scope itself. A collector is in scope when all
// of its meters are.
absl::Status CheckSelectionScope(pg::Tx& tx, const rpc::Identity& identity,
                                 const voltwell::scheduler::v1::Selection& selection);
// The same by the schedule's selection; SCHEDULE_NOT_FOUND.
absl::Status CheckScheduleScope(pg::Tx& tx, const rpc::Identity& identity, const std::string& schedule);
// The same by the run's schedule; runs of one that was deleted are out of every scope.
absl::Status CheckRunScope(pg::Tx& tx, const rpc::Identity& identity, const voltwell::scheduler::v1::Run& run);

// Which of some meters (names) the caller may see: for pages of lists, which may come out shorter.
class ScopeFilter {
 public:
  static absl::StatusOr<ScopeFilter> Of(pg::Tx& tx, const rpc::Identity& identity,
                                        const std::vector<std::string>& meters);
  bool Holds(const std::string& meter) const { return all_ || in_scope_.contains(meter); }

 private:
  bool all_ = true;
  absl::flat_hash_set<std::string> in_scope_;
};

}  // namespace voltwell::scheduler
