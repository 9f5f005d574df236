#include "libs/pg/lease.h"

#include <mutex>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/os/worker.h"

namespace voltwell::pg {
namespace {

// Intervals are those of kLeaseDeadAfter; clock_timestamp, not now(): a slow transaction must not begin with an old
// lease.
constexpr Query kAcquire{"lease.acquire",
                         "WITH next AS (SELECT nextval('process_lease_epoch') AS epoch) "
                         "INSERT INTO process_lease (process, service, epoch, expires_at) "
                         "SELECT $1 || ':' || epoch, $2, epoch, clock_timestamp() + $3::text::interval FROM next "
                         "RETURNING epoch"};
constexpr Query kRenew{"lease.renew",
                       "UPDATE process_lease SET expires_at = clock_timestamp() + $2::text::interval "
                       "WHERE epoch = $1 AND expires_at > clock_timestamp()"};
constexpr Query kRelease{"lease.release", "UPDATE process_lease SET expires_at = '-infinity' WHERE epoch = $1"};
// KEY SHARE stands beside renewals, which change no key, and in the way of the reaper's DELETE.
constexpr Query kAssert{
    "lease.assert", "SELECT 1 FROM process_lease WHERE epoch = $1 AND expires_at > clock_timestamp() FOR KEY SHARE"};
constexpr Query kReap{"lease.reap",
                      "DELETE FROM process_lease WHERE epoch IN (SELECT epoch FROM process_lease WHERE service = $1 "
                      "AND expires_at <= clock_timestamp() ORDER BY epoch FOR UPDATE SKIP LOCKED) RETURNING epoch"};

std::string DeadAfter() { return absl::StrCat(absl::ToInt64Milliseconds(kLeaseDeadAfter), " milliseconds"); }

}  // namespace

struct ProcessLease::State {
  Pool& pool;
  os::Clock& clock;
  std::string service;
  std::string replica;
  prometheus::Gauge& held_gauge;
  prometheus::Counter& lost_total;

  mutable std::mutex mutex;
  int64_t epoch = 0;
  absl::Duration held_until = -absl::InfiniteDuration();  // By clock.Monotonic().
  int64_t abandoned = 0;  // Epoch that must not be renewed, nor held when a renewal of it is under way.
  bool stopped = false;

  std::unique_ptr<os::Worker> worker;

  bool Held() const {
    const std::lock_guard lock(mutex);
    return clock.Monotonic() < held_until;
  }
  absl::Status Renew();
  absl::StatusOr<bool> RenewHeld(int64_t held_epoch);
  absl::StatusOr<int64_t> Acquire();
};

// Its transactions give up before the lease would end, so that a hanging database cannot renew it late.
absl::StatusOr<bool> ProcessLease::State::RenewHeld(int64_t held_epoch) {
  bool renewed = false;
  const TxOptions options = {.name = "lease.renew", .deadline = clock.Now() + kLeaseRenewEvery};
  VW_RETURN_IF_ERROR(pool.Transact(options, [&](Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kRenew, held_epoch, DeadAfter()));
    renewed = rows.affected() == 1;
    return absl::OkStatus();
  }));
  return renewed;
}

absl::StatusOr<int64_t> ProcessLease::State::Acquire() {
  int64_t acquired = 0;
  const TxOptions options = {.name = "lease.acquire", .deadline = clock.Now() + kLeaseRenewEvery};
  VW_RETURN_IF_ERROR(pool.Transact(options, [&](Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kAcquire, replica, service, DeadAfter()));
    acquired = rows.Int(0, 0);
    return absl::OkStatus();
  }));
  return acquired;
}

