// The stream of changes; see watch_stream.h.
#include "services/collector_gateway/watch_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "services/collector_gateway/convert.h"

namespace voltwell::gateway {

WatchStream::WatchStream(SessionFeed& feed, rpc::Door& door, os::Clock& clock, rpc::Call call, std::string collector)
    : feed_(feed),
      door_(door),
      clock_(clock),
      call_(std::move(call)),
      collector_(std::move(collector)),
      began_(clock.Monotonic()) {}

void WatchStream::Begin() {
  self_ = shared_from_this();
  // Before anybody knows of this stream: changes wait behind the first message.
  writing_ = true;
  const bool watched = feed_.Watch(self_);
  const std::lock_guard lock(mutex_);
  if (!watched) {
    writing_ = false;
    end_ = base::ResourceExhausted("TOO_MANY_STREAMS", "too many watchers at the same time",
                                   {{"limit", absl::StrCat(kWatchersMax)}});
    Go();
    return;
  }
  // The empty first message: from here on nothing is missed.
  StartWrite(&writing_response_);
}

void WatchStream::Changed(const SessionChange& change) {
  if (!collector_.empty() && change.entry->collector != collector_) return;
  const std::lock_guard lock(mutex_);
  if (!end_.ok()) return;
  if (gathering_.changes_size() >= kWatchChangesMax) {
    end_ = base::ResourceExhausted("WATCH_TOO_SLOW", "more changed than was taken; list the sessions and watch again",
                                   {{"limit", absl::StrCat(kWatchChangesMax)}});
    gathering_.Clear();
  } else {
    ToProto(change, *gathering_.add_changes());
  }
  Go();
}

void WatchStream::Closing() {
  const std::lock_guard lock(mutex_);
  if (end_.ok()) end_ = base::Unavailable("GATEWAY_DRAINING", "this gateway is going");
  Go();
}

void WatchStream::Go() {
  if (writing_ || finished_) return;
  if (!end_.ok()) {
    finished_ = true;
    Finish(rpc::ToGrpc(end_, door_.service()));
    return;
  }
  if (gathering_.changes().empty()) return;
  writing_response_.Clear();
  writing_response_.Swap(&gathering_);
  if (writing_response_.changes_size() > kWatchMessageMax) {
    auto* const all = writing_response_.mutable_changes();
    for (int i = kWatchMessageMax; i < all->size(); ++i) gathering_.add_changes()->Swap(all->Mutable(i));
    all->DeleteSubrange(kWatchMessageMax, all->size() - kWatchMessageMax);
  }
  writing_ = true;
  StartWrite(&writing_response_);
}

void WatchStream::OnWriteDone(bool ok) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  if (!ok && end_.ok()) end_ = absl::CancelledError("the caller has gone");
  Go();
}

void WatchStream::OnCancel() {
  const std::lock_guard lock(mutex_);
  if (end_.ok()) end_ = absl::CancelledError("the caller has gone");
  Go();
}

void WatchStream::OnDone() {
  feed_.Unwatch(this);
  absl::Status end;
  {
    const std::lock_guard lock(mutex_);
    end = end_;
  }
  door_.Finished(call_, end, clock_.Monotonic() - began_);
  // May be the last owner: nothing of this object is touched afterwards.
  const std::shared_ptr<WatchStream> last = std::move(self_);
}

}  // namespace voltwell::gateway
