// The pool of connections and the transactions on them: waiting, reconnecting, repeating, counting.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/os/random.h"
#include "libs/pg/connection.h"
#include "libs/pg/pg.h"

namespace voltwell::pg {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(3);
// Between failed connects: doubled from the first to the last, so that a server that comes back is found within a
// second and one that is gone is not hammered.
constexpr absl::Duration kReconnectFirst = absl::Milliseconds(50);
constexpr absl::Duration kReconnectLast = absl::Seconds(1);
// Before a transaction that lost against another runs again: 5 ms, doubled, half of it at random.
constexpr absl::Duration kConflictFirst = absl::Milliseconds(5);
constexpr absl::Duration kHealthTimeout = absl::Seconds(1);

const char* ResultLabel(const absl::Status& status, Connection::Failure failure) {
  if (status.ok()) return "committed";
  const std::string reason = base::ReasonOf(status);
  if (reason == "COMMIT_IN_DOUBT") return "in_doubt";
  if (reason == "POOL_EXHAUSTED") return "exhausted";
  if (reason == "TX_CONFLICT") return "conflict";
  if (reason == "DATABASE_TIMEOUT") return "timeout";
  if (reason == "DATABASE_DOWN") return "down";
  return failure == Connection::Failure::kNone ? "rolled_back" : "error";
}

}  // namespace

struct Pool::State {
  State(Config given_config, os::Clock& given_clock, metrics::Registry& given_metrics)
      : config(std::move(given_config)),
        clock(given_clock),
        metrics(given_metrics),
        open_gauge(metrics.Gauge("voltwell_pg_pool_connections", "Open connections to the database")),
        used_gauge(metrics.Gauge("voltwell_pg_pool_in_use", "Connections that a transaction holds")),
        size_gauge(metrics.Gauge("voltwell_pg_pool_size", "Connections at most")),
        wait_seconds(metrics.Histogram("voltwell_pg_pool_wait_seconds", "Wait of a transaction for a connection")),
        repeats(metrics.Counter("voltwell_pg_repeats_total", "Transactions that ran again after a conflict or a loss")),
        connect_failures(metrics.Counter("voltwell_pg_connect_failures_total", "Connects that failed")) {
    size_gauge.Set(config.pool_size);
  }

  absl::StatusOr<std::unique_ptr<Connection>> Acquire(absl::Duration deadline);
  absl::StatusOr<std::unique_ptr<Connection>> Connect(absl::Duration deadline);
  void Release(std::unique_ptr<Connection> connection);
  void DropIdle();
  absl::Status Attempt(const TxOptions& options, const std::function<absl::Status(Tx&)>& body, absl::Duration deadline,
                       Connection::Failure& failure, bool& began);
  void Count(const TxOptions& options, const absl::Status& status, Connection::Failure failure, absl::Duration took);

  const Config config;
  os::Clock& clock;
  metrics::Registry& metrics;
  prometheus::Gauge& open_gauge;
  prometheus::Gauge& used_gauge;
  prometheus::Gauge& size_gauge;
  prometheus::Histogram& wait_seconds;
  prometheus::Counter& repeats;
  prometheus::Counter& connect_failures;

  std::mutex mutex;
  std::condition_variable freed;
  std::vector<std::unique_ptr<Connection>> idle;  // The last one used is the first one taken: its cache is warm.
  int open = 0;                                   // Idle, in use, or being connected.
  int failures = 0;                               // Connects in a row that failed.
  absl::Duration retry_at = -absl::InfiniteDuration();
  os::SystemRandom random;
  std::map<std::pair<std::string, std::string>, prometheus::Counter*> transactions;
  std::map<std::string, prometheus::Histogram*> seconds;
};

absl::StatusOr<std::unique_ptr<Connection>> Pool::State::Acquire(absl::Duration deadline) {
  const absl::Duration start = MonotonicNow();
  const absl::Duration until = std::min(deadline, start + config.wait);
  std::unique_lock lock(mutex);
  for (;;) {
    if (!idle.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle.back());
      idle.pop_back();
      if (connection->Reusable()) {
        used_gauge.Set(open - static_cast<int>(idle.size()));
        wait_seconds.Observe(absl::ToDoubleSeconds(MonotonicNow() - start));
        return connection;
      }
      open_gauge.Set(--open);
      continue;
    }
    const absl::Duration now = MonotonicNow();
    if (open < config.pool_size && now >= retry_at) {
      open_gauge.Set(++open);
      lock.unlock();
      wait_seconds.Observe(absl::ToDoubleSeconds(now - start));
      return Connect(deadline);
    }
    if (open == 0) return base::Unavailable("DATABASE_DOWN", "the database cannot be reached; the next try is soon");
    if (now >= until) {
      return base::ResourceExhausted("POOL_EXHAUSTED", "no connection to the database became free in time",
                                     {{"pool_size", absl::StrCat(config.pool_size)}});
    }
    freed.wait_for(lock, absl::ToChronoNanoseconds(until - now));
  }
}

