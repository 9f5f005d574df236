// Serves EventService over one outbox. One thread reads new events once for all subscribers that follow the head; one
// who is behind gets batches of his own until he has caught up. The stream's order is the outbox's (libs/pg/outbox.h).
#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "libs/base/status.h"
#include "libs/events/convert.h"
#include "libs/events/events.h"
#include "libs/events/subscription.h"
#include "libs/log/log.h"
#include "libs/os/worker.h"
#include "libs/rpc/server.h"

namespace voltwell::events {
namespace {

// A wake tells that something was committed, but an older transaction may still hide it, and its end wakes nobody: so
// look again, soon at first and then seldom.
constexpr absl::Duration kLookAgainFirst = absl::Milliseconds(5);
constexpr absl::Duration kLookAgainLast = absl::Milliseconds(500);
constexpr absl::Duration kAfterFailure = absl::Milliseconds(200);
constexpr absl::Duration kPurgeEvery = absl::Hours(1);
constexpr absl::Duration kKeep = absl::Hours(24 * 30);
constexpr absl::Duration kReadTimeout = absl::Seconds(5);

using voltwell::event::v1::SubscribeRequest;
using voltwell::event::v1::SubscribeResponse;

// Where "from the oldest kept" begins.
constexpr pg::Query kOldest{
    "events.oldest", "SELECT purged_generation, purged_xid::text::bigint, purged_sequence FROM event_generation"};

// The same reason as the outbox gives, with the code that the contract names.
absl::Status TooOld() {
  return base::Error(absl::StatusCode::kOutOfRange, "CURSOR_TOO_OLD",
                     "events after this cursor were deleted by age: list anew");
}

class EventService final : public voltwell::event::v1::EventService::CallbackService, public rpc::Drains {
 public:
  EventService(pg::Pool& pool, const pg::Config& config, rpc::Door& door, os::Clock& clock, metrics::Registry& metrics)
      : pool_(pool),
        door_(door),
        clock_(clock),
        subscribers_gauge_(metrics.Gauge("voltwell_events_subscribers", "Streams of events served")),
        served_(metrics.Counter("voltwell_events_read_total", "Events read from the outbox for subscribers")),
        fell_behind_(metrics.Counter("voltwell_events_queue_full_total",
                                     "Times a subscriber's queue was full and it fell back to the outbox")),
        worker_("events", [this] { return Step(); }),
        listener_(config, {pg::EventChannel(config.schema)}, [this](const std::string&) { Wake(); }) {}

  ~EventService() override { worker_.Stop(); }

  grpc::ServerWriteReactor<SubscribeResponse>* Subscribe(grpc::CallbackServerContext* context,
                                                         const SubscribeRequest* request) override {
    absl::StatusOr<rpc::Call> call = door_.Admit(*context, *SubscribeRequest::descriptor());
    absl::Status refused = call.status();
    auto subscription = std::make_shared<Subscription>(
        door_, call.ok() ? *call : rpc::Call{}, clock_,
        std::vector<std::string>(request->type_prefixes().begin(), request->type_prefixes().end()),
        [this](Subscription* done) { Remove(done); });
    if (request->from_now()) {
      subscription->begin = Begin::kNow;
    } else if (request->has_after()) {
      subscription->begin = Begin::kGiven;
      subscription->position = FromProto(request->after());
    }
    Subscription* reactor = subscription.get();
    {
      const std::lock_guard lock(mutex_);
      if (refused.ok() && draining_) refused = base::Unavailable("SERVICE_DRAINING", "this process is about to stop");
      if (refused.ok() && subscribers_.size() >= kSubscribersMax) {
        refused = base::ResourceExhausted("TOO_MANY_SUBSCRIBERS", "this process serves no more streams of events");
      }
      subscribers_.emplace(reactor, std::move(subscription));
      subscribers_gauge_.Set(static_cast<double>(subscribers_.size()));
    }
    if (!refused.ok()) {
      reactor->End(refused);
    } else {
      Wake();
    }
    return reactor;
  }

