#include "services/meter_scheduler/service_schedule.h"

#include <limits>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/field_mask_util.h"
#include "libs/base/status.h"
#include "libs/events/events.h"
#include "libs/once/once.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/scope.h"
#include "services/meter_scheduler/store_claim.h"

namespace voltwell::scheduler {
namespace {

namespace v1 = voltwell::scheduler::v1;
using google::protobuf::util::FieldMaskUtil;
using v1::Schedule;

constexpr size_t kDisplayNameMax = 100;
constexpr int kAttemptsMax = 10;
constexpr int kAttemptsDefault = 3;
constexpr absl::Duration kWindowMax = absl::Hours(24 * 31);
constexpr char kMayChange[] = "display_name,cron,time_zone,gap_rule,registers,selection,paused,max_attempts,window";

absl::Status CheckNames(const google::protobuf::RepeatedPtrField<std::string>& names, absl::string_view collection) {
  if (names.size() > kSelectionMax) {
    return base::InvalidArgument("SELECTION_TOO_LARGE",
                                 absl::StrCat("at most 10000 ", collection, "; select sites instead"),
                                 {{"limit", absl::StrCat(kSelectionMax)}});
  }
  for (const std::string& name : names) {
    VW_RETURN_IF_ERROR(IdOf(collection, name, absl::StrCat("selection.", collection)).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> NumberToken(const std::string& token, int64_t first) {
  int64_t number = first;
  if (token.empty() || absl::SimpleAtoi(token, &number)) return number;
  return base::InvalidArgument("BAD_PAGE_TOKEN", "page_token is not one that was given");
}

bool FiresAlike(const Schedule& a, const Schedule& b) {
  return a.cron() == b.cron() && a.time_zone() == b.time_zone() && a.gap_rule() == b.gap_rule() &&
         a.paused() == b.paused();
}

}  // namespace

// What was due by the old rule and was not fired yet is booked as missed before the due time moves.
absl::Status ScheduleService::RecordUnfired(pg::Tx& tx, const Schedule& old) {
  VW_ASSIGN_OR_RETURN(const std::string id, IdOf("schedules", old.name(), "schedule.name"));
  VW_ASSIGN_OR_RETURN(const std::optional<absl::Time> due, ScheduleStore::LockDue(tx, id));
  const absl::Time now = clock_.Now();
  if (!due.has_value() || *due > now) return absl::OkStatus();
  VW_ASSIGN_OR_RETURN(const domain::NextFiring next, cron_.Next(old.cron(), old.time_zone(), old.gap_rule()));
  const domain::Firing firing = domain::PlanFiring(*due, now, next);
  return ScheduleStore::RecordMissed(tx, old, *due, firing.fire_time, firing.missed + 1);
}

absl::Status ScheduleService::Read(const rpc::Call& call, const char* name,
                                   const std::function<absl::Status(pg::Tx&)>& body) {
  VW_RETURN_IF_ERROR(CheckTenant(call.identity));
  return pool_.Transact({.name = name, .tenant = call.identity.tenant, .deadline = call.deadline, .read_only = true},
                        body);
}

absl::StatusOr<std::optional<absl::Time>> ScheduleService::Judge(const rpc::Call& call, Schedule& schedule) {
  VW_RETURN_IF_ERROR(CheckTenant(call.identity));
  if (schedule.display_name().empty() || schedule.display_name().size() > kDisplayNameMax * 4) {
    return base::InvalidArgument("BAD_DISPLAY_NAME", "display_name: 1 to 100 characters", {{"field", "display_name"}});
  }
  if (schedule.gap_rule() == Schedule::GAP_RULE_UNSPECIFIED) schedule.set_gap_rule(Schedule::GAP_RULE_AT_GAP_END);
  if (schedule.max_attempts() == 0) schedule.set_max_attempts(kAttemptsDefault);
  if (schedule.max_attempts() < 1 || schedule.max_attempts() > kAttemptsMax) {
    return base::InvalidArgument("BAD_MAX_ATTEMPTS", "max_attempts: 1 to 10", {{"field", "max_attempts"}});
  }
  if (schedule.has_window()) {
    const absl::Duration window = FromProto(schedule.window());
    if (window < absl::Seconds(1) || window > kWindowMax) {
      return base::InvalidArgument("BAD_WINDOW", "window: 1 s to 31 days", {{"field", "window"}});
    }
  }
  VW_RETURN_IF_ERROR(CheckNames(schedule.selection().meters(), "meters"));
  VW_RETURN_IF_ERROR(CheckNames(schedule.selection().sites(), "sites"));
  VW_RETURN_IF_ERROR(CheckNames(schedule.selection().collectors(), "collectors"));
  VW_ASSIGN_OR_RETURN(const domain::NextFiring next,
                      cron_.Next(schedule.cron(), schedule.time_zone(), schedule.gap_rule()));
  VW_RETURN_IF_ERROR(catalog_.Check(schedule.registers(), call));
  if (schedule.paused()) return std::optional<absl::Time>();
  return next(clock_.Now());
}

grpc::Status ScheduleService::CreateSchedule(Context* context, const v1::CreateScheduleRequest* request,
                                             Schedule* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    Schedule schedule = request->schedule();
    // Judged before the transaction, which must not wait for the codec; told inside it: a repeated request gets its
    // first answer, whatever has changed since.
    const absl::StatusOr<std::optional<absl::Time>> next = Judge(call, schedule);
    const absl::Time now = clock_.Now();
    schedule.set_name(NameOf("schedules", os::NewId(random_, absl::ToUnixMillis(now))));
    schedule.set_tenant(call.identity.tenant);
    *schedule.mutable_create_time() = ToProto(now);
    schedule.clear_next_fire_time();
    if (next.ok() && next->has_value()) *schedule.mutable_next_fire_time() = ToProto(**next);
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(next.status());
      VW_RETURN_IF_ERROR(CheckSelectionScope(tx, call.identity, schedule.selection()));
      VW_RETURN_IF_ERROR(ScheduleStore::Insert(tx, schedule, *next));
      *response = schedule;
      return events::Append(tx, {.type = "schedule.created",
                                 .key = schedule.name(),
                                 .tenant = schedule.tenant(),
                                 .permission = "schedule.read",
                                 .payload = response});
    });
  });
}

