// hiredis' blocking contexts in a pool. A context that failed is closed, never reused: an answer that comes late must
// not be taken for the next command's.
#include "libs/redis/redis.h"

#include <hiredis/hiredis.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/os/clock.h"
#include "libs/os/random.h"

namespace voltwell::redis {
namespace {

// Between failed connects: doubled from the first to the last, half of it at random.
constexpr absl::Duration kReconnectFirst = absl::Milliseconds(50);
constexpr absl::Duration kReconnectLast = absl::Seconds(1);

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Context = std::unique_ptr<redisContext, FreeContext>;
using RawReply = std::unique_ptr<redisReply, FreeReply>;

Reply ToReply(const redisReply& raw) {
  Reply reply;
  switch (raw.type) {
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::kInteger;
      reply.integer = raw.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::kArray;
      for (size_t i = 0; i < raw.elements; ++i) reply.items.push_back(ToReply(*raw.element[i]));
      break;
    case REDIS_REPLY_NIL:
      break;
    default:  // Strings, status lines and errors.
      reply.kind = raw.type == REDIS_REPLY_ERROR ? Reply::Kind::kError : Reply::Kind::kText;
      reply.text.assign(raw.str, raw.len);
      break;
  }
  return reply;
}

absl::Status Down(absl::string_view why) {
  return base::Unavailable("REDIS_DOWN", absl::StrCat("Redis cannot be reached: ", why));
}

// errno is that of the call that failed.
absl::Status ContextError(const redisContext& context) {
  if (context.err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ETIMEDOUT)) {
    return base::DeadlineExceeded("REDIS_TIMEOUT", "Redis did not answer in time");
  }
  return Down(context.errstr);
}

absl::Status ErrorReply(const std::string& message) {
  // Loading its data, or a replica without its master, or out of memory: it may serve again.
  if (absl::StartsWith(message, "LOADING") || absl::StartsWith(message, "MASTERDOWN") ||
      absl::StartsWith(message, "READONLY") || absl::StartsWith(message, "OOM") ||
      absl::StartsWith(message, "MISCONF")) {
    return Down(message);
  }
  return base::Internal("REDIS_ERROR", message, {{"message", message}});
}

bool Append(redisContext& context, const Command& command) {
  VW_CHECK(!command.empty());
  std::vector<const char*> texts;
  std::vector<size_t> lengths;
  for (const std::string& part : command) {
    texts.push_back(part.data());
    lengths.push_back(part.size());
  }
  return redisAppendCommandArgv(&context, static_cast<int>(command.size()), texts.data(), lengths.data()) == REDIS_OK;
}

absl::StatusOr<Reply> Receive(redisContext& context) {
  void* raw = nullptr;
  errno = 0;
  if (redisGetReply(&context, &raw) != REDIS_OK || raw == nullptr) return ContextError(context);
  return ToReply(*RawReply(static_cast<redisReply*>(raw)));
}

}  // namespace

void Config::Declare(config::Options& options) {
  options.Text("redis-host", &host, "host of Redis");
  options.Int("redis-port", &port, "port of Redis", {.min = 1, .max = 65535});
  options.Text("redis-password", &password, "password of Redis; empty: none", {.secret = true});
  options.Int("redis-pool-size", &pool_size, "connections to Redis at most", {.min = 1, .max = 256});
  options.Duration("redis-timeout", &timeout, "wait for Redis at most", absl::Milliseconds(1), absl::Minutes(1));
}

struct Client::State {
  State(Config given_config, metrics::Registry& given_metrics)
      : config(std::move(given_config)),
        metrics(given_metrics),
        open_gauge(metrics.Gauge("voltwell_redis_pool_connections", "Open connections to Redis")),
        wait_seconds(metrics.Histogram("voltwell_redis_pool_wait_seconds", "Wait of a call for a connection")),
        seconds(metrics.Histogram("voltwell_redis_round_trip_seconds", "Time of a round trip to Redis")),
        failures_total(metrics.Counter("voltwell_redis_failures_total", "Round trips and connects that failed")) {}