  void Drain() override {
    {
      const std::lock_guard lock(mutex_);
      draining_ = true;
    }
    for (const auto& subscriber : Subscribers()) {
      subscriber->End(base::Unavailable("SERVICE_DRAINING", "this process is about to stop"));
    }
  }

 private:
  using Subscriber = std::shared_ptr<Subscription>;

  void Wake() {
    {
      const std::lock_guard lock(mutex_);
      look_again_ = kLookAgainFirst;
    }
    worker_.Wake();
  }

  std::vector<Subscriber> Subscribers() {
    const std::lock_guard lock(mutex_);
    std::vector<Subscriber> all;
    for (const auto& [key, subscriber] : subscribers_) all.push_back(subscriber);
    return all;
  }

  void Remove(Subscription* done) {
    Subscriber last;  // Destroyed after the lock is released.
    const std::lock_guard lock(mutex_);
    const auto found = subscribers_.find(done);
    if (found == subscribers_.end()) return;
    last = std::move(found->second);
    subscribers_.erase(found);
    subscribers_gauge_.Set(static_cast<double>(subscribers_.size()));
  }

  absl::Duration Step() {
    PurgeWhenDue();
    const std::vector<Subscriber> subscribers = Subscribers();
    if (subscribers.empty()) {
      head_.reset();
      return absl::Seconds(60);
    }
    const absl::StatusOr<bool> more = Serve(subscribers);
    for (const Subscriber& subscriber : subscribers) subscriber->Heartbeat(false);
    if (!more.ok()) {
      if (!failing_) log::Warning("events cannot be read", {{"error", more.status().ToString()}});
      failing_ = true;
      return kAfterFailure;
    }
    failing_ = false;
    if (*more) return absl::ZeroDuration();
    const std::lock_guard lock(mutex_);
    const absl::Duration wait = look_again_;
    look_again_ = std::min(look_again_ * 2, kLookAgainLast);
    return wait;
  }

  // True: there is more to read at once.
  absl::StatusOr<bool> Serve(const std::vector<Subscriber>& subscribers) {
    VW_RETURN_IF_ERROR(Position(subscribers));
    VW_ASSIGN_OR_RETURN(bool more, ServeHead(subscribers));
    for (const Subscriber& subscriber : subscribers) {
      if (subscriber->live || !subscriber->positioned || !subscriber->Hungry()) continue;
      VW_ASSIGN_OR_RETURN(const bool behind, CatchUp(*subscriber));
      more = more || behind;
    }
    return more;
  }

