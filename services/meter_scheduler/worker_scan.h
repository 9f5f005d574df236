// Carries searches for meters forward: takes those that are due, asks the codec which question comes next, sends it
// down the line behind all other work of the bus (BACKFILL), and keeps each answer before it asks further. It knows no
// protocol, and holds one question a search.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/worker.h"
#include "libs/pg/lease.h"
#include "services/meter_scheduler/clients.h"
#include "services/meter_scheduler/line.h"
#include "services/meter_scheduler/router.h"
#include "services/meter_scheduler/store_scans.h"

namespace voltwell::scheduler {

inline constexpr int kScansAtOnce = 64;               // Of one process; others wait for it or for another replica.
inline constexpr int64_t kScanQuestionsMax = 20'000;  // Of one search: five hours at a second each. SCAN_TOO_LONG.
inline constexpr absl::Duration kScanFor = absl::Hours(24);  // Waiting included; then it fails with TOO_LATE.

struct ScanParts {
  pg::Pool& pool;
  Clients& clients;
  Router& router;
  pg::ProcessLease& lease;
  os::Clock& clock;
  metrics::Registry& metrics;
  int64_t questions_max = kScanQuestionsMax;
};

class ScanWorker {
 public:
  explicit ScanWorker(ScanParts parts);
  ~ScanWorker();

  void Wake();
  // Asks no more; what is on the line is asked again by whoever takes the search over.
  void Stop();

 private:
  absl::Duration Step();
  void TakeAnswers();
  void ClaimDue();
  // The question that stands in the job's position goes on the line.
  void Ask(ScanJob job);
  void Send(ScanJob job, voltwell::codec::v1::PlanScanResponse step);
  void OnAnswer(ScanJob job, Attempt& attempt);
  // Waits for what is missing, or fails when its time is over.
  void PutOff(const ScanJob& job, absl::Duration pause, const std::string& reason);
  void Finish(const ScanJob& job, ScanEnd end);

  ScanParts parts_;
  ScanStore store_;
  prometheus::Gauge& running_gauge_;
  prometheus::Counter& questions_total_;
  prometheus::Counter& found_total_;
  std::map<int64_t, ScanJob> running_;  // With a question on the line. Of the worker's thread.
  int64_t epoch_ = 0;                   // That they were claimed under.
  std::mutex mutex_;
  std::vector<AttemptPtr> answers_;  // At most one a search.
  Line line_;
  std::unique_ptr<os::Worker> worker_;
};

}  // namespace voltwell::scheduler
