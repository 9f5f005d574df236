#include "services/meter_scheduler/worker_scan.h"

#include <algorithm>

#include "libs/base/status.h"
#include "libs/log/log.h"

namespace voltwell::scheduler {
namespace {

using domain::Outcome;
using voltwell::codec::v1::CodecService;
using voltwell::codec::v1::PlanScanRequest;
using voltwell::codec::v1::PlanScanResponse;

constexpr absl::Duration kLookEvery = absl::Seconds(2);  // Without a wake-up: for those of dead processes too.
constexpr absl::Duration kWithoutLease = absl::Milliseconds(200);
constexpr absl::Duration kPlanDeadline = absl::Seconds(5);
constexpr absl::Duration kNotAfter = absl::Minutes(2);      // A busy bus may let it wait so long, then it queues anew.
constexpr absl::Duration kOfflinePause = absl::Seconds(5);  // Until it is looked whether the collector is back.
constexpr absl::Duration kFailurePause = absl::Seconds(1);

// What came may be silence; the codec judges it.
bool Answered(Outcome outcome) {
  return outcome == Outcome::kOk || outcome == Outcome::kNoise || outcome == Outcome::kTimeout;
}

}  // namespace

ScanWorker::ScanWorker(ScanParts parts)
    : parts_(parts),
      store_(parts.pool),
      running_gauge_(
          parts.metrics.Gauge("voltwell_scheduler_scans", "Searches for meters with a question on the line")),
      questions_total_(
          parts.metrics.Counter("voltwell_scheduler_scan_questions_total", "Questions of searches that were answered")),
      found_total_(parts.metrics.Counter("voltwell_scheduler_scan_found_total",
                                         "Answers of meters to searches; a meter may answer more than once")),
      line_(parts.router, parts.clients.gateways, parts.clock, parts.metrics, "voltwell_scheduler_scan") {
  line_.OnEnded([this](std::vector<AttemptPtr> ended) {
    const std::lock_guard lock(mutex_);
    for (AttemptPtr& attempt : ended) answers_.push_back(std::move(attempt));
    if (worker_ != nullptr) worker_->Wake();
  });
  const std::lock_guard lock(mutex_);
  worker_ = std::make_unique<os::Worker>("scan", [this] { return Step(); });
}

ScanWorker::~ScanWorker() { Stop(); }

void ScanWorker::Wake() { worker_->Wake(); }

void ScanWorker::Stop() {
  worker_->Stop();
  line_.Finish();
}

absl::Duration ScanWorker::Step() {
  if (!parts_.lease.Held()) {
    // Others may take our searches any moment.
    if (!running_.empty()) line_.CancelAll();
    running_.clear();
    return kWithoutLease;
  }
  if (epoch_ != parts_.lease.epoch()) running_.clear();
  epoch_ = parts_.lease.epoch();
  TakeAnswers();
  if (!worker_->stopping()) ClaimDue();
  running_gauge_.Set(static_cast<double>(running_.size()));
  return kLookEvery;
}

void ScanWorker::TakeAnswers() {
  std::vector<AttemptPtr> answers;
  {
    const std::lock_guard lock(mutex_);
    answers.swap(answers_);
  }
  for (AttemptPtr& attempt : answers) {
    const auto found = running_.find(attempt->item.work->origin);
    // Of a search that was given up here, or of an older epoch.
    if (found == running_.end() || attempt->epoch != epoch_) continue;
    ScanJob job = std::move(found->second);
    running_.erase(found);
    OnAnswer(std::move(job), *attempt);
  }
}

void ScanWorker::ClaimDue() {
  const int room = kScansAtOnce - static_cast<int>(running_.size());
  if (room <= 0) return;
  std::vector<int64_t> running;
  for (const auto& [number, job] : running_) running.push_back(number);
  absl::StatusOr<std::vector<ScanJob>> jobs = store_.Claim(epoch_, parts_.clock.Now(), room, running);
  if (!jobs.ok()) {
    log::Warning("no search could be taken", {{"error", jobs.status().message()}});
    return;
  }
  for (ScanJob& job : *jobs) Ask(std::move(job));
}

void ScanWorker::Ask(ScanJob job) {
  PlanScanRequest request;
  request.set_state(job.position);
  auto step = parts_.clients.codec.Call(&CodecService::Stub::PlanScan, request,
                                        {.deadline = parts_.clock.Now() + kPlanDeadline});
  if (!step.ok()) {
    // A state of another version cannot be gone on from; anything else is the codec's absence.
    if (absl::IsInvalidArgument(step.status())) {
      Finish(job, {voltwell::scheduler::v1::Scan::STATE_FAILED, base::ReasonOf(step.status())});
    } else {
      PutOff(job, kFailurePause, "CODEC_DOWN");
    }
    return;
  }
  Send(std::move(job), *std::move(step));
}

void ScanWorker::Send(ScanJob job, PlanScanResponse step) {
  if (!step.has_group()) {
    Finish(job, {voltwell::scheduler::v1::Scan::STATE_DONE, ""});
    return;
  }
  if (job.questions >= parts_.questions_max) {
    Finish(job, {voltwell::scheduler::v1::Scan::STATE_FAILED, "SCAN_TOO_LONG"});
    return;
  }
  const absl::Time now = parts_.clock.Now();
  if (now >= job.give_up_time) {
    const std::string reason = job.reason == "OFFLINE" ? job.reason : "TOO_LATE";
    Finish(job, {voltwell::scheduler::v1::Scan::STATE_FAILED, reason});
    return;
  }
  auto work = std::make_shared<domain::Work>();
  work->origin = job.number;
  work->tenant = job.tenant;
  auto attempt = std::make_unique<Attempt>();
  attempt->item.work = std::move(work);
  attempt->item.priority = domain::Priority::kBackfill;
  attempt->item.registration_id = job.registration_id;
  attempt->item.bus = job.bus;
  attempt->epoch = epoch_;
  attempt->not_after = now + kNotAfter;
  attempt->group.Swap(step.mutable_group());
  running_[job.number] = std::move(job);
  std::vector<AttemptPtr> attempts;
  attempts.push_back(std::move(attempt));
  line_.Send(std::move(attempts));
}

void ScanWorker::OnAnswer(ScanJob job, Attempt& attempt) {
  if (!Answered(attempt.outcome)) {
    const bool offline = attempt.outcome == Outcome::kOffline || attempt.outcome == Outcome::kLost;
    PutOff(job, offline ? kOfflinePause : kFailurePause, offline ? "OFFLINE" : "BUSY");
    return;
  }
  PlanScanRequest request;
  request.set_state(job.position);
  request.mutable_answer()->mutable_replies()->Swap(&attempt.replies);
  request.mutable_answer()->set_noise(std::move(attempt.noise));
  auto step = parts_.clients.codec.Call(&CodecService::Stub::PlanScan, request,
                                        {.deadline = parts_.clock.Now() + kPlanDeadline});
  if (!step.ok()) {
    PutOff(job, kFailurePause, "CODEC_DOWN");
    return;
  }
  ++job.questions;
  questions_total_.Increment();
  found_total_.Increment(step->findings_size());
  const absl::StatusOr<ScanStore::Advanced> kept = store_.Advance(epoch_, job, *step, parts_.clock.Now());
  if (!kept.ok()) {
    // Not running any more, it is claimed again, and its question asked once more.
    log::Warning("the answer to a search was not kept", {{"error", kept.status().message()}});
    return;
  }
  if (*kept == ScanStore::Advanced::kNotOurs) return;
  if (*kept == ScanStore::Advanced::kFull) {
    Finish(job, {voltwell::scheduler::v1::Scan::STATE_FAILED, "TOO_MANY_METERS"});
    return;
  }
  job.position = step->state();
  job.reason.clear();
  Send(std::move(job), *std::move(step));
}

void ScanWorker::PutOff(const ScanJob& job, absl::Duration pause, const std::string& reason) {
  const absl::Time now = parts_.clock.Now();
  if (now >= job.give_up_time) {
    Finish(job, {voltwell::scheduler::v1::Scan::STATE_FAILED, reason == "OFFLINE" ? reason : "TOO_LATE"});
    return;
  }
  const absl::Status released = store_.Release(epoch_, job, now + pause, reason);
  // Not running any more, it is claimed again.
  if (!released.ok()) log::Warning("a search was not put off", {{"error", released.message()}});
}

void ScanWorker::Finish(const ScanJob& job, ScanEnd end) {
  const absl::Status finished = store_.Finish(epoch_, job, end, parts_.clock.Now());
  if (!finished.ok()) log::Warning("the end of a search was not kept", {{"error", finished.message()}});
}

}  // namespace voltwell::scheduler
