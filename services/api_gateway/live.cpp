#include "services/api_gateway/live.h"

#include <mutex>

#include "libs/base/status.h"
#include "libs/rpc/door.h"
#include "services/api_gateway/event_feed.h"
#include "services/api_gateway/live_queue.h"

namespace voltwell::front {
namespace {

struct Watcher {
  std::shared_ptr<Stream> stream;
  std::vector<std::string> topics;
  LiveQueue queue;
  bool writing = false;
  bool dropped = false;
  absl::Duration last_sent = -absl::InfiniteDuration();
};

}  // namespace

struct Live::State {
  State(os::Clock& clock_in, metrics::Registry& metrics)
      : clock(clock_in),
        watchers_gauge(metrics.Gauge("voltwell_front_live_watchers", "Pages that watch.")),
        queued_gauge(metrics.Gauge("voltwell_front_live_queued", "Resources waiting for the slowest page.")),
        too_slow(metrics.Counter("voltwell_front_live_too_slow_total", "Watchers dropped since they read too slowly.")),
        sent(metrics.Counter("voltwell_front_live_messages_total", "Messages to watchers.")) {}

  struct Due {
    std::shared_ptr<Watcher> watcher;
    std::string wire;
  };

  // With the lock. Nothing is sent while the last message is on its way.
  void TakeDue(const std::shared_ptr<Watcher>& watcher, absl::Duration now, std::vector<Due>& due) {
    const bool sign_of_life = now - watcher->last_sent >= kLiveSignOfLife;
    if (watcher->writing || watcher->dropped || (watcher->queue.empty() && !sign_of_life)) return;
    voltwell::front::v1::WatchResponse response;
    if (watcher->queue.empty()) {
      response.mutable_time()->set_seconds(absl::ToUnixSeconds(clock.Now()));
    } else {
      response = watcher->queue.Take();
    }
    watcher->writing = true;
    watcher->last_sent = now;
    sent.Increment();
    due.push_back({watcher, response.SerializeAsString()});
  }

  // Without the lock: a stream that ends calls back.
  static void Send(const std::shared_ptr<State>& self, std::vector<Due> due) {
    for (Due& next : due) {
      next.watcher->stream->Send(std::move(next.wire), [self, weak = std::weak_ptr<Watcher>(next.watcher)](bool alive) {
        const auto watcher = weak.lock();
        if (!alive || watcher == nullptr) return;
        const std::lock_guard lock(self->mutex);
        watcher->writing = false;
      });
    }
  }

  os::Clock& clock;
  prometheus::Gauge& watchers_gauge;
  prometheus::Gauge& queued_gauge;
  prometheus::Counter& too_slow;
  prometheus::Counter& sent;
  std::mutex mutex;
  std::vector<std::shared_ptr<Watcher>> watchers;
  absl::Duration last_watched = -absl::InfiniteDuration();
  std::vector<std::unique_ptr<EventFeed>> feeds;  // Set up before the first watcher; Want and Leave by Tick only.
};

Live::Live(os::Clock& clock, metrics::Registry& metrics) : state_(std::make_shared<State>(clock, metrics)) {}
Live::~Live() { Stop(); }

void Live::Follow(Upstream* owner, std::vector<std::string> type_prefixes) {
  if (owner == nullptr) return;
  const auto news = [this](const voltwell::event::v1::SubscribeResponse& response) { OnEvents(response.events()); };
  state_->feeds.push_back(std::make_unique<EventFeed>(*owner, std::move(type_prefixes), news, state_->clock));
}

void Live::Watch(const std::shared_ptr<Stream>& stream, const voltwell::front::v1::WatchRequest& request) {
  auto watcher = std::make_shared<Watcher>();
  watcher->stream = stream;
  watcher->topics.assign(request.topics().begin(), request.topics().end());
  std::vector<State::Due> due;
  {
    const std::lock_guard lock(state_->mutex);
    state_->watchers.push_back(watcher);
    state_->watchers_gauge.Set(static_cast<double>(state_->watchers.size()));
    state_->last_watched = state_->clock.Monotonic();
    state_->TakeDue(watcher, state_->last_watched, due);  // At once a sign of life: the page is connected.
  }
  stream->OnStop([state = state_, weak = std::weak_ptr<Watcher>(watcher)] {
    const std::lock_guard lock(state->mutex);
    std::erase(state->watchers, weak.lock());
    state->watchers_gauge.Set(static_cast<double>(state->watchers.size()));
  });
  stream->Begin();
  if (watcher->topics.size() > kLiveTopicsMax) {
    return stream->End(rpc::ToGrpc(base::InvalidArgument("TOO_MANY_TOPICS", "at most 32 topics"), kDomain));
  }
  State::Send(state_, std::move(due));
}

void Live::OnEvents(const google::protobuf::RepeatedPtrField<voltwell::event::v1::Event>& events) {
  std::vector<LiveItem> items;
  for (const auto& event : events) {
    LiveItem item = UnpackEvent(event);
    if (!item.resources.empty()) items.push_back(std::move(item));
  }
  std::vector<std::shared_ptr<Stream>> slow;
  {
    const std::lock_guard lock(state_->mutex);
    size_t longest = 0;
    for (const auto& watcher : state_->watchers) {
      for (const LiveItem& item : items) {
        if (watcher->dropped || !MaySee(item, watcher->stream->visit().identity, watcher->topics)) continue;
        if (watcher->queue.Add(item)) continue;
        watcher->dropped = true;
        state_->too_slow.Increment();
        slow.push_back(watcher->stream);
      }
      longest = std::max(longest, watcher->queue.size());
    }
    state_->queued_gauge.Set(static_cast<double>(longest));
  }
  for (const auto& stream : slow) {
    stream->End(rpc::ToGrpc(base::ResourceExhausted("LIVE_TOO_SLOW", "too much happened while you read; watch again"),
                            kDomain));
  }
}

void Live::Tick() {
  bool wanted = false;
  std::vector<State::Due> due;
  {
    const std::lock_guard lock(state_->mutex);
    const absl::Duration now = state_->clock.Monotonic();
    if (!state_->watchers.empty()) state_->last_watched = now;
    wanted = now - state_->last_watched < kLiveUnsubscribeAfter;
    for (const auto& watcher : state_->watchers) state_->TakeDue(watcher, now, due);
  }
  State::Send(state_, std::move(due));
  for (const auto& feed : state_->feeds) wanted ? feed->Want() : feed->Leave();
}

void Live::Stop() { state_->feeds.clear(); }

}  // namespace voltwell::front
