// Exchanges of one bus at a time: queue, run, quiet, results; see shard.h.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "services/collector_gateway/core/shard.h"

namespace voltwell::gateway {
namespace {

bool IsUrgent(Priority priority) { return priority >= Priority::kInteractive; }

}  // namespace

// Where a connection carries several buses they stand between the packets, and are none of a bus's.
Keepalives Shard::KeepalivesOf(const Session& session) const {
  return session.ported ? Keepalives() : gateway::KeepalivesOf(*session.entry);
}

void Shard::Submit(std::vector<RoutedItem>&& items, std::shared_ptr<ResultSink> sink) {
  const auto batch = std::make_shared<Batch>(std::move(sink));
  batch->outstanding = items.size();
  // First all are queued, then buses start: the order among them is the queue's, not the call's.
  for (RoutedItem& routed : items) {
    routed.item.batch = batch;
    Session* const session = Find(routed.session);
    if (session == nullptr || session->entry == nullptr || draining_) {
      Answer(std::move(routed.item), Outcome::kOffline);
      continue;
    }
    StartWork(*session);
    CountDepth(session->work->queue.size());
    if (!session->work->queue.Push(std::move(routed.item), loop_.now())) Answer(std::move(routed.item), Outcome::kBusy);
  }
  for (const RoutedItem& routed : items) {
    if (Session* const session = Find(routed.session); session != nullptr && session->work != nullptr) Pump(*session);
  }
}

void Shard::Drop(const std::shared_ptr<ResultSink>& sink) {
  for (size_t slot = 0; slot < sessions_.size(); ++slot) {
    Session& session = sessions_[slot];
    if (session.fd < 0 || session.work == nullptr) continue;
    session.work->queue.Drop([&sink](const Item& item) { return item.batch->sink == sink; });
    Pump(session);
  }
}

void Shard::OnLineBytes(Session& session, base::ByteView bytes) {
  BusWork* const work = session.work.get();
  if (work != nullptr && work->run.has_value()) {
    const GroupRun::Move move = work->run->OnBytes(bytes, loop_.now());
    AnswerKeepalives(session, work->run->TakeKeepalives());
    Act(session, move);
    return;
  }
  const size_t noise = CountIdleNoise(session, bytes);
  if (noise == 0) return;
  FactsOf(session).counts().babble_bytes += static_cast<int64_t>(noise);
  context_.metrics.babble_bytes.Increment(static_cast<double>(noise));
  context_.metrics.noise_bytes.Increment(static_cast<double>(noise));
  // A late answer is still coming in: its bytes put the next question off.
  if (work != nullptr && work->quieting) work->quiet_since = loop_.now();
}

void Shard::OnBusTime(Session& session) {
  if (session.work == nullptr) return;
  if (session.work->run.has_value()) {
    const SessionId id = IdOf(session);
    Act(session, session.work->run->OnTime(loop_.now()));
    if (Find(id) == nullptr) return;
  }
  if (session.work != nullptr) Pump(session);
}

bool Shard::Quieting(BusWork& work) const {
  if (!work.quieting) return false;
  const Instant now = loop_.now();
  work.quieting = now < work.quiet_since + kQuietAfterFailure && now < work.quiet_end;
  return work.quieting;
}

BusFacts& Shard::FactsOf(Session& session) {
  if (session.facts == nullptr) session.facts = std::make_unique<BusFacts>(loop_.now());
  return *session.facts;
}

void Shard::StartWork(Session& session) {
  if (session.work != nullptr) return;
  if (spare_work_.empty()) {
    session.work = std::make_unique<BusWork>();
    return;
  }
  session.work = std::move(spare_work_.back());
  spare_work_.pop_back();
}

// Only of a bus at rest: nothing queued, running, unsent, and the line quiet.
void Shard::EndWork(Session& session) {
  if (spare_work_.size() < kSpareWorkMax) spare_work_.push_back(std::move(session.work));
  session.work.reset();
}

// Starts the next item when the bus is free, and lets go of what a bus at rest does not need.
void Shard::Pump(Session& session) {
  BusWork& work = *session.work;
  for (Item& item : work.queue.TakeExpired(loop_.now())) Answer(std::move(item), Outcome::kExpired);
  while (!work.run.has_value() && !Quieting(work)) {
    BusFacts& facts = FactsOf(session);
    work.held_until = absl::InfiniteDuration();
    std::optional<Item> item = work.queue.Next(loop_.now(), facts);
    if (!item.has_value()) {
      if (!work.queue.empty()) {
        work.held_until = work.queue.HeldUntil(facts);
      } else if (work.unsent.empty()) {
        EndWork(session);
      }
      break;
    }
    // The turn may have been long: not_after is held against the clock right before the first byte.
    const Instant now = item->not_after == absl::InfiniteDuration() ? loop_.now() : context_.clock.Monotonic();
    if (now > item->not_after) {
      Answer(*std::move(item), Outcome::kExpired);
      continue;
    }
    work.line_before = facts.counts();
    if (!item->searches()) facts.Began(*item, now);
    if (item->attempt > 1) context_.metrics.retries.Increment();
    work.run.emplace(*std::move(item), session.entry->timing, KeepalivesOf(session), facts);
    const SessionId id = IdOf(session);
    Act(session, work.run->Begin(now));
    // Act pumps by itself when the run ended meanwhile.
    if (Find(id) == nullptr) return;
    break;
  }
  Rearm(session);
}

void Shard::Act(Session& session, GroupRun::Move move) {
  while (move != GroupRun::Move::kWait) {
    GroupRun& run = *session.work->run;
    if (move == GroupRun::Move::kDone) {
      FinishRun(session, run.TakeResult());
      return;
    }
    if (!Write(session, run.to_send())) return;
    move = run.OnSent(loop_.now());
  }
  Rearm(session);
}

bool Shard::Write(Session& session, absl::string_view bytes) {
  BusWork& work = *session.work;
  Keep(session, false, base::AsBytes(bytes));
  if (work.unsent.empty()) {
    const ssize_t sent = Transmit(session, bytes);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      // Not one byte went out: for a first question nothing was sent.
      if (work.run->first_question()) {
        Result result = work.run->TakeFailed(Outcome::kOffline, loop_.now());
        result.replies.clear();
        const std::shared_ptr<Batch> batch = work.run->item().batch;
        work.run.reset();
        Deliver(batch, std::move(result));
      }
      End(session, "reset by peer");
      return false;
    }
    if (sent > 0) {
      session.bytes_out += sent;
      tally_.bytes_out += sent;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    if (bytes.empty()) return true;
  }
  work.unsent.append(bytes.data(), bytes.size());
  WantWritable(session, true);
  return true;
}

void Shard::FlushUnsent(Session& session) {
  BusWork* const work = session.work.get();
  if (work == nullptr) return;
  const ssize_t sent = Transmit(session, work->unsent);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    End(session, "reset by peer");
    return;
  }
  if (sent > 0) {
    session.bytes_out += sent;
    tally_.bytes_out += sent;
    work->unsent.erase(0, static_cast<size_t>(sent));
  }
  if (!work->unsent.empty() || HasCiphertext(session)) return;
  WantWritable(session, false);
  Pump(session);
}

