#include "services/meter_scheduler/worker_store.h"

#include <algorithm>
#include <map>
#include <utility>

#include "libs/base/status.h"
#include "libs/log/log.h"

namespace voltwell::scheduler {
namespace {

constexpr absl::Duration kRetryEvery = absl::Milliseconds(200);  // While the database is away and the lease is held.

// The transaction may go through when it is made again.
bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
      return true;
    default:
      return false;
  }
}

}  // namespace

StoreWorker::StoreWorker(CloseStore& store, pg::ProcessLease& lease, InFlight& in_flight, os::Clock& clock,
                         metrics::Registry& metrics, std::function<void(const StoreNews&)> news)
    : store_(store),
      lease_(lease),
      in_flight_(in_flight),
      clock_(clock),
      news_(std::move(news)),
      waiting_gauge_(metrics.Gauge("voltwell_scheduler_store_waiting", "Items that wait for the commit")),
      batch_items_(metrics.Histogram("voltwell_scheduler_store_batch_items", "Items of one commit", {},
                                     {1, 8, 32, 64, 128, 256, 512, 1024, 2048})),
      stored_total_(
          metrics.Counter("voltwell_scheduler_items_total", "Items that ended an attempt", {{"state", "stored"}})),
      failed_total_(
          metrics.Counter("voltwell_scheduler_items_total", "Items that ended an attempt", {{"state", "failed"}})),
      again_total_(
          metrics.Counter("voltwell_scheduler_items_total", "Items that ended an attempt", {{"state", "again"}})),
      dropped_total_(
          metrics.Counter("voltwell_scheduler_items_total", "Items that ended an attempt", {{"state", "dropped"}})),
      readings_total_(metrics.Counter("voltwell_scheduler_readings_total", "Readings stored")),
      thread_([this] { Run(); }) {}

StoreWorker::~StoreWorker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.Join();
}

void StoreWorker::Add(std::vector<LeasedClosing> closings) {
  if (closings.empty()) return;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_.size() < kStoreWaitingMax || stopping_; });
  for (LeasedClosing& closing : closings) waiting_.push_back(std::move(closing));
  waiting_gauge_.Set(static_cast<double>(waiting_.size()));
  changed_.notify_all();
}

void StoreWorker::Run() {
  for (;;) {
    std::vector<LeasedClosing> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !waiting_.empty() || stopping_; });
      if (waiting_.empty()) return;
      while (!waiting_.empty() && batch.size() < kStoreBatchMax) {
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
      waiting_gauge_.Set(static_cast<double>(waiting_.size()));
      changed_.notify_all();
    }
    Store(std::move(batch));
  }
}

// Effects run one tenant a transaction.
void StoreWorker::Store(std::vector<LeasedClosing> batch) {
  batch_items_.Observe(static_cast<double>(batch.size()));
  std::map<std::pair<int64_t, std::string>, std::vector<Closing>> parts;
  for (LeasedClosing& leased : batch) {
    const std::string& tenant = leased.closing.item.work->tenant;
    parts[{leased.epoch, tenant}].push_back(std::move(leased.closing));
  }
  StoreNews news;
  for (auto& [key, closings] : parts) StoreTenant(key.first, key.second, std::move(closings), news);
  news_(news);
}

void StoreWorker::StoreTenant(int64_t epoch, const std::string& tenant, std::vector<Closing> closings,
                              StoreNews& news) {
  const absl::StatusOr<CloseResult> closed = CloseWithPatience(epoch, tenant, closings);
  const CloseResult result = closed.ok() ? *closed : StoreOneByOne(epoch, tenant, closings);
  stored_total_.Increment(result.stored);
  failed_total_.Increment(result.failed);
  again_total_.Increment(result.again);
  dropped_total_.Increment(result.dropped);
  news.operation_ended = news.operation_ended || result.operation_ended;
  news.relay_follows = news.relay_follows || result.relay_follows;
  for (const Closing& closing : closings) {
    in_flight_.Remove(closing.item.bus_no);
    readings_total_.Increment(static_cast<double>(closing.readings.size()));
    if (closing.final) continue;
    (closing.item.priority >= domain::Priority::kInteractive ? news.due_fast : news.due).push_back(closing.due);
  }
}

// Fails only where trying again is no use.
absl::StatusOr<CloseResult> StoreWorker::CloseWithPatience(int64_t epoch, const std::string& tenant,
                                                           const std::vector<Closing>& closings) {
  for (;;) {
    absl::StatusOr<CloseResult> closed = store_.Close(epoch, tenant, closings);
    if (closed.ok()) return closed;
    log::Warning("a batch of items was not stored", {{"items", static_cast<int64_t>(closings.size())},
                                                     {"reason", base::ReasonOf(closed.status())},
                                                     {"error", closed.status().message()}});
    if (!MayPass(closed.status())) return closed;
    // Without the lease the items belong to somebody else, or soon will: they are read again.
    if (!lease_.Held() || lease_.epoch() != epoch) return CloseResult{.dropped = static_cast<int>(closings.size())};
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(kRetryEvery));
  }
}

// One row that the database refuses must not hold up the others, and must not come back for ever: its item fails by
// name.
CloseResult StoreWorker::StoreOneByOne(int64_t epoch, const std::string& tenant, std::vector<Closing>& closings) {
  CloseResult total;
  for (Closing& closing : closings) {
    absl::StatusOr<CloseResult> closed = CloseWithPatience(epoch, tenant, {closing});
    if (!closed.ok()) {
      log::Error("an item was refused by the database",
                 {{"meter", closing.item.meter}, {"error", closed.status().message()}});
      closing = {.item = closing.item,
                 .state = voltwell::scheduler::v1::RunItem::STATE_FAILED,
                 .attempts = closing.attempts,
                 .reason = "STORE_REFUSED",
                 .time = closing.time};
      closed = CloseWithPatience(epoch, tenant, {closing});
    }
    if (!closed.ok()) {
      ++total.dropped;
      continue;
    }
    total.stored += closed->stored;
    total.failed += closed->failed;
    total.again += closed->again;
    total.dropped += closed->dropped;
    total.operation_ended = total.operation_ended || closed->operation_ended;
    total.relay_follows = total.relay_follows || closed->relay_follows;
  }
  return total;
}

}  // namespace voltwell::scheduler
