#include "services/api_gateway/sessions.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>

#include "libs/base/status.h"

namespace voltwell::front {
namespace {

absl::Status Ended() { return base::Unauthenticated("SESSION_ENDED", "the session has ended; sign in again"); }
absl::Status Unavailable() {
  return base::Unavailable("SESSIONS_UNAVAILABLE", "sessions cannot be checked at the moment; try again");
}

absl::Status RightsChanged() {
  return base::Error(absl::StatusCode::kAborted, "RIGHTS_CHANGED", "what you may see has changed; open it again");
}

// What decides which events and resources a stream may show. Order says nothing.
bool SameRights(const rpc::Identity& a, const rpc::Identity& b) {
  const auto same = [](std::vector<std::string> left, std::vector<std::string> right) {
    std::sort(left.begin(), left.end());
    std::sort(right.begin(), right.end());
    return left == right;
  };
  return a.tenant == b.tenant && same(a.permissions, b.permissions) && same(a.site_scope, b.site_scope);
}

}  // namespace

struct Sessions::State : std::enable_shared_from_this<Sessions::State> {
  struct Entry {
    std::optional<rpc::Identity> identity;
    absl::Duration at;
  };
  struct Watched {
    std::string token;
    rpc::Identity let_in;
    std::function<void(const absl::Status&)> ended;
    absl::Duration confirmed;
  };
  using Calls = std::vector<std::function<void()>>;  // Run when the lock is free.

  State(Ask ask_in, os::Clock& clock_in, metrics::Registry& metrics)
      : ask(std::move(ask_in)),
        clock(clock_in),
        hits(metrics.Counter("voltwell_front_session_cache_total", "Tokens looked up.", {{"result", "hit"}})),
        misses(metrics.Counter("voltwell_front_session_cache_total", "Tokens looked up.", {{"result", "miss"}})),
        refused(metrics.Counter("voltwell_front_session_refused_total", "Look-ups refused since too many wait.")),
        waiting_gauge(metrics.Gauge("voltwell_front_session_waiting", "Tokens that wait for registry's answer.")),
        cached_gauge(metrics.Gauge("voltwell_front_sessions_cached", "Answers of registry kept.")) {}

  // With the lock: takes batches off the queue, to be asked when the lock is free.
  void TakeBatches(Calls& calls) {
    while (!queue.empty() && flights < kAuthenticateFlightsMax) {
      std::vector<std::string> batch;
      while (!queue.empty() && batch.size() < kAuthenticateBatchMax) {
        batch.push_back(std::move(queue.front()));
        queue.pop_front();
      }
      ++flights;
      calls.push_back([this, batch = std::move(batch)] {
        ask(batch, [self = shared_from_this(), batch](const absl::StatusOr<Identities>& answer) {
          self->OnAnswer(batch, answer);
        });
      });
    }
    waiting_gauge.Set(static_cast<double>(waiting.size()));
  }

  void OnAnswer(const std::vector<std::string>& batch, const absl::StatusOr<Identities>& answer) {
    const bool good = answer.ok() && answer->size() == batch.size();
    Calls calls;
    {
      const std::lock_guard lock(mutex);
      --flights;
      const absl::Duration now = clock.Monotonic();
      for (size_t i = 0; i < batch.size(); ++i) {
        const absl::StatusOr<rpc::Identity> result = !good ? absl::StatusOr<rpc::Identity>(Unavailable())
                                                     : (*answer)[i].has_value()
                                                         ? absl::StatusOr<rpc::Identity>(*(*answer)[i])
                                                         : absl::StatusOr<rpc::Identity>(Ended());
        if (good) Remember(batch[i], (*answer)[i], now);
        if (good) Confirm(batch[i], result, now, calls);
        auto found = waiting.find(batch[i]);
        if (found == waiting.end()) continue;
        for (Done& done : found->second) {
          calls.push_back([done = std::move(done), result] { done(result); });
        }
        waiting.erase(found);
      }
      TakeBatches(calls);
    }
    for (const auto& call : calls) call();
  }

  void Remember(const std::string& token, const std::optional<rpc::Identity>& identity, absl::Duration now) {
    cache.insert_or_assign(token, Entry{identity, now});
    order.emplace_back(token, now);
    while (!order.empty() && (cache.size() > kSessionsCached || now - order.front().second > kSessionBelieved)) {
      const auto old = cache.find(order.front().first);
      if (old != cache.end() && old->second.at == order.front().second) cache.erase(old);
      order.pop_front();
    }
    cached_gauge.Set(static_cast<double>(cache.size()));
  }