grpc::Status ScheduleService::GetSchedule(Context* context, const v1::GetScheduleRequest* request, Schedule* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("schedules", request->name(), "name"));
    return Read(call, "schedule.get", [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(*response, ScheduleStore::Get(tx, call.identity.tenant, id));
      return absl::OkStatus();
    });
  });
}

grpc::Status ScheduleService::ListSchedules(Context* context, const v1::ListSchedulesRequest* request,
                                            v1::ListSchedulesResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const int limit, PageSize(request->page_size()));
    return Read(call, "schedule.list", [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(std::vector<Schedule> schedules,
                          ScheduleStore::List(tx, call.identity.tenant, request->page_token(), limit));
      const bool more = schedules.size() > static_cast<size_t>(limit);
      if (more) schedules.pop_back();
      response->Clear();
      if (more) response->set_next_page_token(*IdOf("schedules", schedules.back().name(), "name"));
      for (Schedule& schedule : schedules) *response->add_schedules() = std::move(schedule);
      return absl::OkStatus();
    });
  });
}

grpc::Status ScheduleService::UpdateSchedule(Context* context, const v1::UpdateScheduleRequest* request,
                                             Schedule* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("schedules", request->schedule().name(), "schedule.name"));
    google::protobuf::FieldMask may;
    FieldMaskUtil::FromString(kMayChange, &may);
    google::protobuf::FieldMask mask = request->update_mask();
    if (mask.paths().empty()) mask = may;
    for (const std::string& path : mask.paths()) {
      if (FieldMaskUtil::IsPathInFieldMask(path, may)) continue;
      return base::InvalidArgument("BAD_UPDATE_MASK", absl::StrCat(path, " cannot be changed"), {{"path", path}});
    }
    FieldMaskUtil::MergeOptions options;
    options.set_replace_message_fields(true);
    options.set_replace_repeated_fields(true);
    // Judged on what stood before the transaction, which must not wait for the codec; told inside it, where the row is
    // locked and merged again: a repeated request gets its first answer, whatever has changed since.
    Schedule before;
    absl::Status judged = Read(call, "schedule.get", [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(before, ScheduleStore::Get(tx, call.identity.tenant, id));
      return absl::OkStatus();
    });
    FieldMaskUtil::MergeMessageTo(request->schedule(), mask, options, &before);
    if (judged.ok()) judged = Judge(call, before).status();
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(judged);
      VW_ASSIGN_OR_RETURN(const Schedule old, ScheduleStore::Get(tx, call.identity.tenant, id, true));
      Schedule schedule = old;
      FieldMaskUtil::MergeMessageTo(request->schedule(), mask, options, &schedule);
      VW_ASSIGN_OR_RETURN(const std::optional<absl::Time> next, Judge(call, schedule));
      VW_RETURN_IF_ERROR(CheckSelectionScope(tx, call.identity, old.selection()));
      VW_RETURN_IF_ERROR(CheckSelectionScope(tx, call.identity, schedule.selection()));
      VW_RETURN_IF_ERROR(ScheduleStore::Update(tx, schedule));
      if (FiresAlike(old, schedule)) {
        *schedule.mutable_next_fire_time() = old.next_fire_time();
        if (!old.has_next_fire_time()) schedule.clear_next_fire_time();
      } else {
        VW_RETURN_IF_ERROR(RecordUnfired(tx, old));
        VW_RETURN_IF_ERROR(ScheduleStore::MoveDue(tx, schedule, next));
        schedule.clear_next_fire_time();
        if (next.has_value()) *schedule.mutable_next_fire_time() = ToProto(*next);
      }
      *response = schedule;
      return events::Append(tx, {.type = "schedule.updated",
                                 .key = schedule.name(),
                                 .tenant = schedule.tenant(),
                                 .permission = "schedule.read",
                                 .payload = response});
    });
  });
}