  absl::StatusOr<std::vector<Reply>> RoundTrip(const std::string& name, const std::vector<Command>& commands,
                                               absl::Duration block = absl::ZeroDuration());
  absl::StatusOr<Reply> One(const std::string& name, const Command& command,
                            absl::Duration block = absl::ZeroDuration());
  absl::StatusOr<Context> Acquire();
  absl::StatusOr<Context> Connect();
  absl::StatusOr<Context> Open() const;
  void Release(Context context, bool usable);
  void Count(const std::string& name, absl::Duration took);

  const Config config;
  metrics::Registry& metrics;
  prometheus::Gauge& open_gauge;
  prometheus::Histogram& wait_seconds;
  prometheus::Histogram& seconds;
  prometheus::Counter& failures_total;
  os::SystemClock clock;  // A socket waits in real time, also under a test's clock.

  std::mutex mutex;
  std::condition_variable freed;
  std::vector<Context> idle;
  int open = 0;
  int failures = 0;
  absl::Duration retry_at = -absl::InfiniteDuration();
  os::SystemRandom random;
  std::map<std::string, prometheus::Counter*> round_trips;
  std::map<std::string, std::string> shas;  // Script name to the name that Redis gave its source.
};

absl::StatusOr<Context> Client::State::Acquire() {
  const absl::Duration start = clock.Monotonic();
  std::unique_lock lock(mutex);
  for (;;) {
    if (!idle.empty()) {
      Context context = std::move(idle.back());
      idle.pop_back();
      // An idle connection has nothing to say: readable means that Redis closed it.
      pollfd entry = {.fd = context->fd, .events = POLLIN, .revents = 0};
      if (poll(&entry, 1, 0) == 0) {
        wait_seconds.Observe(absl::ToDoubleSeconds(clock.Monotonic() - start));
        return context;
      }
      open_gauge.Set(--open);
      continue;
    }
    const absl::Duration now = clock.Monotonic();
    if (open < config.pool_size && now >= retry_at) {
      open_gauge.Set(++open);
      lock.unlock();
      wait_seconds.Observe(absl::ToDoubleSeconds(now - start));
      return Connect();
    }
    if (open == 0) return Down("the next try is soon");
    if (now - start >= config.timeout) {
      return base::DeadlineExceeded("REDIS_TIMEOUT", "no connection to Redis became free in time",
                                    {{"pool_size", absl::StrCat(config.pool_size)}});
    }
    freed.wait_for(lock, absl::ToChronoNanoseconds(config.timeout - (now - start)));
  }
}

absl::StatusOr<Context> Client::State::Connect() {
  auto context = Open();
  const std::lock_guard lock(mutex);
  if (context.ok()) {
    failures = 0;
    return context;
  }
  open_gauge.Set(--open);
  failures_total.Increment();
  absl::Duration wait = kReconnectFirst;
  for (int i = 0; i < failures && wait < kReconnectLast; ++i) wait *= 2;
  ++failures;
  retry_at = clock.Monotonic() + std::min(wait, kReconnectLast) * (0.5 + 0.5 * os::Fraction(random));
  if (failures == 1) log::Warning("Redis cannot be reached", {{"error", context.status().message()}});
  freed.notify_all();
  return context;
}

absl::StatusOr<Context> Client::State::Open() const {
  errno = 0;
  Context context(redisConnectWithTimeout(config.host.c_str(), config.port, ToTimeval(config.timeout)));
  if (context == nullptr) return Down("out of memory");
  if (context->err != 0) return Down(context->errstr);
  if (redisSetTimeout(context.get(), ToTimeval(config.timeout)) != REDIS_OK) return Down(context->errstr);
  (void)redisEnableKeepAlive(context.get());
  // A connect alone proves little where a proxy stands in between; only who answers counts, or back-off would never
  // begin.
  const Command hello = config.password.empty() ? Command{"PING"} : Command{"AUTH", config.password};
  if (!Append(*context, hello)) return Down("out of memory");
  VW_ASSIGN_OR_RETURN(const Reply reply, Receive(*context));
  if (reply.kind == Reply::Kind::kError) return Down(reply.text);
  return context;
}

void Client::State::Release(Context context, bool usable) {
  const std::lock_guard lock(mutex);
  if (usable) {
    idle.push_back(std::move(context));
  } else {
    failures_total.Increment();
    open_gauge.Set(--open);
  }
  freed.notify_one();
}

