#include "services/meter_scheduler/line.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include "libs/log/log.h"
#include "libs/redis/redis.h"
#include "services/meter_scheduler/names.h"

namespace voltwell::scheduler {
namespace {

using domain::Outcome;
using voltwell::gateway::v1::ExchangeItem;
using voltwell::gateway::v1::ExchangeRequest;
using voltwell::gateway::v1::ExchangeResponse;
using voltwell::gateway::v1::ExchangeResult;
using voltwell::gateway::v1::GatewayService;

// The stream outlives the last permitted first byte by a group of slow exchanges.
constexpr absl::Duration kStreamMargin = absl::Minutes(2);

Outcome FromProto(voltwell::codec::v1::Outcome outcome) {
  switch (outcome) {
    case voltwell::codec::v1::OUTCOME_OK:
      return Outcome::kOk;
    case voltwell::codec::v1::OUTCOME_NOISE:
      return Outcome::kNoise;
    case voltwell::codec::v1::OUTCOME_TIMEOUT:
      return Outcome::kTimeout;
    case voltwell::codec::v1::OUTCOME_LOST:
      return Outcome::kLost;
    case voltwell::codec::v1::OUTCOME_OFFLINE:
      return Outcome::kOffline;
    case voltwell::codec::v1::OUTCOME_BUSY:
      return Outcome::kBusy;
    case voltwell::codec::v1::OUTCOME_MOVED:
      return Outcome::kMoved;
    case voltwell::codec::v1::OUTCOME_EXPIRED:
      return Outcome::kExpired;
    default:
      return Outcome::kStreamBroken;
  }
}

ExchangeItem ToItem(Attempt& attempt, uint32_t id, absl::Time now) {
  ExchangeItem item;
  item.set_id(id);
  item.set_collector(attempt.item.registration_id);
  item.set_bus(attempt.item.bus);
  item.set_tenant(attempt.item.work->tenant);
  item.set_priority(static_cast<voltwell::gateway::v1::Priority>(attempt.item.priority));
  item.set_attempt(static_cast<uint32_t>(attempt.item.attempts) + 1);
  *item.mutable_group() = attempt.group;
  *item.mutable_not_after() = ToProto(attempt.not_after - now);
  return item;
}

bool Opens(const Attempt& attempt) {
  return attempt.item.work->kind == domain::Kind::kOpen && attempt.item.phase == domain::Phase::kAttempted;
}

std::vector<AttemptPtr> TakeOut(std::vector<AttemptPtr>& attempts, const std::function<bool(const Attempt&)>& which) {
  const auto first = std::stable_partition(attempts.begin(), attempts.end(),
                                           [&](const AttemptPtr& attempt) { return !which(*attempt); });
  std::vector<AttemptPtr> taken(std::make_move_iterator(first), std::make_move_iterator(attempts.end()));
  attempts.erase(first, attempts.end());
  return taken;
}

}  // namespace

struct Line::State {
  Router& router;
  GatewayClients& gateways;
  os::Clock& clock;
  prometheus::Gauge& streams_gauge;
  prometheus::Counter& exchanges_total;
  AttemptsEnded ended = {};
  std::mutex mutex = {};
  std::condition_variable idle = {};
  std::set<Call*> calls = {};
  bool finished = false;

  void End(std::vector<AttemptPtr> attempts, Outcome outcome) {
    if (attempts.empty()) return;
    for (AttemptPtr& attempt : attempts) {
      attempt->outcome = outcome;
      attempt->ended = clock.Now();
    }
    ended(std::move(attempts));
  }
};

// One stream; deletes itself when it has ended.
class Line::Call : public grpc::ClientReadReactor<ExchangeResponse> {
 public:
  Call(std::shared_ptr<State> state, std::shared_ptr<GatewayClient> client, std::vector<AttemptPtr> attempts)
      : state_(std::move(state)), client_(std::move(client)), attempts_(std::move(attempts)), left_(attempts_.size()) {}