  // Gives the head and newcomers their place.
  absl::Status Position(const std::vector<Subscriber>& subscribers) {
    const bool newcomer =
        std::any_of(subscribers.begin(), subscribers.end(), [](const auto& s) { return !s->positioned; });
    if (head_.has_value() && !newcomer) return absl::OkStatus();
    pg::Cursor now;
    pg::Cursor oldest;
    VW_RETURN_IF_ERROR(pool_.Transact(Options("events.position"), [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(now, pg::SnapshotCursor(tx));
      VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kOldest));
      oldest = {.generation = rows.Int(0, 0), .xid = static_cast<uint64_t>(rows.Int(0, 1)), .sequence = rows.Int(0, 2)};
      return absl::OkStatus();
    }));
    if (!head_.has_value()) head_ = now;
    for (const Subscriber& subscriber : subscribers) {
      if (subscriber->positioned) continue;
      if (subscriber->begin == Begin::kNow) subscriber->position = now;
      if (subscriber->begin == Begin::kOldest) subscriber->position = oldest;
      subscriber->positioned = true;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> ServeHead(const std::vector<Subscriber>& subscribers) {
    any_live_ = std::any_of(subscribers.begin(), subscribers.end(), [](const auto& s) { return s->live; });
    if (!any_live_) return false;
    absl::StatusOr<std::vector<SharedEvent>> events = Read(*head_);
    if (base::ReasonOf(events.status()) == "CURSOR_TOO_OLD") {  // We were away from the database for a month.
      head_.reset();
      for (const Subscriber& subscriber : subscribers) subscriber->live = false;
      return true;
    }
    VW_RETURN_IF_ERROR(events.status());
    if (events->empty()) return false;
    head_ = FromProto(events->back()->cursor());
    for (const Subscriber& subscriber : subscribers) {
      if (!subscriber->live || *head_ <= subscriber->position) continue;
      std::vector<SharedEvent> fresh;  // Catching up, it may have come a little beyond the head.
      for (const SharedEvent& event : *events) {
        if (FromProto(event->cursor()) > subscriber->position) fresh.push_back(event);
      }
      if (subscriber->Offer(fresh, *head_)) {
        subscriber->position = *head_;
      } else {
        subscriber->live = false;
        fell_behind_.Increment();
      }
    }
    return static_cast<int>(events->size()) == kBatchEventsMax;
  }

  // One batch for a subscriber that is behind; true: there is more for it.
  absl::StatusOr<bool> CatchUp(Subscription& subscriber) {
    absl::StatusOr<std::vector<SharedEvent>> events = Read(subscriber.position);
    if (base::ReasonOf(events.status()) == "CURSOR_TOO_OLD") {
      subscriber.End(TooOld());
      return false;
    }
    VW_RETURN_IF_ERROR(events.status());
    const pg::Cursor reached = events->empty() ? subscriber.position : FromProto(events->back()->cursor());
    if (!subscriber.Offer(*events, reached)) return false;
    subscriber.position = reached;
    // The head was read before this batch: what this batch does not hold is beyond the head as well.
    subscriber.live = static_cast<int>(events->size()) < kBatchEventsMax;
    if (!subscriber.live) return true;
    if (!any_live_) head_ = reached;  // Nobody moved the head meanwhile.
    any_live_ = true;
    subscriber.Heartbeat(true);  // Tells that the stream stands and has caught up, also when nothing was wanted.
    return false;
  }

  absl::StatusOr<std::vector<SharedEvent>> Read(const pg::Cursor& after) {
    std::vector<SharedEvent> events;
    VW_RETURN_IF_ERROR(pool_.Transact(Options("events.read"), [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const std::vector<pg::Event> rows, pg::ReadEvents(tx, after, kBatchEventsMax));
      events.clear();
      for (const pg::Event& row : rows) events.push_back(std::make_shared<voltwell::event::v1::Event>(ToProto(row)));
      return absl::OkStatus();
    }));
    served_.Increment(static_cast<double>(events.size()));
    return events;
  }

  pg::TxOptions Options(const char* name) const {
    return {.name = name, .deadline = clock_.Now() + kReadTimeout, .read_only = true};
  }

  void PurgeWhenDue() {
    const absl::Duration now = clock_.Monotonic();
    if (now < purge_at_) return;
    purge_at_ = now + kPurgeEvery;
    int64_t gone = pg::kEventPurgeMax;
    while (gone == pg::kEventPurgeMax) {
      const absl::Status purged = pool_.Transact({.name = "events.purge"}, [&](pg::Tx& tx) -> absl::Status {
        VW_ASSIGN_OR_RETURN(gone, pg::PurgeEvents(tx, clock_.Now() - kKeep));
        return absl::OkStatus();
      });
      if (!purged.ok()) {  // The database is not there yet, or not migrated: soon again.
        purge_at_ = now + absl::Seconds(10);
        return;
      }
    }
  }

  pg::Pool& pool_;
  rpc::Door& door_;
  os::Clock& clock_;
  prometheus::Gauge& subscribers_gauge_;
  prometheus::Counter& served_;
  prometheus::Counter& fell_behind_;

  std::mutex mutex_;
  std::map<Subscription*, Subscriber> subscribers_;
  absl::Duration look_again_ = kLookAgainLast;
  bool draining_ = false;

  // Of the worker's thread.
  std::optional<pg::Cursor> head_;
  bool any_live_ = false;
  absl::Duration purge_at_ = -absl::InfiniteDuration();
  bool failing_ = false;

  os::Worker worker_;  // Last: their threads use all of the above.
  pg::Listener listener_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEventService(pg::Pool& pool, const pg::Config& config, rpc::Door& door,
                                                os::Clock& clock, metrics::Registry& metrics) {
  return std::make_unique<EventService>(pool, config, door, clock, metrics);
}

}  // namespace voltwell::events