absl::StatusOr<std::unique_ptr<Connection>> Pool::State::Connect(absl::Duration deadline) {
  auto connection = Connection::Open(config, std::min(deadline, MonotonicNow() + kConnectTimeout));
  const std::lock_guard lock(mutex);
  if (connection.ok()) {
    failures = 0;
    used_gauge.Set(open - static_cast<int>(idle.size()));
    return connection;
  }
  open_gauge.Set(--open);
  connect_failures.Increment();
  if (MonotonicNow() >= deadline) {
    // The caller was in a hurry; that tells nothing about the database, so others need not back off.
    freed.notify_one();
    return base::DeadlineExceeded("DATABASE_TIMEOUT", "the deadline passed while connecting to the database");
  }
  absl::Duration wait = kReconnectFirst;
  for (int i = 0; i < failures && wait < kReconnectLast; ++i) wait *= 2;
  ++failures;
  retry_at = MonotonicNow() + std::min(wait, kReconnectLast) * (0.5 + 0.5 * os::Fraction(random));
  if (failures == 1) log::Warning("the database cannot be reached", {{"error", connection.status().message()}});
  freed.notify_all();  // Who waits for a connection must learn that none will come.
  return connection;
}

void Pool::State::Release(std::unique_ptr<Connection> connection) {
  const bool reusable = connection->Reusable();
  std::unique_lock lock(mutex);
  if (reusable) {
    idle.push_back(std::move(connection));
  } else {
    open_gauge.Set(--open);
  }
  used_gauge.Set(open - static_cast<int>(idle.size()));
  freed.notify_one();
}

// After one connection was lost the others are likely dead too; a repeated transaction should not find them one by one.
void Pool::State::DropIdle() {
  std::vector<std::unique_ptr<Connection>> dropped;
  const std::lock_guard lock(mutex);
  dropped.swap(idle);
  open -= static_cast<int>(dropped.size());
  open_gauge.Set(open);
}

absl::Status Pool::State::Attempt(const TxOptions& options, const std::function<absl::Status(Tx&)>& body,
                                  absl::Duration deadline, Connection::Failure& failure, bool& in_doubt) {
  failure = Connection::Failure::kNone;
  auto acquired = Acquire(deadline);
  if (!acquired.ok()) return acquired.status();
  std::unique_ptr<Connection> connection = *std::move(acquired);
  connection->Begin(options, deadline);
  Tx tx(*connection);
  absl::Status status = body(tx);
  if (status.ok()) {
    status = connection->Commit();
    in_doubt = base::ReasonOf(status) == "COMMIT_IN_DOUBT";
    if (in_doubt && options.read_only) status = absl::OkStatus();
  } else {
    in_doubt = base::ReasonOf(status) == "COMMIT_IN_DOUBT";  // Of RunAndCommit.
    connection->Rollback();
  }
  failure = connection->failure();
  Release(std::move(connection));
  return status;
}

void Pool::State::Count(const TxOptions& options, const absl::Status& status, Connection::Failure failure,
                        absl::Duration took) {
  const std::string result = ResultLabel(status, failure);
  const std::lock_guard lock(mutex);
  auto& counter = transactions[{options.name, result}];
  if (counter == nullptr) {
    counter = &metrics.Counter("voltwell_pg_transactions_total", "Transactions by name and result",
                               {{"name", options.name}, {"result", result}});
  }
  auto& histogram = seconds[options.name];
  if (histogram == nullptr) {
    histogram = &metrics.Histogram("voltwell_pg_transaction_seconds", "Time of a transaction with its repetitions",
                                   {{"name", options.name}});
  }
  counter->Increment();
  histogram->Observe(absl::ToDoubleSeconds(took));
}

Pool::Pool(Config config, os::Clock& clock, metrics::Registry& metrics)
    : state_(std::make_unique<State>(std::move(config), clock, metrics)) {}

Pool::~Pool() = default;

absl::Status Pool::Transact(const TxOptions& options, const std::function<absl::Status(Tx&)>& body) {
  const absl::Duration start = MonotonicNow();
  // The caller's deadline is by its Clock; sockets wait in real time. Only what is left of it counts.
  absl::Duration deadline = absl::InfiniteDuration();
  if (options.deadline != absl::InfiniteFuture()) deadline = start + (options.deadline - state_->clock.Now());
  absl::Status status;
  Connection::Failure failure = Connection::Failure::kNone;
  absl::Duration wait = kConflictFirst;
  for (int attempt = 1;; ++attempt) {
    if (MonotonicNow() >= deadline) {
      status = base::DeadlineExceeded("DATABASE_TIMEOUT", "the deadline passed before the transaction began");
      break;
    }
    bool in_doubt = false;
    status = state_->Attempt(options, body, deadline, failure, in_doubt);
    const bool lost = failure == Connection::Failure::kLost;
    const bool again = failure == Connection::Failure::kConflict || lost;
    if (status.ok() || in_doubt || !again || attempt >= options.attempts) break;
    const absl::Duration pause = lost ? absl::ZeroDuration() : wait * (0.5 + 0.5 * os::Fraction(state_->random));
    if (MonotonicNow() + pause >= deadline) break;
    state_->repeats.Increment();
    if (lost) {
      state_->DropIdle();
      continue;
    }
    std::this_thread::sleep_for(absl::ToChronoNanoseconds(pause));
    wait *= 2;
  }
  state_->Count(options, status, failure, MonotonicNow() - start);
  return status;
}

bool Pool::Healthy() {
  static constexpr Query kAlive{"pg.alive", "SELECT 1"};
  const TxOptions options = {
      .name = "pg.alive", .deadline = state_->clock.Now() + kHealthTimeout, .attempts = 1, .read_only = true};
  return Transact(options, [](Tx& tx) { return tx.Execute(kAlive).status(); }).ok();
}

}  // namespace voltwell::pg