  // `now`: all that it carries was found in time then.
  void Start(absl::Time now) {
    absl::Time last = now;
    request_.mutable_items()->Reserve(static_cast<int>(attempts_.size()));
    for (uint32_t id = 0; id < attempts_.size(); ++id) {
      last = std::max(last, attempts_[id]->not_after);
      *request_.add_items() = ToItem(*attempts_[id], id, now);
    }
    client_->caller().Prepare(context_, *ExchangeRequest::descriptor(), {.deadline = last + kStreamMargin});
    client_->stub().async()->Exchange(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    std::vector<AttemptPtr> done;
    const absl::Time now = state_->clock.Now();
    for (ExchangeResult& result : *response_.mutable_results()) {
      if (result.id() >= attempts_.size() || attempts_[result.id()] == nullptr) continue;
      AttemptPtr attempt = std::move(attempts_[result.id()]);
      --left_;
      attempt->outcome = FromProto(result.outcome());
      attempt->ended = now;
      attempt->replies.Swap(result.mutable_replies());
      attempt->noise = std::move(*result.mutable_noise());
      attempt->moved_to = std::move(*result.mutable_moved_to());
      done.push_back(std::move(attempt));
    }
    state_->exchanges_total.Increment(static_cast<double>(done.size()));
    if (!done.empty()) state_->ended(std::move(done));
    response_.Clear();
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    std::vector<AttemptPtr> lost;
    for (AttemptPtr& attempt : attempts_) {
      if (attempt != nullptr) lost.push_back(std::move(attempt));
    }
    client_->caller().StreamEnded(*ExchangeRequest::descriptor(), status).IgnoreError();
    if (!lost.empty()) {
      log::Warning("a stream of exchanges broke", {{"left", static_cast<int64_t>(lost.size())},
                                                   {"code", static_cast<int>(status.error_code())},
                                                   {"error", status.error_message()}});
    }
    const std::shared_ptr<State> state = state_;
    state->End(std::move(lost), Outcome::kStreamBroken);
    {
      const std::lock_guard lock(state->mutex);
      state->calls.erase(this);
      state->streams_gauge.Set(static_cast<double>(state->calls.size()));
      state->idle.notify_all();
    }
    delete this;
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<GatewayClient> client_;
  std::vector<AttemptPtr> attempts_;
  size_t left_;
  grpc::ClientContext context_;
  ExchangeRequest request_;
  ExchangeResponse response_;
};

Line::Line(Router& router, GatewayClients& gateways, os::Clock& clock, metrics::Registry& metrics,
           const std::string& name)
    : state_(new State{
          .router = router,
          .gateways = gateways,
          .clock = clock,
          .streams_gauge = metrics.Gauge(name + "_streams", "Exchange streams in flight"),
          .exchanges_total = metrics.Counter(name + "_exchanges_total", "Results that came from gateways")}) {}

Line::~Line() { Finish(); }

void Line::Finish() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->finished = true;
  }
  CancelAll();
  std::unique_lock lock(state_->mutex);
  state_->idle.wait(lock, [&] { return state_->calls.empty(); });
}

void Line::OnEnded(AttemptsEnded ended) { state_->ended = std::move(ended); }

void Line::CancelAll() {
  const std::lock_guard lock(state_->mutex);
  for (Call* call : state_->calls) call->Cancel();
}

void Line::Send(std::vector<AttemptPtr> attempts) {
  std::map<BusName, size_t> places;
  std::vector<BusName> buses;
  for (const AttemptPtr& attempt : attempts) {
    const BusName bus = {attempt->item.registration_id, attempt->item.bus};
    if (attempt->moved_to.empty() && places.try_emplace(bus, buses.size()).second) buses.push_back(bus);
  }
  absl::StatusOr<std::vector<std::string>> addresses = std::vector<std::string>();
  if (!buses.empty()) addresses = state_->router.Route(buses);
  if (!addresses.ok()) {
    log::Warning("no route to the gateways", {{"error", addresses.status().message()}});
    // Not the meter's fault, and nothing was sent.
    state_->End(std::move(attempts), Outcome::kBusy);
    return;
  }
  std::map<std::string, std::vector<AttemptPtr>> pods;
  for (AttemptPtr& attempt : attempts) {
    std::string address;
    if (attempt->moved_to.empty()) {
      address = (*addresses)[places[{attempt->item.registration_id, attempt->item.bus}]];
    } else {
      address = state_->router.AddressOf(attempt->moved_to).value_or("");
      attempt->moved_to.clear();
    }
    pods[address].push_back(std::move(attempt));
  }
  for (auto& [address, part] : pods) {
    if (address.empty()) {
      state_->End(std::move(part), Outcome::kOffline);
    } else {
      SendTo(address, std::move(part));
    }
  }
}

void Line::SendTo(const std::string& address, std::vector<AttemptPtr> attempts) {
  std::shared_ptr<GatewayClient> client = state_->gateways.At(address);
  // The gateway counts from when it hears of an opening: what waits here for a connection would go out late.
  if (client->caller().channel()->GetState(true) != GRPC_CHANNEL_READY)
    state_->End(TakeOut(attempts, Opens), Outcome::kBusy);
  const absl::Time now = state_->clock.Now();
  state_->End(TakeOut(attempts, [&](const Attempt& attempt) { return attempt.not_after <= now; }), Outcome::kExpired);
  if (attempts.empty()) return;
  Call* call = nullptr;
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->finished && state_->calls.size() < static_cast<size_t>(kStreamsMax)) {
      call = new Call(state_, std::move(client), std::move(attempts));  // Deletes itself in OnDone.
      state_->calls.insert(call);
      state_->streams_gauge.Set(static_cast<double>(state_->calls.size()));
    }
  }
  if (call == nullptr) {
    state_->End(std::move(attempts), Outcome::kBusy);
  } else {
    call->Start(now);
  }
}

}  // namespace voltwell::scheduler