  void Confirm(const std::string& token, const absl::StatusOr<rpc::Identity>& result, absl::Duration now,
               Calls& calls) {
    const auto [first, last] = watches_of.equal_range(token);
    for (auto it = first; it != last;) {
      Watched& watched = watches.at(it->second);
      watched.confirmed = now;
      if (result.ok() && SameRights(*result, watched.let_in)) {
        ++it;
        continue;
      }
      const absl::Status status = result.ok() ? RightsChanged() : result.status();
      calls.push_back([ended = std::move(watched.ended), status] { ended(status); });
      watches.erase(it->second);
      it = watches_of.erase(it);
    }
  }

  const Ask ask;
  os::Clock& clock;
  prometheus::Counter& hits;
  prometheus::Counter& misses;
  prometheus::Counter& refused;
  prometheus::Gauge& waiting_gauge;
  prometheus::Gauge& cached_gauge;
  std::mutex mutex;
  std::unordered_map<std::string, Entry> cache;
  std::deque<std::pair<std::string, absl::Duration>>
      order;  // Of cache, oldest first; entries renewed since stand twice.
  std::unordered_map<std::string, std::vector<Done>> waiting;
  std::deque<std::string> queue;  // Of waiting, not yet asked.
  int flights = 0;
  uint64_t next_watch = 1;
  std::map<uint64_t, Watched> watches;
  std::multimap<std::string, uint64_t> watches_of;
};

Sessions::Sessions(Ask ask, os::Clock& clock, metrics::Registry& metrics)
    : state_(std::make_shared<State>(std::move(ask), clock, metrics)) {}
Sessions::~Sessions() = default;

void Sessions::Authenticate(const std::string& token, Done done) {
  if (token.empty() || token.size() > kTokenBytesMax) return done(Ended());
  State::Calls calls;
  {
    const std::lock_guard lock(state_->mutex);
    const auto cached = state_->cache.find(token);
    if (cached != state_->cache.end() && state_->clock.Monotonic() - cached->second.at <= kSessionBelieved) {
      state_->hits.Increment();
      const auto& identity = cached->second.identity;
      calls.push_back([done = std::move(done), result = identity.has_value() ? absl::StatusOr<rpc::Identity>(*identity)
                                                                             : absl::StatusOr<rpc::Identity>(Ended())] {
        done(result);
      });
    } else if (const auto asked = state_->waiting.find(token); asked != state_->waiting.end()) {
      asked->second.push_back(std::move(done));
    } else if (state_->waiting.size() >= kAuthenticateWaitingMax) {
      state_->refused.Increment();
      calls.push_back([done = std::move(done)] {
        done(base::ResourceExhausted("FRONT_BUSY", "too many requests wait to be let in; try again"));
      });
    } else {
      state_->misses.Increment();
      state_->waiting[token].push_back(std::move(done));
      state_->queue.push_back(token);
      state_->TakeBatches(calls);
    }
  }
  for (const auto& call : calls) call();
}

uint64_t Sessions::Watch(const std::string& token, rpc::Identity let_in,
                         std::function<void(const absl::Status&)> ended) {
  const std::lock_guard lock(state_->mutex);
  const uint64_t watch = state_->next_watch++;
  state_->watches.emplace(watch, State::Watched{token, std::move(let_in), std::move(ended), state_->clock.Monotonic()});
  state_->watches_of.emplace(token, watch);
  return watch;
}

void Sessions::Unwatch(uint64_t watch) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->watches.find(watch);
  if (found == state_->watches.end()) return;
  const auto [first, last] = state_->watches_of.equal_range(found->second.token);
  for (auto it = first; it != last; ++it) {
    if (it->second != watch) continue;
    state_->watches_of.erase(it);
    break;
  }
  state_->watches.erase(found);
}

void Sessions::Forget(const std::string& token) {
  const std::lock_guard lock(state_->mutex);
  state_->cache.erase(token);
}

void Sessions::Tick() {
  State::Calls calls;
  {
    const std::lock_guard lock(state_->mutex);
    const absl::Duration now = state_->clock.Monotonic();
    for (auto it = state_->watches_of.begin(); it != state_->watches_of.end();) {
      const auto& [token, watch] = *it;
      State::Watched& watched = state_->watches.at(watch);
      if (now - watched.confirmed > kStreamUnconfirmedMax) {
        calls.push_back([ended = std::move(watched.ended)] { ended(Unavailable()); });
        state_->watches.erase(watch);
        it = state_->watches_of.erase(it);
        continue;
      }
      const bool due = now - watched.confirmed >= kSessionBelieved / 2;
      if (due && !state_->waiting.contains(token) && state_->waiting.size() < kAuthenticateWaitingMax) {
        state_->waiting[token];
        state_->queue.push_back(token);
      }
      ++it;
    }
    state_->TakeBatches(calls);
  }
  for (const auto& call : calls) call();
}

}  // namespace voltwell::front