grpc::Status ScheduleService::DeleteSchedule(Context* context, const v1::DeleteScheduleRequest* request,
                                             v1::DeleteScheduleResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("schedules", request->name(), "name"));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Schedule schedule, ScheduleStore::Get(tx, call.identity.tenant, id, true));
      VW_RETURN_IF_ERROR(CheckSelectionScope(tx, call.identity, schedule.selection()));
      VW_RETURN_IF_ERROR(ScheduleStore::Archive(tx, call.identity.tenant, id, clock_.Now()));
      return events::Append(tx, {.type = "schedule.deleted",
                                 .key = schedule.name(),
                                 .tenant = schedule.tenant(),
                                 .permission = "schedule.read",
                                 .payload = &schedule});
    });
  });
}

grpc::Status ScheduleService::PreviewSchedule(Context* context, const v1::PreviewScheduleRequest* request,
                                              v1::PreviewScheduleResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call&) -> absl::Status {
    if (request->count() < 0 || request->count() > kPreviewMax) {
      return base::InvalidArgument("BAD_COUNT", "count: 1 to 100", {{"limit", absl::StrCat(kPreviewMax)}});
    }
    VW_ASSIGN_OR_RETURN(const domain::NextFiring next,
                        cron_.Next(request->cron(), request->time_zone(), request->gap_rule()));
    std::optional<absl::Time> time = clock_.Now();
    for (int left = request->count() == 0 ? 5 : request->count(); left > 0; --left) {
      time = next(*time);
      if (!time.has_value()) break;
      *response->add_fire_times() = ToProto(*time);
    }
    return absl::OkStatus();
  });
}

grpc::Status ScheduleService::RunSchedule(Context* context, const v1::RunScheduleRequest* request, Run* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const std::string id, IdOf("schedules", request->name(), "name"));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(CheckScheduleScope(tx, call.identity, id));
      VW_RETURN_IF_ERROR(plans_.FireNow(tx, call.identity.tenant, id, *response));
      VW_ASSIGN_OR_RETURN(const int64_t number, NumberOf("runs", response->name(), "name"));
      VW_ASSIGN_OR_RETURN(*response, ScheduleStore::GetRun(tx, call.identity.tenant, number));
      // Chunks that remain are planned by the tick; it need not wake for a run whose first chunk was all.
      return response->state() == Run::STATE_PLANNING ? tx.Notify(kTickChannel) : absl::OkStatus();
    });
  });
}