absl::Status ProcessLease::State::Renew() {
  // Taken before anything is sent: the row cannot expire earlier than this plus kLeaseDeadAfter.
  const absl::Duration start = clock.Monotonic();
  int64_t current = 0;
  {
    const std::lock_guard lock(mutex);
    if (start < held_until) current = epoch;
    if (current == 0 && held_until != -absl::InfiniteDuration()) {
      held_until = -absl::InfiniteDuration();
      held_gauge.Set(0);
      lost_total.Increment();
    }
  }
  if (current != 0) {
    VW_ASSIGN_OR_RETURN(const bool renewed, RenewHeld(current));
    const std::lock_guard lock(mutex);
    if (abandoned == current) return base::Aborted("LEASE_LOST", "it was given up");
    held_until = renewed ? start + kLeaseHeldFor : -absl::InfiniteDuration();
    held_gauge.Set(renewed ? 1 : 0);
    if (renewed) return absl::OkStatus();
    lost_total.Increment();
    return base::Aborted("LEASE_LOST", "another process took this one for dead");
  }
  VW_ASSIGN_OR_RETURN(const int64_t acquired, Acquire());
  const std::lock_guard lock(mutex);
  epoch = acquired;
  held_until = start + kLeaseHeldFor;
  held_gauge.Set(1);
  return absl::OkStatus();
}

ProcessLease::ProcessLease(Pool& pool, os::Clock& clock, metrics::Registry& metrics, std::string service,
                           std::string replica)
    : state_(new State{
          .pool = pool,
          .clock = clock,
          .service = std::move(service),
          .replica = std::move(replica),
          .held_gauge = metrics.Gauge("voltwell_pg_lease_held", "1 while this process holds its lease"),
          .lost_total = metrics.Counter("voltwell_pg_lease_lost_total", "Leases that ended before they were released"),
          .mutex = {},
          .epoch = 0,
          .held_until = -absl::InfiniteDuration(),
          .abandoned = 0,
          .stopped = false,
          .worker = nullptr}) {}

ProcessLease::~ProcessLease() { Stop(); }

void ProcessLease::Start() {
  state_->worker = std::make_unique<os::Worker>("lease", [this] {
    const absl::Status renewed = Renew();
    if (renewed.ok()) return kLeaseRenewEvery;
    log::Warning("the lease of this process was not renewed", {{"error", renewed.message()}});
    return absl::Milliseconds(500);  // Often enough for several tries within the second that is left.
  });
}

void ProcessLease::Stop() {
  if (state_->worker != nullptr) state_->worker->Stop();
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopped) return;
    state_->stopped = true;
    state_->held_until = -absl::InfiniteDuration();
    if (state_->epoch == 0) return;
  }
  // Best effort: otherwise the row dies by itself.
  const TxOptions options = {.name = "lease.release", .deadline = state_->clock.Now() + absl::Seconds(1)};
  const absl::Status released =
      state_->pool.Transact(options, [&](Tx& tx) { return tx.Execute(kRelease, state_->epoch).status(); });
  if (!released.ok()) log::Info("the lease was left to expire", {{"error", released.message()}});
}

absl::Status ProcessLease::Renew() { return state_->Renew(); }
void ProcessLease::Abandon() {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->epoch == 0 || state_->abandoned == state_->epoch) return;
    state_->abandoned = state_->epoch;
    state_->held_until = -absl::InfiniteDuration();
    state_->held_gauge.Set(0);
    state_->lost_total.Increment();
  }
  log::Warning("the lease of this process was given up");
}
bool ProcessLease::Held() const { return state_->Held(); }

int64_t ProcessLease::epoch() const {
  const std::lock_guard lock(state_->mutex);
  return state_->epoch;
}

absl::Status AssertLease(Tx& tx, int64_t epoch) {
  VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kAssert, epoch));
  if (rows.rows() == 1) return absl::OkStatus();
  return base::Aborted("LEASE_LOST", "the lease of this process has ended");
}

absl::StatusOr<std::vector<int64_t>> ReapDeadProcesses(Tx& tx, const std::string& service) {
  VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kReap, service));
  std::vector<int64_t> epochs;
  epochs.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) epochs.push_back(rows.Int(row, 0));
  return epochs;
}

}  // namespace voltwell::pg
