#include "services/registry/worker_housekeeping.h"

#include <functional>

#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/once/once.h"
#include "services/registry/domain/login_backoff.h"
#include "services/registry/store_links.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {
namespace {

constexpr absl::Duration kEvery = absl::Hours(1);
constexpr absl::Duration kAfterFailure = absl::Seconds(10);
constexpr absl::Duration kSessionsKept = absl::Hours(24 * 7);  // After their end.
constexpr absl::Duration kLinksKept = absl::Hours(24 * 30);

constexpr pg::Query kSessions{
    "session.forget", "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at < $1 LIMIT $2)"};
constexpr pg::Query kFailures{
    "login.forget_old",
    "DELETE FROM login_failure WHERE login IN (SELECT login FROM login_failure WHERE last_at < $1 LIMIT $2)"};

// Repeats `portion` in short transactions until less than a full portion was left.
absl::Status Forget(pg::Pool& pool, const char* name, const std::function<absl::StatusOr<int64_t>(pg::Tx&)>& portion) {
  int64_t gone = kForgetMax;
  while (gone >= kForgetMax) {
    const absl::Status status = pool.Transact({.name = name, .tenant = kAllTenants}, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(gone, portion(tx));
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Delete(pg::Tx& tx, const pg::Query& query, absl::Time before) {
  VW_ASSIGN_OR_RETURN(const pg::Result gone, tx.Execute(query, before, kForgetMax));
  return gone.affected();
}

}  // namespace

Housekeeping::Housekeeping(pg::Pool& pool, const Bootstrap& bootstrap, os::Clock& clock)
    : pool_(pool), bootstrap_(bootstrap), clock_(clock), worker_("housekeeping", [this] { return Step(); }) {}

absl::Duration Housekeeping::Step() {
  if (!bootstrap_.done()) return kAfterFailure;
  const absl::Time now = clock_.Now();
  absl::Status status =
      Forget(pool_, "once.forget", [&](pg::Tx& tx) { return once::Forget(tx, now - once::kKeptFor); });
  status.Update(
      Forget(pool_, "session.forget", [&](pg::Tx& tx) { return Delete(tx, kSessions, now - kSessionsKept); }));
  status.Update(
      Forget(pool_, "login.forget", [&](pg::Tx& tx) { return Delete(tx, kFailures, now - kFailuresForgotten); }));
  status.Update(
      Forget(pool_, "link.forget", [&](pg::Tx& tx) { return store::ForgetLinks(tx, now - kLinksKept, kForgetMax); }));
  if (status.ok()) return kEvery;
  log::Warning("old rows cannot be forgotten", {{"error", status.ToString()}});
  return kAfterFailure;
}

}  // namespace voltwell::registry
