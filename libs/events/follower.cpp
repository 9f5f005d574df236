// Follows an owner's stream: subscribe from our cursor, apply each batch in a transaction that moves the cursor, begin
// again when the stream or the database was lost. The cursor row is the one truth: whatever is delivered twice is
// dropped under its lock.
#include <algorithm>
#include <atomic>
#include <optional>

#include "google/protobuf/util/time_util.h"
#include "libs/base/status.h"
#include "libs/events/convert.h"
#include "libs/events/events.h"
#include "libs/log/log.h"
#include "libs/os/random.h"
#include "libs/os/worker.h"
#include "libs/pg/outbox.h"

namespace voltwell::events {
namespace {

constexpr absl::Duration kRetryFirst =
    absl::Milliseconds(100);  // After a lost stream or a failed effect, doubled up to the last.
constexpr absl::Duration kRetryLast = absl::Seconds(2);
constexpr absl::Duration kResyncBusy = absl::Milliseconds(500);  // Another replica resyncs.

// One replica resyncs at a time, or an old snapshot could overwrite what another has applied since. Held by a
// transaction that writes only at its end, so it keeps no event of ours from being served.
constexpr pg::Query kResyncLock{"events.resync_lock",
                                "SELECT pg_try_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 4711))"};

using voltwell::event::v1::Cursor;
using voltwell::event::v1::Event;
using voltwell::event::v1::EventService;
using voltwell::event::v1::SubscribeRequest;
using voltwell::event::v1::SubscribeResponse;

}  // namespace

struct Follower::State {
  FollowOptions options;
  pg::Pool& pool;
  rpc::Client<EventService>& owner;
  Effect effect;
  Resync resync;
  os::Clock& clock;
  prometheus::Gauge& lag;
  prometheus::Counter& applied;
  prometheus::Counter& failed;
  prometheus::Counter& resyncs;
  os::SystemRandom random;
  rpc::Cancellation cancellation;
  std::optional<pg::Cursor> too_old;  // The cursor that the owner refused.
  absl::Duration retry = kRetryFirst;
  std::unique_ptr<os::Worker> worker;

  State(FollowOptions the_options, pg::Pool& the_pool, rpc::Client<EventService>& the_owner, Effect the_effect,
        Resync the_resync, os::Clock& the_clock, metrics::Registry& metrics)
      : options(std::move(the_options)),
        pool(the_pool),
        owner(the_owner),
        effect(std::move(the_effect)),
        resync(std::move(the_resync)),
        clock(the_clock),
        lag(metrics.Gauge("voltwell_event_lag_seconds", "Age of the last event applied; 0: caught up", Labels())),
        applied(metrics.Counter("voltwell_events_applied_total", "Events whose effect was committed", Labels())),
        failed(metrics.Counter("voltwell_events_failures_total", "Batches whose effect failed and is tried again",
                               Labels())),
        resyncs(metrics.Counter("voltwell_events_resyncs_total", "Times the owner was listed anew", Labels())) {}

  metrics::Labels Labels() const { return {{"source", options.source}, {"consumer", options.consumer}}; }
  bool stopping() const { return cancellation.cancelled(); }

  absl::Duration Later() {
    const absl::Duration wait = retry * (0.5 + 0.5 * os::Fraction(random));
    retry = std::min(retry * 2, kRetryLast);
    return wait;
  }

  absl::Duration Step() {
    const absl::StatusOr<std::optional<pg::Cursor>> cursor = FindCursor();
    if (!cursor.ok()) return Later();  // Our database is away; its pool says so.
    if (!cursor->has_value() || *cursor == too_old) return ResyncOnce(*cursor);
    const absl::Status ended = Follow(**cursor);
    if (stopping()) return absl::ZeroDuration();
    if (base::ReasonOf(ended) == "CURSOR_TOO_OLD") {
      too_old = *cursor;
      return absl::ZeroDuration();
    }
    log::Warning("following events begins again", {{"source", options.source}, {"error", ended.ToString()}});
    return Later();
  }

  absl::StatusOr<std::optional<pg::Cursor>> FindCursor() {
    std::optional<pg::Cursor> cursor;
    VW_RETURN_IF_ERROR(pool.Transact({.name = "events.cursor", .read_only = true}, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(cursor, pg::FindCursor(tx, options.source, options.consumer));
      return absl::OkStatus();
    }));
    return cursor;
  }

