#include "services/meter_scheduler/worker_gather.h"

#include <algorithm>

#include "libs/base/status.h"
#include "libs/log/log.h"

namespace voltwell::scheduler {
namespace {

using domain::Outcome;
using voltwell::codec::v1::CodecService;
using voltwell::codec::v1::DecodeRequest;
using voltwell::codec::v1::ExchangeGroup;

constexpr absl::Duration kDecodeDeadline = absl::Seconds(5);

bool Urgent(const Attempt& attempt) { return attempt.item.priority >= domain::Priority::kInteractive; }

bool Moves(const Attempt& attempt) { return attempt.item.phase == domain::Phase::kAttempted; }

// The bytes of an exchange, as they are kept: requests in order, then what came.
void KeepBytes(Attempt& attempt) {
  for (const auto& exchange : attempt.group.exchanges()) attempt.request_bytes += exchange.request();
  for (const auto& reply : attempt.replies) {
    for (const std::string& frame : reply.frames()) attempt.reply_bytes += frame;
  }
  attempt.reply_bytes += attempt.noise;
}

}  // namespace

GatherWorker::GatherWorker(Clients& clients, Line& line, RegisterStore& registers, StoreWorker& store, os::Clock& clock,
                           os::Random& random, absl::TimeZone meter_zone, metrics::Registry& metrics)
    : clients_(clients),
      line_(line),
      registers_(registers),
      store_(store),
      clock_(clock),
      random_(random),
      meter_zone_(meter_zone),
      waiting_gauge_(metrics.Gauge("voltwell_scheduler_gather_waiting", "Results that wait to be decoded")),
      flushes_total_(metrics.Counter("voltwell_scheduler_flushes_total", "Batches of results decoded")),
      thread_([this] { Run(); }) {}

GatherWorker::~GatherWorker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.Join();
}

void GatherWorker::Add(std::vector<AttemptPtr> ended) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) first_at_ = clock_.Monotonic();
  for (AttemptPtr& attempt : ended) {
    urgent_ = urgent_ || Urgent(*attempt);
    waiting_.push_back(std::move(attempt));
  }
  waiting_gauge_.Set(static_cast<double>(waiting_.size()));
  changed_.notify_all();
}

void GatherWorker::Run() {
  for (;;) {
    std::vector<AttemptPtr> batch;
    {
      std::unique_lock lock(mutex_);
      for (;;) {
        if (stopping_ && waiting_.empty()) return;
        if (urgent_ || stopping_ || waiting_.size() >= kFlushAt) break;
        if (waiting_.empty()) {
          changed_.wait(lock);
          continue;
        }
        const absl::Duration left = first_at_ + kFlushAfter - clock_.Monotonic();
        if (left <= absl::ZeroDuration()) break;
        changed_.wait_for(lock, absl::ToChronoNanoseconds(left));
      }
      while (!waiting_.empty() && batch.size() < kFlushMax) {
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
      first_at_ = clock_.Monotonic();
      urgent_ =
          std::any_of(waiting_.begin(), waiting_.end(), [](const AttemptPtr& attempt) { return Urgent(*attempt); });
      waiting_gauge_.Set(static_cast<double>(waiting_.size()));
    }
    Flush(std::move(batch));
  }
}

void GatherWorker::Flush(std::vector<AttemptPtr> batch) {
  std::vector<AttemptPtr> answered;
  std::vector<AttemptPtr> rest;
  std::vector<AttemptPtr> moved;
  for (AttemptPtr& attempt : batch) {
    if (attempt->outcome == Outcome::kMoved && !attempt->rerouted) {
      attempt->rerouted = true;
      moved.push_back(std::move(attempt));
      continue;
    }
    // Its first rounds were sent: how a command that was not finished stands nobody knows.
    if (attempt->continuations > 0 && Moves(*attempt) && !domain::WasSent(attempt->outcome))
      attempt->outcome = Outcome::kStreamBroken;
    KeepBytes(*attempt);
    (attempt->outcome == Outcome::kOk ? answered : rest).push_back(std::move(attempt));
  }
  if (!moved.empty()) line_.Send(std::move(moved));
  if (!answered.empty()) Decode(answered);
  std::move(answered.begin(), answered.end(), std::back_inserter(rest));
  Close(std::move(rest));
}

void GatherWorker::Decode(std::vector<AttemptPtr>& answered) {
  DecodeRequest request;
  for (AttemptPtr& attempt : answered) {
    auto& item = *request.add_items();
    *item.mutable_command() = attempt->command;
    if (item.command().has_relay()) item.mutable_command()->mutable_relay()->clear_authority();
    item.mutable_replies()->Swap(&attempt->replies);
  }
  flushes_total_.Increment();
  auto decoded =
      clients_.codec.Call(&CodecService::Stub::Decode, request, {.deadline = clock_.Now() + kDecodeDeadline});
  if (!decoded.ok() || decoded->results_size() != static_cast<int>(answered.size())) {
    log::Warning("a batch was not decoded",
                 {{"items", static_cast<int64_t>(answered.size())}, {"error", decoded.status().message()}});
    // A relay that heard its command is looked at; what was read is read again.
    for (AttemptPtr& attempt : answered)
      attempt->outcome = Moves(*attempt) ? Outcome::kNotUnderstood : Outcome::kCodecDown;
    return;
  }
  std::vector<ExchangeGroup> continuations(answered.size());
  for (size_t i = 0; i < answered.size(); ++i) {
    auto& result = *decoded->mutable_results(static_cast<int>(i));
    TakeDecoded(*answered[i], result);
    if (result.has_continuation()) continuations[i].Swap(result.mutable_continuation());
  }
  SendAgain(answered, continuations);
}

void GatherWorker::SendAgain(std::vector<AttemptPtr>& attempts, std::vector<ExchangeGroup>& continuations) {
  std::vector<AttemptPtr> again;
  std::vector<AttemptPtr> stay;
  for (size_t i = 0; i < attempts.size(); ++i) {
    AttemptPtr& attempt = attempts[i];
    const bool wanted = attempt->outcome == Outcome::kOk && continuations[i].exchanges_size() > 0;
    if (!wanted || attempt->continuations >= kContinuationsMax) {
      stay.push_back(std::move(attempt));
      continue;
    }
    ++attempt->continuations;
    attempt->group.Swap(&continuations[i]);
    attempt->replies.Clear();
    again.push_back(std::move(attempt));
  }
  if (!again.empty()) line_.Send(std::move(again));
  attempts = std::move(stay);
}

void GatherWorker::Close(std::vector<AttemptPtr> attempts) {
  std::vector<LeasedClosing> closings;
  const absl::Time now = clock_.Now();
  for (AttemptPtr& attempt : attempts) {
    const ClosingRules rules = {.meter_zone = meter_zone_,
                                .jitter = attempt->outcome == Outcome::kOk ? 0 : os::Fraction(random_)};
    absl::StatusOr<Closing> closing = ToClosing(*attempt, registers_, rules, now);
    if (!closing.ok()) {
      // The database is away: what was read cannot be stored now, so it is read again.
      attempt->outcome = Moves(*attempt) ? Outcome::kNotUnderstood : Outcome::kCodecDown;
      attempt->reason = base::ReasonOf(closing.status());
      closing = ToClosing(*attempt, registers_, rules, now);
    }
    if (closing.ok()) closings.push_back({attempt->epoch, *std::move(closing)});
  }
  store_.Add(std::move(closings));
}

}  // namespace voltwell::scheduler
