// Searches for the meters of a bus: what operators see of them, and the queue from which a process takes them. Every
// answer is kept with the position behind it, so that whoever takes a search over asks one question twice at most.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/pg.h"
#include "voltwell/codec/v1/codec_service.pb.h"
#include "voltwell/scheduler/v1/scan.pb.h"

namespace voltwell::scheduler {

// Wakes the searchers of all replicas when its transaction commits.
inline constexpr char kScanChannel[] = "scheduler_scan";

inline constexpr int kScansOfTenantMax = 4;   // Under way at once; beyond it TOO_MANY_SCANS.
inline constexpr int kScansKeptMax = 200;     // Of a tenant; older ones that are over go when another begins.
inline constexpr int kScanMetersMax = 1'000;  // Found by one search; beyond it the search fails with TOO_MANY_METERS.

// What a process needs of a search that it works on.
struct ScanJob {
  int64_t number = 0;
  std::string tenant = {};
  std::string registration_id = {};
  std::string site_path = {};
  int bus = 1;
  std::string position = {};
  int64_t questions = 0;
  absl::Time give_up_time = absl::InfiniteFuture();
  std::string reason = {};  // What it waited for.
};

struct NewScan {
  voltwell::scheduler::v1::Scan asked = {};
  std::string registration_id = {};
  std::string site_path = {};
  int baud = 0;
  voltwell::codec::v1::PlanScanResponse first = {};
  std::string author = {};
  absl::Time now = absl::UnixEpoch();
  absl::Time give_up_time = absl::InfiniteFuture();
};

struct ScanEnd {
  voltwell::scheduler::v1::Scan::State state = voltwell::scheduler::v1::Scan::STATE_DONE;
  std::string reason = {};
};

class ScanStore {
 public:
  using Scan = voltwell::scheduler::v1::Scan;
  explicit ScanStore(pg::Pool& pool) : pool_(pool) {}

  // Within the caller's transaction, which bears the tenant.
  // SCAN_UNDER_WAY, TOO_MANY_SCANS.
  static absl::StatusOr<int64_t> Insert(pg::Tx& tx, const std::string& tenant, const NewScan& scan);
  // SCAN_NOT_FOUND. `site_path`: of its collector.
  static absl::StatusOr<Scan> Get(pg::Tx& tx, const std::string& tenant, int64_t number, std::string* site_path);
  // What was found, with the meter of the register where there is one.
  static absl::Status AddMeters(pg::Tx& tx, Scan& scan);
  struct Page {
    std::vector<Scan> scans = {};
    int64_t next = 0;  // 0: the last page.
  };
  // Latest first, before the number; only collectors at one of the sites (empty: all).
  static absl::StatusOr<Page> List(pg::Tx& tx, const std::string& tenant, const std::string& collector,
                                   const std::vector<std::string>& sites, int64_t before, int limit);
  // Final from here on, and out of the queue; false: it was over.
  static absl::StatusOr<bool> End(pg::Tx& tx, const std::string& tenant, int64_t number, const ScanEnd& end,
                                  absl::Time now);

  // For the worker.
  // Leases at most `limit` that are due, and tells what to go on with. Those that bear this epoch and do not run here
  // come again: their claim or their end may have been committed or not.
  absl::StatusOr<std::vector<ScanJob>> Claim(int64_t epoch, absl::Time now, int limit,
                                             const std::vector<int64_t>& running);
  enum class Advanced {
    kOn,
    kNotOurs,  // The lease is another's by now, or it was cancelled.
    kFull,     // kScanMetersMax are found.
  };
  // Keeps what the answer told and where to go on.
  absl::StatusOr<Advanced> Advance(int64_t epoch, const ScanJob& job, const voltwell::codec::v1::PlanScanResponse& step,
                                   absl::Time now);
  // Gives it back until `due`; `reason` says what is waited for.
  absl::Status Release(int64_t epoch, const ScanJob& job, absl::Time due, const std::string& reason);
  absl::Status Finish(int64_t epoch, const ScanJob& job, const ScanEnd& end, absl::Time now);

 private:
  pg::Pool& pool_;
};

}  // namespace voltwell::scheduler
