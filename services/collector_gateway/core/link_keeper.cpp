// Sessions in Redis; see link_keeper.h.
#include "services/collector_gateway/core/link_keeper.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/directory/directory.h"
#include "libs/directory/route.h"
#include "libs/log/log.h"
#include "services/collector_gateway/core/link_scripts.h"

namespace voltwell::gateway {
namespace {

constexpr std::array<const char*, 3> kScripts = {kClaimScript, kReleaseScript, kQuarantineScript};

std::string Text(int64_t number) { return absl::StrCat(number); }

}  // namespace

LinkKeeper::LinkKeeper(LinkKeeperConfig config, redis::Client& redis, Routes& routes, os::Clock& clock,
                       GatewayMetrics& metrics)
    : config_(std::move(config)), redis_(redis), routes_(routes), clock_(clock), metrics_(metrics) {}

LinkKeeper::~LinkKeeper() {
  if (worker_ != nullptr) worker_->Stop();
}

void LinkKeeper::Start(CloseSession close) {
  close_ = std::move(close);
  const std::lock_guard lock(mutex_);
  worker_ = std::make_unique<os::Worker>("links", [this] { return StepOrGather(); });
}

void LinkKeeper::Stop(absl::Duration limit) {
  os::Worker* worker = nullptr;
  {
    const std::lock_guard lock(mutex_);
    worker = WorkerToWake();
    stopped_ = true;
  }
  if (worker == nullptr) return;
  worker->Stop();
  const Instant end = clock_.Monotonic() + limit;
  bool left = true;
  while (left && WorkOff().ok() && clock_.Monotonic() < end) {
    const std::lock_guard lock(mutex_);
    left = !waiting_.empty();
  }
  // Who has gone is better unknown than called.
  redis_.Call({"DEL", directory::GatewayKey(config_.pod)}).IgnoreError();
  AnswerQuestions();
}

bool LinkKeeper::reached() const {
  const std::lock_guard lock(mutex_);
  return reached_;
}

void LinkKeeper::Registered(const Route& route) { Push({Kind::kClaim, route, {}, {}}); }

void LinkKeeper::Gone(const Route& route, const char* reason) {
  // Never claimed: nobody was told that it came. If its claim is under way, Apply finds it gone and releases it.
  if (route.epoch != Epoch()) Push({Kind::kRelease, route, reason, {}});
}

void LinkKeeper::Quarantined(const std::string& sent, const Peer& peer) {
  {
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.Monotonic();
    if (now >= quarantine_second_ + absl::Seconds(1)) {
      quarantine_second_ = now;
      quarantined_now_ = 0;
    }
    if (++quarantined_now_ > kQuarantinedPerSecond) return;
  }
  Push({Kind::kQuarantine, {}, directory::PrintableId(sent), peer});
}

void LinkKeeper::Push(Operation operation) {
  os::Worker* worker = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kLinkOperationsMax) {
      metrics_.link_operations_dropped.Increment();
      return;
    }
    waiting_.push_back(std::move(operation));
    if (waiting_.size() > 1) return;  // Already awake.
    waiting_since_ = clock_.Monotonic();
    worker = WorkerToWake();
  }
  if (worker != nullptr) worker->Wake();
}

void LinkKeeper::WhoHolds(std::vector<Sought> buses, Answer answer) {
  os::Worker* worker = nullptr;
  bool stopped = false;
  {
    const std::lock_guard lock(mutex_);
    stopped = stopped_;
    if (!stopped) questions_.push_back({std::move(buses), std::move(answer)});
    worker = WorkerToWake();
  }
  if (stopped) answer(std::vector<std::string>(buses.size()));
  if (worker != nullptr) worker->Wake();
}

absl::Duration LinkKeeper::StepOrGather() {
  absl::Duration rest = absl::ZeroDuration();
  {
    const std::lock_guard lock(mutex_);
    const bool few = !waiting_.empty() && waiting_.size() < kLinkBatchMax && !stopped_;
    if (few) rest = waiting_since_ + kLinkGather - clock_.Monotonic();
  }
  if (rest <= absl::ZeroDuration()) return Step();
  AnswerQuestions();  // Somebody waits for these.
  return rest;
}

absl::Duration LinkKeeper::Step() {
  AnswerQuestions();
  const Instant now = clock_.Monotonic();
  absl::Status status;
  if (now >= next_beat_) status = Beat(now);
  if (status.ok() && now >= next_restate_) RestateAll();
  if (status.ok()) status = WorkOff();
  {
    const std::lock_guard lock(mutex_);
    reached_ = status.ok();
    metrics_.link_operations_waiting.Set(static_cast<double>(waiting_.size() + restating_.size()));
    if (status.ok() && !(waiting_.empty() && restating_.empty())) return absl::ZeroDuration();
  }
  if (!status.ok()) {
    // Keys may expire while we cannot restate them, and a wiped Redis forgets scripts.
    scripts_loaded_ = false;
    next_restate_ = now;
    next_beat_ = now;
    return kBeatEvery;
  }
  return std::max(absl::ZeroDuration(), next_beat_ - clock_.Monotonic());
}

