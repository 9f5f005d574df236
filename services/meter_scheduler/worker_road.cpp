#include "services/meter_scheduler/worker_road.h"

#include <algorithm>
#include <thread>

#include "libs/base/status.h"
#include "libs/log/log.h"
#include "services/meter_scheduler/commands.h"
#include "services/meter_scheduler/domain/grouping.h"
#include "services/meter_scheduler/domain/relay_machine.h"

namespace voltwell::scheduler {
namespace {

using domain::Item;
using domain::Outcome;
using voltwell::codec::v1::CodecService;
using voltwell::codec::v1::EncodeRequest;

constexpr absl::Duration kClaimAtLeastEvery = absl::Seconds(10);  // Should a wake-up be lost.
constexpr absl::Duration kWithoutLease = absl::Milliseconds(200);
constexpr absl::Duration kReapEvery = absl::Seconds(2);
constexpr int64_t kOrphansEvery = 15;  // Reaps between looks for epochs that nobody holds.
constexpr absl::Duration kEncodeDeadline = absl::Seconds(5);
constexpr absl::Duration kCodecPause = absl::Seconds(1);  // Before items are claimed again when the codec was away.
constexpr absl::Duration kNotAfter = absl::Minutes(2);    // For the first byte of a read: a bus queue of slow meters.

}  // namespace

void DueTimes::Add(const std::vector<absl::Time>& times) {
  const std::lock_guard lock(mutex_);
  for (const absl::Time time : times) tenths_.insert(absl::ToUnixMillis(time) / 100 + 1);
  while (tenths_.size() > kDueTimesMax) tenths_.erase(std::prev(tenths_.end()));
}

bool DueTimes::TakeReached(absl::Time now) {
  const std::lock_guard lock(mutex_);
  const int64_t tenth = absl::ToUnixMillis(now) / 100;
  bool reached = false;
  while (!tenths_.empty() && *tenths_.begin() <= tenth) {
    tenths_.erase(tenths_.begin());
    reached = true;
  }
  return reached;
}

absl::Duration DueTimes::Until(absl::Time now, absl::Duration most) const {
  const std::lock_guard lock(mutex_);
  if (tenths_.empty()) return most;
  return std::clamp(absl::FromUnixMillis(*tenths_.begin() * 100) - now, absl::Milliseconds(1), most);
}

absl::Duration Lane::Wait(absl::Time now, absl::Duration monotonic) {
  const bool reached = due_.TakeReached(now);
  const absl::Duration left = last_ + kClaimAtLeastEvery - monotonic;
  if (wanted_.exchange(false) || reached || left <= absl::ZeroDuration()) {
    last_ = monotonic;
    return absl::ZeroDuration();
  }
  return due_.Until(now, left);
}

Road::Road(RoadParts parts)
    : parts_(std::move(parts)),
      in_flight_(parts_.metrics),
      claims_total_(parts_.metrics.Counter("voltwell_scheduler_claims_total", "Claims made")),
      claimed_total_(parts_.metrics.Counter("voltwell_scheduler_claimed_total", "Items claimed")),
      store_(parts_.closes, parts_.lease, in_flight_, parts_.clock, parts_.metrics,
             [this](const StoreNews& news) { OnNews(news); }),
      line_(parts_.router, parts_.clients.gateways, parts_.clock, parts_.metrics),
      gather_(parts_.clients, line_, parts_.registers, store_, parts_.clock, parts_.random, parts_.meter_zone,
              parts_.metrics) {
  line_.OnEnded([this](std::vector<AttemptPtr> ended) { gather_.Add(std::move(ended)); });
  const std::lock_guard lock(workers_mutex_);
  reap_ = std::make_unique<os::Worker>("reap", [this] { return StepReap(); });
  fast_ = std::make_unique<os::Worker>("road-fast", [this] { return StepFast(); });
  planned_ = std::make_unique<os::Worker>("road", [this] { return StepPlanned(); });
}

Road::~Road() { Drain(absl::ZeroDuration()); }

void Road::WakePlanned() {
  planned_lane_.Want();
  const std::lock_guard lock(workers_mutex_);
  planned_->Wake();
}

void Road::WakeFast() {
  fast_lane_.Want();
  const std::lock_guard lock(workers_mutex_);
  fast_->Wake();
}

void Road::Drain(absl::Duration patience) {
  draining_ = true;
  planned_->Stop();
  fast_->Stop();
  reap_->Stop();
  const absl::Duration until = parts_.clock.Monotonic() + patience;
  while (in_flight_.total() > 0 && parts_.clock.Monotonic() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  line_.Finish();
  // What came back as broken off is closed by the gatherer and the store, which end when they are empty.
}

absl::Duration Road::StepReap() {
  const absl::StatusOr<int64_t> returned = parts_.claims.Reap(reaps_++ % kOrphansEvery == 0);
  if (returned.ok() && *returned > 0) log::Info("items of dead processes were returned", {{"items", *returned}});
  return kReapEvery;
}

absl::Duration Road::StepPlanned() {
  if (draining_) return kClaimAtLeastEvery;
  if (!parts_.lease.Held()) {
    // Others may take our items any moment: nothing more is sent for them.
    if (last_epoch_ != 0) line_.CancelAll();
    last_epoch_ = 0;
    return kWithoutLease;
  }
  const absl::Duration wait = planned_lane_.Wait(parts_.clock.Now(), parts_.clock.Monotonic());
  if (wait > absl::ZeroDuration()) return wait;
  const int64_t epoch = parts_.lease.epoch();
  if (last_epoch_ != 0 && last_epoch_ != epoch) line_.CancelAll();
  last_epoch_ = epoch;
  if (in_flight_.total() + domain::kBatchMax > kInFlightMax) {
    starved_ = true;
    return kClaimAtLeastEvery;
  }
  const std::vector<int64_t> full = in_flight_.Full();
  starved_ = !full.empty();
  claims_total_.Increment();
  absl::StatusOr<ClaimResult> claim = parts_.claims.ClaimPlanned(epoch, cursor_, full);
  if (!claim.ok()) {
    GiveUpIfInDoubt(claim.status());
    log::Warning("nothing could be claimed",
                 {{"reason", base::ReasonOf(claim.status())}, {"error", claim.status().message()}});
    planned_lane_.Want();
    return absl::Seconds(1);
  }
  cursor_ = claim->cursor;
  if (claim->more) planned_lane_.Want();
  Launch(epoch, *std::move(claim), nullptr);
  return absl::ZeroDuration();
}

absl::Duration Road::StepFast() {
  if (draining_) return kClaimAtLeastEvery;
  if (!parts_.lease.Held()) return kWithoutLease;
  const absl::Duration wait = fast_lane_.Wait(parts_.clock.Now(), parts_.clock.Monotonic());
  if (wait > absl::ZeroDuration()) return wait;
  const int64_t epoch = parts_.lease.epoch();
  absl::StatusOr<RelayClaim> relays = parts_.claims.ClaimRelays(epoch);
  if (relays.ok() && !relays->tenant.empty()) {
    if (relays->claim.more) fast_lane_.Want();
    ClaimResult claim = std::move(relays->claim);
    Launch(epoch, std::move(claim), &*relays);
  }
  absl::StatusOr<ClaimResult> claim = parts_.claims.ClaimInteractive(epoch);
  // What was claimed goes on its way, whatever became of the other.
  if (claim.ok()) {
    if (claim->more) fast_lane_.Want();
    Launch(epoch, *std::move(claim), nullptr);
  }
  if (!relays.ok() || !claim.ok()) {
    GiveUpIfInDoubt(relays.status());
    GiveUpIfInDoubt(claim.status());
    const absl::Status& failed = relays.ok() ? claim.status() : relays.status();
    log::Warning("nothing urgent could be claimed", {{"reason", base::ReasonOf(failed)}, {"error", failed.message()}});
    fast_lane_.Want();
    return absl::Seconds(1);
  }
  return absl::ZeroDuration();
}

// A claim that may have been committed leases items that nobody here knows of: they come back with the epoch.
void Road::GiveUpIfInDoubt(const absl::Status& claimed) {
  if (base::ReasonOf(claimed) == "COMMIT_IN_DOUBT") parts_.lease.Abandon();
}

void Road::Launch(int64_t epoch, ClaimResult claim, const RelayClaim* relays) {
  const absl::Time now = parts_.clock.Now();
  in_flight_.Add(claim.items);
  claimed_total_.Increment(static_cast<double>(claim.items.size()));
  std::vector<LeasedClosing> over;
  std::vector<Item> refused;
  for (const RefusedItem& item : claim.refused) {
    refused.push_back(item.item);
    over.push_back({epoch, Refused(item.item, item.reason, now)});
  }
  in_flight_.Add(refused);
  domain::Grouped grouped = domain::Group(std::move(claim.items), now);
  for (const Item& item : grouped.too_late) {
    // The last failure tells more than that time is over.
    over.push_back({epoch, Refused(item, item.last_reason.empty() ? "TOO_LATE" : item.last_reason, now)});
  }
  store_.Add(std::move(over));
  if (!grouped.to_send.empty()) Encode(epoch, Prepare(epoch, std::move(grouped.to_send), relays));
}

std::vector<AttemptPtr> Road::Prepare(int64_t epoch, std::vector<Item> items, const RelayClaim* relays) {
  const absl::Time now = parts_.clock.Now();
  std::vector<AttemptPtr> attempts;
  attempts.reserve(items.size());
  for (Item& item : items) {
    auto attempt = std::make_unique<Attempt>();
    attempt->epoch = epoch;
    attempt->not_after = std::min(now + kNotAfter, item.work->give_up_time);
    int action = 0;
    if (relays != nullptr) {
      const int64_t origin = item.work->origin;
      if (const auto found = relays->actions.find(origin); found != relays->actions.end()) action = found->second;
      if (const auto found = relays->not_after.find(origin); found != relays->not_after.end())
        attempt->permit_end = found->second;
    }
    if (item.phase == domain::Phase::kVerify) {
      attempt->not_after = now + kNotAfter;
    } else if (item.work->kind == domain::Kind::kOpen) {
      // Without a claim of relays nothing may open.
      const absl::Time claimed_at = relays == nullptr ? absl::UnixEpoch() : relays->claimed_at;
      attempt->not_after = std::min(claimed_at + domain::kOpenNotAfter, attempt->permit_end);
    }
    absl::StatusOr<voltwell::codec::v1::Command> command =
        ToCommand(item, static_cast<voltwell::codec::v1::RelayAction>(action), parts_.security, parts_.meter_zone, now);
    attempt->item = std::move(item);
    if (command.ok()) {
      attempt->command = *std::move(command);
    } else {
      attempt->outcome = Outcome::kNotEncodable;
      attempt->reason = base::ReasonOf(command.status());
    }
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

void Road::Encode(int64_t epoch, std::vector<AttemptPtr> attempts) {
  std::vector<AttemptPtr> ended;
  EncodeRequest request;
  for (AttemptPtr& attempt : attempts) {
    if (attempt->outcome != Outcome::kOk) ended.push_back(std::move(attempt));
  }
  std::erase(attempts, nullptr);
  request.mutable_commands()->Reserve(static_cast<int>(attempts.size()));
  for (const AttemptPtr& attempt : attempts) *request.add_commands() = attempt->command;
  EndNow(std::move(ended));
  if (attempts.empty()) return;
  auto encoded = parts_.clients.codec.Call(&CodecService::Stub::Encode, request,
                                           {.deadline = parts_.clock.Now() + kEncodeDeadline});
  if (!encoded.ok() || encoded->items_size() != static_cast<int>(attempts.size())) {
    log::Warning("a batch was not encoded",
                 {{"items", static_cast<int64_t>(attempts.size())}, {"error", encoded.status().message()}});
    Unsent(epoch, std::move(attempts));
    return;
  }
  std::vector<AttemptPtr> to_send;
  for (size_t i = 0; i < attempts.size(); ++i) {
    auto& item = *encoded->mutable_items(static_cast<int>(i));
    if (item.has_group()) {
      attempts[i]->group.Swap(item.mutable_group());
      to_send.push_back(std::move(attempts[i]));
    } else {
      attempts[i]->outcome = Outcome::kNotEncodable;
      attempts[i]->reason = item.error().reason();
      ended.push_back(std::move(attempts[i]));
    }
  }
  std::erase(ended, nullptr);
  EndNow(std::move(ended));
  if (!to_send.empty()) line_.Send(std::move(to_send));
}

// The codec is away: planned reads go back untouched; an operation on a relay goes by its own machine, as not sent.
void Road::Unsent(int64_t epoch, std::vector<AttemptPtr> attempts) {
  std::vector<AttemptPtr> relays;
  std::vector<Item> items;
  for (AttemptPtr& attempt : attempts) {
    if (attempt->item.priority == domain::Priority::kRelay) {
      attempt->outcome = Outcome::kCodecDown;
      relays.push_back(std::move(attempt));
    } else {
      items.push_back(attempt->item);
      in_flight_.Remove(attempt->item.bus_no);
    }
  }
  EndNow(std::move(relays));
  if (items.empty()) return;
  const absl::Time due = parts_.clock.Now() + kCodecPause;
  const absl::Status released = parts_.claims.Release(epoch, items, due);
  if (!released.ok()) {
    log::Warning("items wait for the end of the lease", {{"error", released.message()}});
    parts_.lease.Abandon();
  }
  (items.front().priority >= domain::Priority::kInteractive ? fast_lane_ : planned_lane_).Add({due});
}

void Road::EndNow(std::vector<AttemptPtr> attempts) {
  if (attempts.empty()) return;
  for (AttemptPtr& attempt : attempts) attempt->ended = parts_.clock.Now();
  gather_.Add(std::move(attempts));
}

void Road::OnNews(const StoreNews& news) {
  if (draining_) return;
  planned_lane_.Add(news.due);
  fast_lane_.Add(news.due_fast);
  if (starved_) planned_lane_.Want();
  if (news.relay_follows) fast_lane_.Want();
  {
    const std::lock_guard lock(workers_mutex_);
    if (starved_ || !news.due.empty()) planned_->Wake();
    if (news.relay_follows || !news.due_fast.empty()) fast_->Wake();
  }
  if (news.operation_ended && parts_.operation_ended) parts_.operation_ended();
}

}  // namespace voltwell::scheduler