void Client::State::Count(const std::string& name, absl::Duration took) {
  seconds.Observe(absl::ToDoubleSeconds(took));
  const std::lock_guard lock(mutex);
  auto& counter = round_trips[name];
  if (counter == nullptr) {
    counter = &metrics.Counter("voltwell_redis_round_trips_total", "Round trips to Redis", {{"name", name}});
  }
  counter->Increment();
}

absl::StatusOr<std::vector<Reply>> Client::State::RoundTrip(const std::string& name,
                                                            const std::vector<Command>& commands,
                                                            absl::Duration block) {
  VW_ASSIGN_OR_RETURN(Context context, Acquire());
  const absl::Duration start = clock.Monotonic();
  absl::Status failed;
  if (block > absl::ZeroDuration()) (void)redisSetTimeout(context.get(), ToTimeval(config.timeout + block));
  for (const Command& command : commands) {
    if (!Append(*context, command)) failed = Down("out of memory");
  }
  std::vector<Reply> replies;
  for (size_t i = 0; failed.ok() && i < commands.size(); ++i) {
    auto reply = Receive(*context);
    if (reply.ok()) {
      replies.push_back(*std::move(reply));
    } else {
      failed = reply.status();
    }
  }
  if (block > absl::ZeroDuration()) (void)redisSetTimeout(context.get(), ToTimeval(config.timeout));
  Release(std::move(context), failed.ok());
  Count(name, clock.Monotonic() - start);
  if (!failed.ok()) return failed;
  return replies;
}

absl::StatusOr<Reply> Client::State::One(const std::string& name, const Command& command, absl::Duration block) {
  VW_ASSIGN_OR_RETURN(std::vector<Reply> replies, RoundTrip(name, {command}, block));
  if (replies.front().kind == Reply::Kind::kError) return ErrorReply(replies.front().text);
  return std::move(replies.front());
}

Client::Client(Config config, metrics::Registry& metrics)
    : state_(std::make_unique<State>(std::move(config), metrics)) {}

Client::~Client() = default;

absl::StatusOr<Reply> Client::Call(const Command& command) {
  VW_CHECK(!command.empty());
  return state_->One(absl::AsciiStrToLower(command.front()), command);
}

absl::StatusOr<Reply> Client::CallBlocking(const Command& command, absl::Duration block) {
  VW_CHECK(!command.empty());
  return state_->One(absl::AsciiStrToLower(command.front()), command, block);
}

absl::StatusOr<std::vector<Reply>> Client::Pipeline(const std::vector<Command>& commands) {
  if (commands.empty()) return std::vector<Reply>();
  return state_->RoundTrip("pipeline", commands);
}

absl::StatusOr<Reply> Client::Run(const Script& script, const std::vector<std::string>& keys,
                                  const std::vector<std::string>& arguments) {
  std::string sha;
  {
    const std::lock_guard lock(state_->mutex);
    sha = state_->shas[script.name];
  }
  if (sha.empty()) {
    // Once a process and script; afterwards a script costs one round trip.
    VW_ASSIGN_OR_RETURN(const Reply loaded, state_->One("script load", {"SCRIPT", "LOAD", script.source}));
    sha = loaded.text;
    const std::lock_guard lock(state_->mutex);
    state_->shas[script.name] = sha;
  }
  Command command = {"EVALSHA", sha, absl::StrCat(keys.size())};
  command.insert(command.end(), keys.begin(), keys.end());
  command.insert(command.end(), arguments.begin(), arguments.end());
  VW_ASSIGN_OR_RETURN(std::vector<Reply> replies, state_->RoundTrip(script.name, {command}));
  if (replies.front().kind != Reply::Kind::kError) return std::move(replies.front());
  if (!absl::StartsWith(replies.front().text, "NOSCRIPT")) return ErrorReply(replies.front().text);
  // Redis was restarted or flushed its scripts; EVAL brings the source along and keeps it.
  command[0] = "EVAL";
  command[1] = script.source;
  return state_->One(script.name, command);
}

bool Client::Healthy() {
  const auto pong = Call({"PING"});
  return pong.ok() && pong->text == "PONG";
}

}  // namespace voltwell::redis
