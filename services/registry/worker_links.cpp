#include "services/registry/worker_links.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/directory/directory.h"
#include "libs/directory/route.h"
#include "libs/log/log.h"
#include "services/registry/facts.h"
#include "services/registry/store_collectors.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {
namespace {

constexpr absl::Duration kBlock = absl::Seconds(1);          // Also how long a stop may take.
constexpr absl::Duration kNotYet = absl::Milliseconds(100);  // While the database is not there.
constexpr absl::Duration kAfterFailure = absl::Milliseconds(500);
constexpr int kSweepPage = 1'000;
constexpr char kGroup[] = "registry";
// One name for all replicas: what one has read and not acknowledged, another repeats; twice does nothing.
constexpr char kConsumer[] = "registry";

std::map<std::string, std::string> Fields(const redis::Reply& reply) {
  std::map<std::string, std::string> fields;
  for (size_t i = 0; i + 1 < reply.items.size(); i += 2) fields[reply.items[i].text] = reply.items[i + 1].text;
  return fields;
}

store::LinkFact ToFact(const std::string& stream_id, std::map<std::string, std::string>& fields) {
  store::LinkFact fact;
  fact.stream_id = stream_id;
  fact.online = fields[directory::kFieldKind] == directory::kKindOnline;
  fact.registration_id = fields[directory::kFieldRegistrationId];
  fact.pod = fields[directory::kFieldPod];
  fact.peer = fields[directory::kFieldPeer];
  fact.reason = fact.online ? "" : fields[directory::kFieldReason];
  int64_t time_ms = 0;
  if (absl::SimpleAtoi(fields[directory::kFieldTimeMs], &time_ms)) fact.time = absl::FromUnixMillis(time_ms);
  const std::vector<std::string> epoch = absl::StrSplit(fields[directory::kFieldEpoch], '.');
  if (epoch.size() == 2) {
    (void)absl::SimpleAtoi(epoch[0], &fact.generation);
    (void)absl::SimpleAtoi(epoch[1], &fact.counter);
  }
  return fact;
}

}  // namespace

LinkWorker::LinkWorker(pg::Pool& pool, redis::Client& redis, const Bootstrap& bootstrap, os::Clock& clock,
                       metrics::Registry& metrics, absl::Duration sweep_every)
    : pool_(pool),
      redis_(redis),
      bootstrap_(bootstrap),
      clock_(clock),
      sweep_every_(sweep_every),
      facts_(metrics.Counter("voltwell_registry_link_facts_total", "Facts taken from the gateways' link stream")),
      lost_(metrics.Counter("voltwell_registry_sessions_lost_total",
                            "Buses found offline since their session's key was gone")),
      worker_("links", [this] { return Step(); }),
      sweeper_("sweep", [this] { return SweepStep(); }) {}

LinkWorker::~LinkWorker() {
  worker_.Stop();
  sweeper_.Stop();
}

absl::Duration LinkWorker::Step() {
  if (!bootstrap_.done()) return kNotYet;
  absl::StatusOr<Batch> batch = Read();
  absl::Status status = batch.status();
  if (status.ok() && !batch->ids.empty()) {
    status = Apply(batch->links, batch->quarantined);
    if (status.ok()) {
      redis::Command acknowledge = {"XACK", directory::kLinkStreamKey, kGroup};
      acknowledge.insert(acknowledge.end(), batch->ids.begin(), batch->ids.end());
      status = redis_.Call(acknowledge).status();
      facts_.Increment(static_cast<double>(batch->ids.size()));
    }
  }
  if (status.ok()) {
    pending_ = pending_ && !batch->ids.empty();
    failing_ = false;
    return absl::ZeroDuration();
  }
  pending_ = true;
  if (!failing_) log::Warning("the link stream cannot be read", {{"error", status.ToString()}});
  failing_ = true;
  return kAfterFailure;
}

absl::StatusOr<LinkWorker::Batch> LinkWorker::Read() {
  redis::Command command = {"XREADGROUP", "GROUP", kGroup, kConsumer, "COUNT", absl::StrCat(kFactsMax)};
  if (!pending_) {
    command.push_back("BLOCK");
    command.push_back(absl::StrCat(absl::ToInt64Milliseconds(kBlock)));
  }
  command.insert(command.end(), {"STREAMS", directory::kLinkStreamKey, pending_ ? "0" : ">"});
  absl::StatusOr<redis::Reply> reply = redis_.CallBlocking(command, pending_ ? absl::ZeroDuration() : kBlock);
  if (!reply.ok() && absl::StrContains(reply.status().ToString(), "NOGROUP")) {
    VW_RETURN_IF_ERROR(MakeGroup());  // The first start, or Redis was wiped.
    return Batch{};
  }
  VW_RETURN_IF_ERROR(reply.status());
  Batch batch;
  if (reply->items.empty() || reply->items[0].items.size() < 2) return batch;
  for (const redis::Reply& entry : reply->items[0].items[1].items) {
    if (entry.items.empty()) continue;
    const std::string& id = entry.items[0].text;
    batch.ids.push_back(id);
    if (entry.items.size() < 2 || entry.items[1].nil()) continue;  // Cut off by MAXLEN before it was acknowledged.
    std::map<std::string, std::string> fields = Fields(entry.items[1]);
    store::LinkFact fact = ToFact(id, fields);
    if (fields[directory::kFieldKind] == directory::kKindQuarantined) {
      batch.quarantined.push_back({.registration_id = fact.registration_id,
                                   .peer = fact.peer,
                                   .first_at = fact.time,
                                   .last_at = fact.time,
                                   .attempts = 1});
    } else {
      batch.links.push_back(std::move(fact));
    }
  }
  return batch;
}