void Shard::FinishRun(Session& session, Result&& result) {
  BusWork& work = *session.work;
  const codec::frame::CutterCounts& counts = work.run->counts();
  if (counts.noise_bytes > 0) context_.metrics.noise_bytes.Increment(static_cast<double>(counts.noise_bytes));
  if (counts.bad_checksums > 0) context_.metrics.bad_checksums.Increment(static_cast<double>(counts.bad_checksums));
  tally_.busy += result.bus_time;
  BusFacts& facts = FactsOf(session);
  if (result.searched) {
    // Silence and answers that lie over each other are what a search expects: the line is not worse for it.
    facts.Searched(loop_.now(), result.bus_time);
  } else {
    facts.counts().noise_bytes += static_cast<int64_t>(counts.noise_bytes);
    facts.counts().bad_checksums += static_cast<int64_t>(counts.bad_checksums);
    facts.Ended(work.run->item().meter, result.outcome, loop_.now(), result.bus_time);
  }
  CountLine(facts, work.line_before);
  const Exchange& last = work.run->item().exchanges.back();
  work.quiet_since = loop_.now();
  if (result.outcome != Outcome::kOk) {
    work.quieting = true;
    work.quiet_end = loop_.now() + kQuietWaitMax;
  } else {
    // Nobody answers a broadcast: its bytes must have left the line before the next question.
    work.quieting = last.no_reply;
    work.quiet_end = loop_.now() + WireTime(last.question.request.size(), session.entry->timing.baud);
  }
  const std::shared_ptr<Batch> batch = work.run->item().batch;
  result.spent = work.run->TakeExchanges();
  work.run.reset();
  if (session.entry_changed) TakeEntry(session);
  Deliver(batch, std::move(result));
  if (draining_) {
    CloseSoon(session);
    return;
  }
  Pump(session);
}