  absl::Duration ResyncOnce(const std::optional<pg::Cursor>& seen) {
    bool busy = false;
    const absl::Status done = pool.Transact({.name = "events.resync", .attempts = 1}, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const pg::Result locked, tx.Execute(kResyncLock, options.source, options.consumer));
      busy = !locked.Bool(0, 0);
      if (busy) return absl::OkStatus();
      VW_ASSIGN_OR_RETURN(const std::optional<pg::Cursor> now, pg::FindCursor(tx, options.source, options.consumer));
      if (now != seen) return absl::OkStatus();  // Another replica did it.
      log::Info("resync from the owner", {{"source", options.source}, {"consumer", options.consumer}});
      resyncs.Increment();
      VW_ASSIGN_OR_RETURN(const Cursor snapshot, resync());
      VW_RETURN_IF_ERROR(pg::LockCursor(tx, options.source, options.consumer).status());
      return pg::AdvanceCursor(tx, options.source, options.consumer, FromProto(snapshot));
    });
    if (!done.ok()) {
      log::Warning("resync failed", {{"source", options.source}, {"error", done.ToString()}});
      return Later();
    }
    if (busy) return kResyncBusy;
    too_old.reset();
    return absl::ZeroDuration();
  }

  // Until the stream ends or an effect fails; both begin again from the cursor row, so that no event is ever skipped
  // here.
  absl::Status Follow(const pg::Cursor& from) {
    SubscribeRequest request;
    *request.mutable_after() = ToProto(from);
    for (const std::string& prefix : options.type_prefixes) request.add_type_prefixes(prefix);
    pg::Cursor reached = from;
    absl::Status effect_status;
    const auto on_message = [&](const SubscribeResponse& message) {
      const pg::Cursor to = FromProto(message.cursor());
      if (message.events_size() == 0 && to <= reached) {
        lag.Set(0);
        return true;
      }
      effect_status = Apply(message);
      if (!effect_status.ok()) return false;
      retry = kRetryFirst;
      reached = to;
      return true;
    };
    const absl::Status ended = owner.Read<SubscribeRequest, SubscribeResponse>(&EventService::Stub::Subscribe, request,
                                                                               {}, cancellation, on_message);
    if (effect_status.ok()) return ended;
    failed.Increment();
    return effect_status;
  }

  // Runs of one tenant, each in a transaction of its own: row-level security knows one tenant a transaction.
  absl::Status Apply(const SubscribeResponse& message) {
    int begin = 0;
    while (begin < message.events_size()) {
      int end = begin + 1;
      while (end < message.events_size() && message.events(end).tenant() == message.events(begin).tenant()) ++end;
      std::vector<const Event*> run;
      for (int i = begin; i < end; ++i) run.push_back(&message.events(i));
      VW_RETURN_IF_ERROR(ApplyRun(run, FromProto(run.back()->cursor())));
      begin = end;
    }
    // The rest, left out by prefix, counts as seen too.
    return ApplyRun({}, FromProto(message.cursor()));
  }

  absl::Status ApplyRun(const std::vector<const Event*>& run, const pg::Cursor& to) {
    if (run.empty() && to == applied_to) return absl::OkStatus();
    const std::string tenant = run.empty() ? std::string() : run.front()->tenant();
    size_t fresh_count = 0;
    const absl::Status done =
        pool.Transact({.name = "events.effect", .tenant = tenant}, [&](pg::Tx& tx) -> absl::Status {
          VW_ASSIGN_OR_RETURN(const pg::Cursor at, pg::LockCursor(tx, options.source, options.consumer));
          if (to <= at) return absl::OkStatus();
          std::vector<const Event*> fresh;
          for (const Event* event : run) {
            if (FromProto(event->cursor()) > at) fresh.push_back(event);
          }
          fresh_count = fresh.size();
          if (!fresh.empty()) VW_RETURN_IF_ERROR(effect(tx, fresh));
          return pg::AdvanceCursor(tx, options.source, options.consumer, to);
        });
    if (!done.ok()) return done;
    applied_to = to;
    applied.Increment(static_cast<double>(fresh_count));
    if (!run.empty()) {
      const auto micros = google::protobuf::util::TimeUtil::TimestampToMicroseconds(run.back()->time());
      lag.Set(std::max(0.0, absl::ToDoubleSeconds(clock.Now() - absl::FromUnixMicros(micros))));
    }
    return absl::OkStatus();
  }
  std::optional<pg::Cursor> applied_to;
};

Follower::Follower(FollowOptions options, pg::Pool& pool, rpc::Client<EventService>& owner, Effect effect,
                   Resync resync, os::Clock& clock, metrics::Registry& metrics)
    : state_(std::make_unique<State>(std::move(options), pool, owner, std::move(effect), std::move(resync), clock,
                                     metrics)) {
  state_->worker = std::make_unique<os::Worker>("follow", [state = state_.get()] { return state->Step(); });
}

Follower::~Follower() {
  state_->cancellation.Cancel();
  state_->worker->Stop();
}

}  // namespace voltwell::events
