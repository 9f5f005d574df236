#include "services/api_gateway/event_feed.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/rpc/bytes_call.h"
#include "libs/rpc/door.h"

namespace voltwell::front {

namespace event = voltwell::event::v1;

struct EventFeed::State {
  State(const Upstream& owner_in, std::vector<std::string> prefixes_in, News news_in, os::Clock& clock_in)
      : owner(owner_in), prefixes(std::move(prefixes_in)), news(std::move(news_in)), clock(clock_in) {}

  // With the lock.
  std::string Request() const {
    event::SubscribeRequest request;
    for (const std::string& prefix : prefixes) request.add_type_prefixes(prefix);
    if (cursor.has_value()) {
      *request.mutable_after() = *cursor;
    } else {
      request.set_from_now(true);
    }
    return request.SerializeAsString();
  }

  void OnMessage(const std::string& bytes) {
    event::SubscribeResponse response;
    if (!response.ParseFromString(bytes)) return;
    {
      const std::lock_guard lock(mutex);
      cursor = response.cursor();
      back_off = kFeedBackOffMin;
    }
    news(response);
  }

  void OnEnd(const grpc::Status& status) {
    const absl::Status why = rpc::FromGrpc(status);
    if (why.code() != absl::StatusCode::kCancelled) {
      log::Warning("event subscription ended",
                   {{"owner", owner.service}, {"reason", base::ReasonOf(why)}, {"why", std::string(why.message())}});
    }
    const std::lock_guard lock(mutex);
    if (base::ReasonOf(why) == "CURSOR_TOO_OLD") cursor.reset();  // A live view shows what is, not what was.
    next_try = clock.Monotonic() + back_off;
    back_off = std::min(back_off * 2, kFeedBackOffMax);
    running.reset();
    ended.notify_all();
  }

  const Upstream& owner;
  const std::vector<std::string> prefixes;
  const News news;
  os::Clock& clock;
  std::mutex mutex;
  std::condition_variable ended;
  std::shared_ptr<rpc::BytesCall> running;  // Empty: none.
  std::optional<event::Cursor> cursor;      // Where a broken subscription goes on; empty: from now.
  absl::Duration next_try = {};
  absl::Duration back_off = kFeedBackOffMin;
};

EventFeed::EventFeed(const Upstream& owner, std::vector<std::string> type_prefixes, News news, os::Clock& clock)
    : state_(std::make_shared<State>(owner, std::move(type_prefixes), std::move(news), clock)) {}

EventFeed::~EventFeed() {
  Leave();
  std::unique_lock lock(state_->mutex);
  state_->ended.wait(lock, [this] { return state_->running == nullptr; });
}

void EventFeed::Want() {
  std::shared_ptr<rpc::BytesCall> call;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->running != nullptr || state_->clock.Monotonic() < state_->next_try) return;
    call = rpc::NewStreamCall(
        state_->owner.channel(),
        {.path = "/voltwell.event.v1.EventService/Subscribe",
         .metadata = state_->owner.OwnMetadata(),
         .timeout = absl::InfiniteDuration(),
         .message = state_->Request()},
        [state = state_](const std::string& message, const rpc::NextMessage& next) {
          state->OnMessage(message);
          next(true);
        },
        [state = state_](const grpc::Status& status) { state->OnEnd(status); });
    state_->running = call;
  }
  call->Start();
}

void EventFeed::Leave() {
  const std::lock_guard lock(state_->mutex);
  state_->cursor.reset();
  if (state_->running != nullptr) state_->running->Cancel();
}

}  // namespace voltwell::front
