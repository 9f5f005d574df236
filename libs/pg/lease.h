// The lease of a process: one row in process_lease, renewed every 2 s, dead after 6 s. Items that the process works on
// bear the lease's epoch; whoever finds the row dead returns them (ReapDeadProcesses). A process that could not renew
// stops by itself at 5 s by its monotonic clock, before anyone may take its items; then it comes back under a new
// epoch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/pg/pg.h"

namespace voltwell::pg {

constexpr absl::Duration kLeaseRenewEvery = absl::Seconds(2);
constexpr absl::Duration kLeaseHeldFor = absl::Seconds(5);  // Since the last renewal was sent, by the monotonic clock.
constexpr absl::Duration kLeaseDeadAfter = absl::Seconds(6);  // Since the last renewal was written, by the database.

class ProcessLease {
 public:
  // `replica` need not be unique: the row's key is replica and epoch.
  ProcessLease(Pool& pool, os::Clock& clock, metrics::Registry& metrics, std::string service, std::string replica);
  ~ProcessLease();
  ProcessLease(const ProcessLease&) = delete;
  ProcessLease& operator=(const ProcessLease&) = delete;

  void Start();  // Acquires and renews in a thread of its own.
  // Stops renewing and declares the row dead, so that others return its items at once. Call after the work has drained.
  void Stop();
  // One acquisition or renewal, as the thread does it: for tests.
  absl::Status Renew();

  // Gives this epoch up; the next renewal takes a new one. Its row is not renewed any more, and whoever finds it dead
  // returns all that bears it. For a holder that does not know what it holds.
  void Abandon();

  bool Held() const;
  int64_t epoch() const;  // Of the lease held now or last; 0 before the first.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Fails with LEASE_LOST (Aborted) unless the epoch is alive in the database, and keeps it from being reaped until this
// transaction ends: first statement of a claim.
absl::Status AssertLease(Tx& tx, int64_t epoch);

// Deletes the rows of the service's dead processes and returns their epochs: return their items in the same
// transaction.
absl::StatusOr<std::vector<int64_t>> ReapDeadProcesses(Tx& tx, const std::string& service);

}  // namespace voltwell::pg