absl::Status LinkWorker::MakeGroup() {
  const auto made = redis_.Call({"XGROUP", "CREATE", directory::kLinkStreamKey, kGroup, "0", "MKSTREAM"});
  // Another replica was first.
  if (!made.ok() && absl::StrContains(made.status().ToString(), "BUSYGROUP")) return absl::OkStatus();
  return made.status();
}

absl::Status LinkWorker::Apply(const std::vector<store::LinkFact>& links,
                               const std::vector<store::Quarantined>& quarantined) {
  return pool_.Transact({.name = "links.apply", .tenant = kAllTenants}, [&](pg::Tx& tx) -> absl::Status {
    VW_RETURN_IF_ERROR(store::ApplyQuarantined(tx, quarantined));
    VW_ASSIGN_OR_RETURN(const std::vector<std::string> changed, store::ApplyLinks(tx, links));
    if (changed.empty()) return absl::OkStatus();
    VW_ASSIGN_OR_RETURN(const std::vector<Collector> collectors, store::FindCollectors(tx, changed));
    return TellPresence(tx, collectors);
  });
}

absl::Duration LinkWorker::SweepStep() {
  if (!bootstrap_.done()) return kNotYet;
  const absl::Status swept = Sweep();
  if (!swept.ok()) missing_.clear();  // Count anew: what cannot be seen is not gone.
  return sweep_every_;
}

absl::Status LinkWorker::Sweep() {
  VW_ASSIGN_OR_RETURN(const redis::Reply generation, redis_.Call({"GET", directory::kGenerationKey}));
  if (generation.nil()) {  // Redis was wiped; gateways restate their sessions when the directory is back.
    missing_.clear();
    return absl::OkStatus();
  }
  std::set<std::string> missing;
  store::LinkPlace after;
  for (;;) {
    std::vector<store::KnownLink> known;
    const pg::TxOptions options{.name = "links.known", .tenant = kAllTenants, .read_only = true};
    const absl::Status read = pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(known, store::ListKnownLinks(tx, after, kSweepPage));
      return absl::OkStatus();
    });
    VW_RETURN_IF_ERROR(read);
    if (known.empty()) break;
    VW_ASSIGN_OR_RETURN(const std::vector<store::LinkFact> found, Compare(known, missing));
    VW_RETURN_IF_ERROR(Apply(found, {}));
    if (static_cast<int>(known.size()) < kSweepPage) break;
    after = {known.back().collector, known.back().bus};
  }
  missing_ = std::move(missing);
  return absl::OkStatus();
}

// Gone at two sweeps in a row is gone: between a pod's death and its collectors' return a key may be absent for a
// moment.
absl::StatusOr<std::vector<store::LinkFact>> LinkWorker::Compare(const std::vector<store::KnownLink>& known,
                                                                 std::set<std::string>& missing) {
  redis::Command command = {"MGET"};
  for (const store::KnownLink& link : known)
    command.push_back(directory::SessionKey(link.collector_registration_id, link.bus));
  VW_ASSIGN_OR_RETURN(const redis::Reply sessions, redis_.Call(command));
  std::vector<store::LinkFact> facts;
  for (size_t i = 0; i < known.size() && i < sessions.items.size(); ++i) {
    const store::KnownLink& link = known[i];
    store::LinkFact fact{.registration_id = link.registration_id,
                         .pod = link.pod,
                         .peer = link.peer,
                         .time = clock_.Now(),
                         .generation = link.generation,
                         .counter = link.counter};
    if (link.online && sessions.items[i].nil()) {
      const std::string& key = command[i + 1];
      missing.insert(key);
      if (missing_.count(key) == 0) continue;
      fact.reason = store::kSessionLost;
      lost_.Increment();
      facts.push_back(std::move(fact));
    } else if (!link.online && !sessions.items[i].nil()) {
      const auto route = directory::DecodeRoute(sessions.items[i].text);
      if (!route.has_value()) continue;
      fact.online = true;
      fact.pod = route->pod;
      fact.generation = route->generation;
      fact.counter = route->counter;
      facts.push_back(std::move(fact));
    }
  }
  return facts;
}

}  // namespace voltwell::registry