absl::Status LinkKeeper::Beat(Instant now) {
  std::vector<redis::Command> commands = {{"GET", directory::kGenerationKey}};
  const bool address_due = now >= next_address_;
  if (address_due) {
    commands.push_back(
        {"SET", directory::GatewayKey(config_.pod), config_.advertise, "EX", Text(directory::kGatewayTtlSeconds)});
  }
  VW_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies, redis_.Pipeline(commands));
  next_beat_ = now + kBeatEvery;
  int64_t generation = 0;
  if (!absl::SimpleAtoi(replies[0].text, &generation)) generation = 0;
  if (generation == 0 && generation_ != 0) log::Warning("the directory's generation is gone: Redis was wiped");
  // A new generation, or the old one back: what stood in Redis may be lost, our address too.
  if (generation != generation_) {
    generation_ = generation;
    next_address_ = now;
    if (generation != 0) next_restate_ = now;
  } else if (address_due) {
    next_address_ = now + kAddressEvery;
  }
  return absl::OkStatus();
}

void LinkKeeper::RestateAll() {
  next_restate_ = clock_.Monotonic() + kRestateEvery;
  restating_ = routes_.Entries();
}

absl::Status LinkKeeper::LoadScripts() {
  if (scripts_loaded_) return absl::OkStatus();
  std::vector<redis::Command> commands;
  for (const char* source : kScripts) commands.push_back({"SCRIPT", "LOAD", source});
  VW_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies, redis_.Pipeline(commands));
  for (size_t i = 0; i < replies.size(); ++i) {
    if (replies[i].kind == redis::Reply::Kind::kError) {
      return base::Internal("REDIS_ERROR", replies[i].text, {{"message", replies[i].text}});
    }
    shas_[i] = replies[i].text;
  }
  scripts_loaded_ = true;
  return absl::OkStatus();
}

std::vector<LinkKeeper::Operation> LinkKeeper::TakeBatch() {
  std::vector<Operation> batch;
  absl::flat_hash_set<SessionId> claiming;
  {
    const std::lock_guard lock(mutex_);
    while (batch.size() < kLinkBatchMax && !waiting_.empty()) {
      Operation operation = std::move(waiting_.front());
      waiting_.pop_front();
      if (operation.kind == Kind::kClaim && !claiming.insert(operation.route.session).second) continue;
      batch.push_back(std::move(operation));
    }
  }
  while (batch.size() < kLinkBatchMax && !restating_.empty()) {
    const BusEntryPtr entry = std::move(restating_.back());
    restating_.pop_back();
    // Its epoch may have been given, or the session replaced, since the list was made.
    const std::optional<Route> now = routes_.Find({entry->collector, entry->bus});
    if (now.has_value() && claiming.insert(now->session).second) batch.push_back({Kind::kClaim, *now, {}, {}});
  }
  return batch;
}

void LinkKeeper::PutBack(std::vector<Operation>&& operations) {
  const std::lock_guard lock(mutex_);
  for (auto at = operations.rbegin(); at != operations.rend(); ++at) waiting_.push_front(std::move(*at));
}

absl::Status LinkKeeper::WorkOff() {
  std::vector<Operation> batch = TakeBatch();
  if (batch.empty()) return absl::OkStatus();
  absl::Status loaded = LoadScripts();
  if (!loaded.ok()) {
    PutBack(std::move(batch));
    return loaded;
  }
  // Claims that stand together go together; what stands between them keeps its place.
  std::vector<redis::Command> commands;
  std::vector<size_t> ends;  // Of each command's operations.
  for (size_t i = 0; i < batch.size(); i = ends.back()) {
    size_t end = i + 1;
    if (batch[i].kind == Kind::kClaim) {
      while (end < batch.size() && end - i < kClaimsInScript && batch[end].kind == Kind::kClaim) ++end;
      commands.push_back(ClaimCommand(batch.data() + i, batch.data() + end));
    } else {
      commands.push_back(CommandFor(batch[i]));
    }
    ends.push_back(end);
  }
  const absl::StatusOr<std::vector<redis::Reply>> replies = redis_.Pipeline(commands);
  if (!replies.ok()) {
    PutBack(std::move(batch));
    return replies.status();
  }
  std::vector<Operation> again;
  for (size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++]) {
    if (!Apply(batch.data() + begin, batch.data() + ends[i], (*replies)[i])) continue;
    std::move(batch.begin() + static_cast<std::ptrdiff_t>(begin), batch.begin() + static_cast<std::ptrdiff_t>(ends[i]),
              std::back_inserter(again));
  }
  if (!again.empty()) PutBack(std::move(again));
  return absl::OkStatus();
}