grpc::Status ScheduleService::GetRun(Context* context, const v1::GetRunRequest* request, Run* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const int64_t number, NumberOf("runs", request->name(), "name"));
    return Read(call, "run.get", [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Run run, ScheduleStore::GetRun(tx, call.identity.tenant, number));
      VW_RETURN_IF_ERROR(CheckRunScope(tx, call.identity, run));
      *response = run;
      return absl::OkStatus();
    });
  });
}

grpc::Status ScheduleService::ListRuns(Context* context, const v1::ListRunsRequest* request,
                                       v1::ListRunsResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const int limit, PageSize(request->page_size()));
    VW_ASSIGN_OR_RETURN(const int64_t before, NumberToken(request->page_token(), std::numeric_limits<int64_t>::max()));
    std::string schedule;
    if (!request->schedule().empty()) {
      VW_ASSIGN_OR_RETURN(schedule, IdOf("schedules", request->schedule(), "schedule"));
    }
    return Read(call, "run.list", [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(std::vector<Run> runs,
                          ScheduleStore::ListRuns(tx, call.identity.tenant, schedule, before, limit));
      response->Clear();
      if (runs.size() > static_cast<size_t>(limit)) {
        runs.pop_back();
        response->set_next_page_token(*IdOf("runs", runs.back().name(), "name"));
      }
      absl::flat_hash_map<std::string, bool> shown;  // By schedule.
      for (Run& run : runs) {
        const auto [found, first] = shown.try_emplace(run.schedule(), true);
        if (first) {
          const absl::Status in_scope = CheckRunScope(tx, call.identity, run);
          if (!in_scope.ok() && !absl::IsPermissionDenied(in_scope)) return in_scope;
          found->second = in_scope.ok();
        }
        if (found->second) *response->add_runs() = std::move(run);
      }
      return absl::OkStatus();
    });
  });
}

grpc::Status ScheduleService::ListRunItems(Context* context, const v1::ListRunItemsRequest* request,
                                           v1::ListRunItemsResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const int limit, PageSize(request->page_size()));
    VW_ASSIGN_OR_RETURN(const int64_t number, NumberOf("runs", request->run(), "run"));
    VW_ASSIGN_OR_RETURN(const int64_t after, NumberToken(request->page_token(), 0));
    return Read(call, "run.items", [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(ScheduleStore::GetRun(tx, call.identity.tenant, number).status());
      VW_ASSIGN_OR_RETURN(ScheduleStore::Items items,
                          ScheduleStore::ListItems(tx, number, request->state(), after, limit));
      response->Clear();
      if (items.items.size() > static_cast<size_t>(limit)) {
        items.items.pop_back();
        response->set_next_page_token(absl::StrCat(items.meter_numbers[items.items.size() - 1]));
      }
      std::vector<std::string> meters;
      for (const auto& item : items.items) meters.push_back(item.meter());
      VW_ASSIGN_OR_RETURN(const ScopeFilter filter, ScopeFilter::Of(tx, call.identity, meters));
      for (auto& item : items.items) {
        if (filter.Holds(item.meter())) *response->add_items() = std::move(item);
      }
      return absl::OkStatus();
    });
  });
}

grpc::Status ScheduleService::CancelRun(Context* context, const v1::CancelRunRequest* request,
                                        v1::CancelRunResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const int64_t number, NumberOf("runs", request->name(), "name"));
    return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const Run asked, ScheduleStore::GetRun(tx, call.identity.tenant, number));
      VW_RETURN_IF_ERROR(CheckRunScope(tx, call.identity, asked));
      VW_ASSIGN_OR_RETURN(const int64_t cancelled,
                          ScheduleStore::Cancel(tx, call.identity.tenant, number, clock_.Now()));
      response->set_items_cancelled(cancelled);
      VW_ASSIGN_OR_RETURN(const Run run, ScheduleStore::GetRun(tx, call.identity.tenant, number));
      return events::Append(tx, {.type = "run.cancelled",
                                 .key = run.name(),
                                 .tenant = run.tenant(),
                                 .permission = "schedule.read",
                                 .payload = &run});
    });
  });
}

}  // namespace voltwell::scheduler
