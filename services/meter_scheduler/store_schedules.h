// Schedules, runs and the plan-versus-done book, as operators see them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/os/clock.h"
#include "libs/pg/pg.h"
#include "voltwell/scheduler/v1/schedule.pb.h"

namespace voltwell::scheduler {

// Items that one transaction cancels; a larger run goes on in the background.
inline constexpr int kCancelChunkMax = 10'000;

// All within the caller's transaction, which bears the tenant.
class ScheduleStore {
 public:
  using Schedule = voltwell::scheduler::v1::Schedule;
  using Run = voltwell::scheduler::v1::Run;
  using RunItem = voltwell::scheduler::v1::RunItem;

  // Writes the row and when it fires next; nullopt: it does not.
  static absl::Status Insert(pg::Tx& tx, const Schedule& schedule, std::optional<absl::Time> next);
  // The row only; MoveDue when it fires at other times.
  static absl::Status Update(pg::Tx& tx, const Schedule& schedule);
  static absl::Status MoveDue(pg::Tx& tx, const Schedule& schedule, std::optional<absl::Time> next);
  // When it is due, locked against the tick: nobody fires it before the transaction ends.
  static absl::StatusOr<std::optional<absl::Time>> LockDue(pg::Tx& tx, const std::string& id);
  static absl::Status RecordMissed(pg::Tx& tx, const Schedule& schedule, absl::Time first, absl::Time last,
                                   int firings);
  static absl::Status Archive(pg::Tx& tx, const std::string& tenant, const std::string& id, absl::Time now);
  // SCHEDULE_NOT_FOUND. `lock`: for an update.
  static absl::StatusOr<Schedule> Get(pg::Tx& tx, const std::string& tenant, const std::string& id, bool lock = false);
  // Ids after `after`, oldest first; one more than `limit` when there is another page.
  static absl::StatusOr<std::vector<Schedule>> List(pg::Tx& tx, const std::string& tenant, const std::string& after,
                                                    int limit);

  static absl::StatusOr<Run> GetRun(pg::Tx& tx, const std::string& tenant, int64_t number);  // RUN_NOT_FOUND
  // Latest first, before the number; `schedule` empty: of all.
  static absl::StatusOr<std::vector<Run>> ListRuns(pg::Tx& tx, const std::string& tenant, const std::string& schedule,
                                                   int64_t before, int limit);
  // By meter number, after it. The last number read comes back beside the items.
  struct Items {
    std::vector<RunItem> items = {};
    std::vector<int64_t> meter_numbers = {};
  };
  static absl::StatusOr<Items> ListItems(pg::Tx& tx, int64_t run, int state, int64_t after, int limit);
  // Cancels what nobody works on, at most a chunk; how many items will not be read in all.
  static absl::StatusOr<int64_t> Cancel(pg::Tx& tx, const std::string& tenant, int64_t run, absl::Time now);
};

// Goes on with runs that were cancelled and still have items: one chunk; false: there is none.
absl::StatusOr<bool> CancelChunk(pg::Pool& pool, absl::Time now);

}  // namespace voltwell::scheduler
