// ScheduleService: when meters are read, and what became of it.
#pragma once

#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/pg/pg.h"
#include "libs/rpc/door.h"
#include "services/meter_scheduler/cron_book.h"
#include "services/meter_scheduler/register_catalog.h"
#include "services/meter_scheduler/store_plan.h"
#include "services/meter_scheduler/store_schedules.h"
#include "voltwell/scheduler/v1/schedule_service.grpc.pb.h"

namespace voltwell::scheduler {

inline constexpr int kSelectionMax = 10'000;  // Names of one list of a selection.
inline constexpr int kPreviewMax = 100;

class ScheduleService final : public voltwell::scheduler::v1::ScheduleService::Service {
 public:
  ScheduleService(rpc::Door& door, pg::Pool& pool, PlanStore& plans, CronBook& cron, RegisterCatalog& catalog,
                  os::Clock& clock, os::Random& random)
      : door_(door), pool_(pool), plans_(plans), cron_(cron), catalog_(catalog), clock_(clock), random_(random) {}

  using Context = grpc::ServerContext;
  using Schedule = voltwell::scheduler::v1::Schedule;
  using Run = voltwell::scheduler::v1::Run;
  grpc::Status CreateSchedule(Context*, const voltwell::scheduler::v1::CreateScheduleRequest*, Schedule*) override;
  grpc::Status GetSchedule(Context*, const voltwell::scheduler::v1::GetScheduleRequest*, Schedule*) override;
  grpc::Status ListSchedules(Context*, const voltwell::scheduler::v1::ListSchedulesRequest*,
                             voltwell::scheduler::v1::ListSchedulesResponse*) override;
  grpc::Status UpdateSchedule(Context*, const voltwell::scheduler::v1::UpdateScheduleRequest*, Schedule*) override;
  grpc::Status DeleteSchedule(Context*, const voltwell::scheduler::v1::DeleteScheduleRequest*,
                              voltwell::scheduler::v1::DeleteScheduleResponse*) override;
  grpc::Status PreviewSchedule(Context*, const voltwell::scheduler::v1::PreviewScheduleRequest*,
                               voltwell::scheduler::v1::PreviewScheduleResponse*) override;
  grpc::Status RunSchedule(Context*, const voltwell::scheduler::v1::RunScheduleRequest*, Run*) override;
  grpc::Status GetRun(Context*, const voltwell::scheduler::v1::GetRunRequest*, Run*) override;
  grpc::Status ListRuns(Context*, const voltwell::scheduler::v1::ListRunsRequest*,
                        voltwell::scheduler::v1::ListRunsResponse*) override;
  grpc::Status ListRunItems(Context*, const voltwell::scheduler::v1::ListRunItemsRequest*,
                            voltwell::scheduler::v1::ListRunItemsResponse*) override;
  grpc::Status CancelRun(Context*, const voltwell::scheduler::v1::CancelRunRequest*,
                         voltwell::scheduler::v1::CancelRunResponse*) override;

 private:
  // Fills defaults and refuses what cannot be; when it fires next, unless it is paused.
  absl::StatusOr<std::optional<absl::Time>> Judge(const rpc::Call& call, Schedule& schedule);
  absl::Status RecordUnfired(pg::Tx& tx, const Schedule& old);
  absl::Status Read(const rpc::Call& call, const char* name, const std::function<absl::Status(pg::Tx&)>& body);

  rpc::Door& door_;
  pg::Pool& pool_;
  PlanStore& plans_;
  CronBook& cron_;
  RegisterCatalog& catalog_;
  os::Clock& clock_;
  os::Random& random_;
};

}  // namespace voltwell::scheduler