redis::Command LinkKeeper::CommandFor(const Operation& operation) const {
  const std::string now_ms = Text(absl::ToUnixMillis(clock_.Now()));
  const std::string length = Text(directory::kLinksMax);
  const std::string& sha = shas_[static_cast<size_t>(operation.kind)];
  const Route& route = operation.route;
  if (operation.kind == Kind::kQuarantine) {
    return {"EVALSHA",
            sha,
            "2",
            directory::kQuarantineKey,
            directory::kLinkStreamKey,
            config_.pod,
            operation.text,
            ToText(operation.peer),
            now_ms,
            Text(directory::kQuarantineMax),
            length};
  }
  return {"EVALSHA",
          sha,
          "2",
          directory::SessionKey(route.entry->collector, route.entry->bus),
          directory::kLinkStreamKey,
          config_.pod,
          Text(route.epoch.generation),
          Text(route.epoch.counter),
          route.entry->registration_id,
          route.entry->collector,
          Text(route.entry->bus),
          ToText(route.peer),
          now_ms,
          length,
          operation.text};
}

redis::Command LinkKeeper::ClaimCommand(const Operation* first, const Operation* end) const {
  const size_t count = static_cast<size_t>(end - first);
  redis::Command command = {"EVALSHA",
                            shas_[static_cast<size_t>(Kind::kClaim)],
                            Text(static_cast<int64_t>(3 + count)),
                            directory::kGenerationKey,
                            kEpochCounterKey,
                            directory::kLinkStreamKey};
  command.reserve(command.size() + 4 + 2 * count);
  for (const Operation* each = first; each != end; ++each) {
    command.push_back(directory::SessionKey(each->route.entry->collector, each->route.entry->bus));
  }
  command.push_back(config_.pod);
  command.push_back(Text(directory::kSessionTtlSeconds));
  command.push_back(Text(absl::ToUnixMillis(clock_.Now())));
  command.push_back(Text(directory::kLinksMax));
  for (const Operation* each = first; each != end; ++each) {
    const Route& route = each->route;
    std::string text =
        absl::StrCat(route.since_ms, " ", route.epoch.generation, " ", route.epoch.counter, " ", route.entry->bus, " ");
    absl::StrAppend(&text, ToText(route.peer), " ", route.entry->collector.size(), " ", route.entry->collector,
                    route.entry->registration_id);
    command.push_back(std::move(text));
  }
  return command;
}

bool LinkKeeper::Apply(const Operation* first, const Operation* end, const redis::Reply& reply) {
  if (reply.kind == redis::Reply::Kind::kError) {
    if (absl::StartsWith(reply.text, "NOSCRIPT")) {
      scripts_loaded_ = false;
      return true;
    }
    log::Error("Redis refused a fact of a session", {{"error", reply.text}});
    return false;
  }
  if (first->kind == Kind::kQuarantine) metrics_.quarantined.Increment();
  if (first->kind != Kind::kClaim) return false;
  const std::vector<absl::string_view> answers = absl::StrSplit(reply.text, ' ');
  int64_t generation = 0;
  // "absent": the generation's return restates everything.
  if (!absl::SimpleAtoi(answers[0], &generation)) return false;
  for (size_t i = 1; i < answers.size() && first != end; ++i, ++first) Claimed(first->route, generation, answers[i]);
  return false;
}

void LinkKeeper::Claimed(const Route& route, int64_t generation, absl::string_view answer) {
  if (answer == "fenced") {
    metrics_.fenced.Increment();
    if (close_) close_(route.session, "moved to another gateway");
    return;
  }
  Epoch epoch = {generation, 0};
  if (!absl::SimpleAtoi(answer, &epoch.counter)) return;
  metrics_.claims.Increment();
  if (routes_.SetEpoch(*route.entry, route.session, epoch)) return;
  // It ended meanwhile. A newer session of the same bus claims over it; else Redis must forget it.
  if (routes_.Find({route.entry->collector, route.entry->bus}).has_value()) return;
  Route ended = route;
  ended.epoch = epoch;
  Push({Kind::kRelease, ended, "closed by peer", {}});
}

void LinkKeeper::AnswerQuestions() {
  std::vector<Question> questions;
  {
    const std::lock_guard lock(mutex_);
    questions.swap(questions_);
  }
  if (questions.empty()) return;
  redis::Command command = {"MGET"};
  for (const Question& question : questions) {
    for (const Sought& sought : question.buses) command.push_back(directory::SessionKey(sought.collector, sought.bus));
  }
  const absl::StatusOr<redis::Reply> reply = redis_.Call(command);
  size_t next = 0;
  for (Question& question : questions) {
    std::vector<std::string> pods(question.buses.size());
    for (std::string& pod : pods) {
      if (!reply.ok() || next >= reply->items.size()) break;
      const std::optional<directory::Route> route = directory::DecodeRoute(reply->items[next++].text);
      // Our own name there is a session that has just ended or not yet begun: offline, not moved.
      if (route.has_value() && route->pod != config_.pod) pod = route->pod;
    }
    question.answer(std::move(pods));
  }
}

}  // namespace voltwell::gateway
