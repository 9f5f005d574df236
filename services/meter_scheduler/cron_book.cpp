#include "services/meter_scheduler/cron_book.h"

#include "absl/time/time.h"
#include "libs/base/status.h"
#include "voltwell/scheduler/v1/schedule.pb.h"

namespace voltwell::scheduler {

absl::StatusOr<std::shared_ptr<const cron::Zone>> CronBook::ZoneOf(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = zones_.find(name); found != zones_.end()) return found->second;
  absl::TimeZone zone;
  // "localtime" and paths depend on the machine: a schedule must not.
  if (name.empty() || name == "localtime" || name[0] == '/' || name[0] == ':' || !absl::LoadTimeZone(name, &zone)) {
    return base::InvalidArgument("UNKNOWN_TIME_ZONE", "no such time zone, e.g. Asia/Shanghai", {{"time_zone", name}});
  }
  auto made = std::make_shared<const cron::Zone>(zone);
  zones_[name] = made;
  return made;
}

absl::StatusOr<domain::NextFiring> CronBook::Next(const std::string& cron, const std::string& time_zone, int gap_rule) {
  VW_ASSIGN_OR_RETURN(const cron::Expression expression, cron::Parse(cron));
  VW_ASSIGN_OR_RETURN(const std::shared_ptr<const cron::Zone> zone, ZoneOf(time_zone));
  cron::DstRule rule;
  if (gap_rule == voltwell::scheduler::v1::Schedule::GAP_RULE_SKIP) rule.gap = cron::DstRule::Gap::kSkip;
  // A rhythm goes on through the hour that comes twice; a time of day comes once.
  if (cron::FiresEveryHour(expression)) rule.overlap = cron::DstRule::Overlap::kTwice;
  return domain::NextFiring(
      [expression, zone, rule](absl::Time after) { return cron::Next(expression, after, *zone, rule); });
}

}  // namespace voltwell::scheduler
