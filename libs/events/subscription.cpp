#include "libs/events/subscription.h"

#include "absl/strings/match.h"
#include "google/protobuf/util/time_util.h"
#include "libs/base/status.h"
#include "libs/events/convert.h"

namespace voltwell::events {

using google::protobuf::util::TimeUtil;

Subscription::Subscription(rpc::Door& door, rpc::Call call, os::Clock& clock, std::vector<std::string> type_prefixes,
                           std::function<void(Subscription*)> on_done)
    : door_(door),
      call_(std::move(call)),
      clock_(clock),
      type_prefixes_(std::move(type_prefixes)),
      on_done_(std::move(on_done)),
      began_(clock.Monotonic()),
      last_write_(began_) {}

bool Subscription::Wants(const std::string& type) const {
  if (type_prefixes_.empty()) return true;
  for (const std::string& prefix : type_prefixes_) {
    if (absl::StartsWith(type, prefix)) return true;
  }
  return false;
}

bool Subscription::Offer(const std::vector<SharedEvent>& events, const pg::Cursor& reached) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return true;  // It goes; nothing is read again for it.
    if (queue_.size() + events.size() > kQueueEventsMax) return false;
    for (const SharedEvent& event : events) {
      if (Wants(event->type())) queue_.push_back(event);
    }
    reached_ = reached;
    if (!FillLocked()) return true;
  }
  StartWrite(&response_);
  return true;
}

bool Subscription::Hungry() const {
  const std::lock_guard lock(mutex_);
  return !ending_ && queue_.size() + kBatchEventsMax <= kQueueEventsMax;
}

void Subscription::Heartbeat(bool now) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_ || writing_ || !queue_.empty()) return;
    if (!now && clock_.Monotonic() - last_write_ < kHeartbeatEvery) return;
    response_.Clear();
    *response_.mutable_cursor() = ToProto(reached_);
    last_write_ = clock_.Monotonic();
    writing_ = true;
  }
  StartWrite(&response_);
}

bool Subscription::FillLocked() {
  if (writing_ || ending_ || queue_.empty()) return false;
  response_.Clear();
  size_t bytes = 0;
  const absl::Time oldest = absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(queue_.front()->time()));
  pg::Cursor last;
  while (!queue_.empty() && response_.events_size() < kBatchEventsMax && bytes < kBatchBytesMax) {
    const SharedEvent event = std::move(queue_.front());
    queue_.pop_front();
    bytes += event->ByteSizeLong();
    last = FromProto(event->cursor());
    *response_.add_events() = *event;
  }
  // Events left out by prefix count as served once all before them are.
  *response_.mutable_cursor() = ToProto(queue_.empty() ? reached_ : last);
  *response_.mutable_lag() = TimeUtil::MicrosecondsToDuration(absl::ToInt64Microseconds(clock_.Now() - oldest));
  last_write_ = clock_.Monotonic();
  writing_ = true;
  return true;
}

void Subscription::OnWriteDone(bool ok) {
  bool finish = false;
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok && !ending_) {
      ending_ = true;
      end_status_ = absl::CancelledError("the subscriber is gone");
    }
    finish = ending_;
    if (!finish && !FillLocked()) return;
  }
  if (finish) return FinishNow();
  StartWrite(&response_);
}

void Subscription::End(const absl::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    ending_ = true;
    end_status_ = status;
    queue_.clear();
    if (writing_) return;  // OnWriteDone finishes.
  }
  FinishNow();
}

void Subscription::OnCancel() { End(absl::OkStatus()); }

void Subscription::FinishNow() {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = true;
  }
  // Last touch of *this: OnDone may run before Finish returns.
  Finish(rpc::ToGrpc(end_status_, door_.service()));
}

void Subscription::OnDone() {
  door_.Finished(call_, end_status_, clock_.Monotonic() - began_);
  const auto on_done = on_done_;  // It outlives *this.
  on_done(this);
}

}  // namespace voltwell::events
