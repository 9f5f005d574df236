// What a dialect has us send by ourselves: answers to registrations and heartbeats; see shard.h.
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "services/collector_gateway/core/shard.h"

namespace voltwell::gateway {
namespace {

bool Answers(const Dialect* dialect) {
  return dialect != nullptr &&
         (dialect->answers_every || dialect->heartbeat_echo || !dialect->heartbeat_answer.empty());
}

}  // namespace

void Shard::AnswerRegistration(Session& session) {
  const Dialect* const dialect = session.entry->dialect.get();
  if (dialect != nullptr && !dialect->answer.empty()) Say(session, dialect->answer.Write(session.entry->registration));
}

void Shard::AnswerKeepalives(Session& session, KeepalivesSeen seen) {
  const Dialect* const dialect = session.entry->dialect.get();
  if (!Answers(dialect)) return;
  const BusEntry& entry = *session.entry;
  for (int i = 0; dialect->answers_every && i < seen.registrations; ++i) AnswerRegistration(session);
  if (seen.heartbeats == 0) return;
  std::string answer = dialect->heartbeat_answer.Write(entry.registration);
  if (dialect->heartbeat_echo) {
    answer = dialect->heartbeat.empty() ? entry.heartbeat : dialect->heartbeat.Write(entry.registration);
  }
  const int answers = std::min(seen.heartbeats, kHeartbeatAnswersMax);
  for (int i = 0; !answer.empty() && i < answers; ++i) Say(session, answer);
}

// A heartbeat that comes in two pieces must still be answered; without answers a piece is only noise.
size_t Shard::CountIdleNoise(Session& session, base::ByteView bytes) {
  const Keepalives keepalives = KeepalivesOf(session);
  KeepalivesSeen seen;
  if (!Answers(session.entry->dialect.get())) return keepalives.CountNoise(bytes, seen);
  const SessionId id = IdOf(session);
  std::string joined;
  if (const auto tail = idle_tails_.find(id); tail != idle_tails_.end()) {
    joined = std::move(tail->second);
    idle_tails_.erase(tail);
  }
  joined.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  size_t unfinished = keepalives.UnfinishedTail(base::AsBytes(joined));
  if (idle_tails_.size() >= kIdleTailsMax) unfinished = 0;
  const size_t whole = joined.size() - unfinished;
  const size_t noise = keepalives.CountNoise(base::AsBytes(joined).first(whole), seen);
  if (unfinished > 0) idle_tails_[id] = joined.substr(whole);
  AnswerKeepalives(session, seen);
  return noise;
}

// Between whole questions only: what a question left unsent goes first. What an idle socket does not take is dropped:
// nobody reads there.
void Shard::Say(Session& session, absl::string_view bytes) {
  context_.metrics.dialect_answers.Increment();
  if (session.ported) {
    SayBeside(session, bytes);
    return;
  }
  BusWork* const work = session.work.get();
  if (work != nullptr && !work->unsent.empty()) {
    if (work->unsent.size() >= kUnsentMax) return;
    Keep(session, false, base::AsBytes(bytes));
    work->unsent.append(bytes.data(), bytes.size());
    return;
  }
  const ssize_t sent = Transmit(session, bytes);
  const size_t gone = sent > 0 ? static_cast<size_t>(sent) : 0;
  session.bytes_out += static_cast<int64_t>(gone);
  tally_.bytes_out += static_cast<int64_t>(gone);
  const absl::string_view kept = work == nullptr ? bytes.substr(0, gone) : bytes;
  if (!kept.empty()) Keep(session, false, base::AsBytes(kept));
  if (gone == bytes.size() || work == nullptr) return;
  work->unsent.append(bytes.data() + gone, bytes.size() - gone);
  WantWritable(session, true);
}

}  // namespace voltwell::gateway
