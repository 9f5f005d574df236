// Rings of frames; see trace.h.
#include "services/collector_gateway/core/trace.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::gateway {

void Trace::Add(bool up, base::ByteView data, int64_t at_ms) {
  const base::ByteView kept = data.first(std::min(data.size(), kTraceBytesMax));
  frames.push_back({.at_ms = at_ms, .up = up, .data = base::ToString(kept), .size = data.size()});
  bytes += kept.size();
  while (frames.size() > kTraceFramesMax || bytes > kTraceMemoryMax) {
    bytes -= frames.front().data.size();
    frames.pop_front();
    ++dropped;
  }
}

absl::Status TraceBook::Start(const std::string& collector, int bus, const std::string& tenant, absl::Duration duration,
                              int64_t now_ms, Instant now) {
  const std::lock_guard lock(mutex_);
  Forget(now);
  const std::pair<std::string, int> key(collector, bus);
  if (traces_.size() >= kTracesMax && !traces_.contains(key)) {
    const auto first = std::min_element(traces_.begin(), traces_.end(),
                                        [](const auto& a, const auto& b) { return a.second.ends < b.second.ends; });
    if (now < first->second.ends) {
      return base::ResourceExhausted("TOO_MANY_TRACES", "too many traces are under way on this gateway",
                                     {{"limit", absl::StrCat(kTracesMax)}});
    }
    traces_.erase(first);
  }
  Trace& trace = traces_[key];
  trace = Trace();
  trace.tenant = tenant;
  trace.began_ms = now_ms;
  trace.duration = duration;
  trace.ends = now + duration;
  count_ = traces_.size();
  return absl::OkStatus();
}

std::optional<Trace> TraceBook::Find(const std::string& collector, int bus, Instant now) {
  const std::lock_guard lock(mutex_);
  Forget(now);
  const auto found = traces_.find(std::pair<std::string, int>(collector, bus));
  if (found == traces_.end()) return std::nullopt;
  return found->second;
}

void TraceBook::Add(const std::string& collector, int bus, const std::string& tenant, bool up, base::ByteView data,
                    int64_t now_ms, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto found = traces_.find(std::pair<std::string, int>(collector, bus));
  if (found == traces_.end()) return;
  if (found->second.tenant != tenant) {
    traces_.erase(found);
    count_ = traces_.size();
  } else if (now < found->second.ends) {
    found->second.Add(up, data, now_ms);
  } else {
    Forget(now);
  }
}

void TraceBook::Forget(Instant now) {
  absl::erase_if(traces_, [now](const auto& entry) { return now >= entry.second.ends + entry.second.duration; });
  count_ = traces_.size();
}

}  // namespace voltwell::gateway