void Shard::CountLine(const BusFacts& facts, const LineCounts& before) {
  const auto add = [](prometheus::Counter& counter, int64_t now, int64_t then) {
    if (now != then) counter.Increment(static_cast<double>(now - then));
  };
  add(context_.metrics.echoes, facts.counts().echoes, before.echoes);
  add(context_.metrics.strays, facts.counts().strays, before.strays);
  add(context_.metrics.collisions, facts.counts().collisions, before.collisions);
  add(context_.metrics.learned_timeouts, facts.counts().learned_timeouts, before.learned_timeouts);
}

void Shard::FailWork(Session& session) {
  const std::unique_ptr<BusWork> work = std::move(session.work);
  if (work == nullptr) return;
  if (work->run.has_value()) {
    const std::shared_ptr<Batch> batch = work->run->item().batch;
    Deliver(batch, work->run->TakeFailed(Outcome::kLost, loop_.now()));
  }
  for (Item& item : work->queue.TakeAll()) Answer(std::move(item), Outcome::kOffline);
}

void Shard::Answer(Item&& item, Outcome outcome) {
  Result result;
  result.id = item.id;
  result.priority = item.priority;
  result.outcome = outcome;
  Deliver(item.batch, std::move(result));
}

void Shard::Deliver(const std::shared_ptr<Batch>& batch, Result&& result) {
  if (result.searched) {
    context_.metrics.searches.Increment();
  } else {
    ++tally_.ended[static_cast<size_t>(result.outcome)];
  }
  batch->urgent = batch->urgent || IsUrgent(result.priority);
  if (batch->ready.empty()) batch->ready.reserve(std::min(kFlushResults, batch->outstanding));
  batch->ready.push_back(std::move(result));
  --batch->outstanding;
  if (batch->listed) return;
  batch->listed = true;
  batch->due = loop_.now() + kFlushAfter;
  to_flush_.push_back(batch);
}

void Shard::CountDepth(size_t depth) {
  const auto place = std::lower_bound(kQueueDepths.begin(), kQueueDepths.end(), static_cast<double>(depth));
  ++tally_.depths[static_cast<size_t>(place - kQueueDepths.begin())];
  tally_.depth_sum += static_cast<double>(depth);
  tally_.any = true;
}

void Shard::TellMetrics() {
  GatewayMetrics& metrics = context_.metrics;
  if (tally_.bytes_in > 0) metrics.bytes_in.Increment(static_cast<double>(tally_.bytes_in));
  if (tally_.bytes_out > 0) metrics.bytes_out.Increment(static_cast<double>(tally_.bytes_out));
  if (tally_.busy > absl::ZeroDuration()) metrics.busy_seconds.Increment(absl::ToDoubleSeconds(tally_.busy));
  for (size_t i = 0; i < tally_.ended.size(); ++i) {
    if (tally_.ended[i] > 0) metrics.exchanges[i]->Increment(static_cast<double>(tally_.ended[i]));
  }
  if (tally_.any) {
    metrics.queue_depth.ObserveMultiple(std::vector<double>(tally_.depths.begin(), tally_.depths.end()),
                                        tally_.depth_sum);
  }
  tally_ = {};
}

// Results of a whole turn go up together, and what is told is counted.
Instant Shard::OnTurnEnd() {
  TellMetrics();
  Instant next = absl::InfiniteDuration();
  for (size_t i = 0; i < to_flush_.size();) {
    Batch& batch = *to_flush_[i];
    const bool now =
        batch.urgent || batch.outstanding == 0 || batch.ready.size() >= kFlushResults || batch.due <= loop_.now();
    if (!now) {
      next = std::min(next, batch.due);
      ++i;
      continue;
    }
    batch.listed = false;
    batch.urgent = false;
    context_.metrics.flushes.Increment();
    batch.sink->Deliver(std::exchange(batch.ready, {}));
    to_flush_[i] = std::move(to_flush_.back());
    to_flush_.pop_back();
  }
  return next;
}

}  // namespace voltwell::gateway
