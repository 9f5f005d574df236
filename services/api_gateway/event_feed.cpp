#include "services/api_gateway/event_feed.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "libs/base/status.h"
#include "libs/log/log.h"

namespace voltwell::front {

namespace event = voltwell::event::v1;

struct EventFeed::State {
  State(Upstream& owner_in, std::vector<std::string> prefixes_in, News news_in, os::Clock& clock_in)
      : owner(owner_in),
        prefixes(std::move(prefixes_in)),
        news(std::move(news_in)),
        clock(clock_in),
        stub(event::EventService::NewStub(owner.caller->channel())) {}

  Upstream& owner;
  const std::vector<std::string> prefixes;
  const News news;
  os::Clock& clock;
  const std::unique_ptr<event::EventService::Stub> stub;
  std::mutex mutex;
  std::condition_variable ended;
  std::shared_ptr<grpc::ClientContext> running;  // Of the reader; empty: none.
  std::optional<event::Cursor> cursor;           // Where a broken subscription goes on; empty: from now.
  absl::Duration next_try = {};
  absl::Duration back_off = kFeedBackOffMin;
};

// Lives from Start to OnDone.
class EventFeed::Reader final : public grpc::ClientReadReactor<event::SubscribeResponse> {
 public:
  // With the lock.
  explicit Reader(std::shared_ptr<State> state) : state_(std::move(state)), context_(state_->running) {
    for (const std::string& prefix : state_->prefixes) request_.add_type_prefixes(prefix);
    if (state_->cursor.has_value()) {
      *request_.mutable_after() = *state_->cursor;
    } else {
      request_.set_from_now(true);
    }
  }

  void Start() {
    state_->owner.caller->Prepare(*context_, *event::SubscribeRequest::descriptor(), {});
    state_->stub->async()->Subscribe(context_.get(), &request_, this);
    StartRead(&response_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    {
      const std::lock_guard lock(state_->mutex);
      state_->cursor = response_.cursor();
      state_->back_off = kFeedBackOffMin;
    }
    state_->news(response_);
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    const absl::Status why = rpc::FromGrpc(status);
    if (status.error_code() != grpc::StatusCode::CANCELLED) {
      log::Warning("event subscription ended", {{"owner", state_->owner.service}, {"why", std::string(why.message())}});
    }
    const std::lock_guard lock(state_->mutex);
    if (base::ReasonOf(why) == "CURSOR_TOO_OLD") state_->cursor.reset();  // A live view shows what is, not what was.
    state_->next_try = state_->clock.Monotonic() + state_->back_off;
    state_->back_off = std::min(state_->back_off * 2, kFeedBackOffMax);
    state_->running.reset();
    state_->ended.notify_all();
    delete this;
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<grpc::ClientContext> context_;
  event::SubscribeRequest request_;
  event::SubscribeResponse response_;
};

EventFeed::EventFeed(Upstream& owner, std::vector<std::string> type_prefixes, News news, os::Clock& clock)
    : state_(std::make_shared<State>(owner, std::move(type_prefixes), std::move(news), clock)) {}

EventFeed::~EventFeed() {
  Leave();
  std::unique_lock lock(state_->mutex);
  state_->ended.wait(lock, [this] { return state_->running == nullptr; });
}

void EventFeed::Want() {
  Reader* reader = nullptr;  // Owns itself.
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->running != nullptr || state_->clock.Monotonic() < state_->next_try) return;
    state_->running = std::make_shared<grpc::ClientContext>();
    reader = new Reader(state_);
  }
  reader->Start();
}

void EventFeed::Leave() {
  const std::lock_guard lock(state_->mutex);
  state_->cursor.reset();
  if (state_->running != nullptr) state_->running->TryCancel();
}

}  // namespace voltwell::front
