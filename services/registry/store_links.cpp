#include "services/registry/store_links.h"

#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::registry::store {
namespace {

constexpr pg::Query kFindBuses{"link.find_buses",
                               "SELECT registration_id, collector, tenant, number FROM collector_bus "
                               "WHERE registration_id = ANY ($1)"};
constexpr pg::Query kHistory{
    "link.history",
    "INSERT INTO collector_link (stream_id, collector, tenant, bus, kind, pod, peer, reason, time) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"};
// A session goes online once and offline once. What we took for offline ourselves may turn out to be online.
constexpr pg::Query kPresence{
    "link.presence",
    "INSERT INTO collector_presence AS p (collector, bus, tenant, online, since, pod, peer, reason, generation, "
    "counter) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (collector, bus) DO UPDATE SET online = "
    "excluded.online, "
    "since = excluded.since, pod = excluded.pod, peer = excluded.peer, reason = excluded.reason, "
    "generation = excluded.generation, counter = excluded.counter "
    "WHERE (p.generation, p.counter) < (excluded.generation, excluded.counter) "
    "OR ((p.generation, p.counter) = (excluded.generation, excluded.counter) "
    "AND (p.online AND NOT excluded.online OR excluded.online AND p.reason = 'session lost')) RETURNING collector"};

constexpr pg::Query kTry{
    "quarantine.try",
    "INSERT INTO quarantine AS q (registration_id, peer, first_at, last_at, attempts) "
    "SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM collector_bus WHERE registration_id = $1) "
    "ON CONFLICT (registration_id) DO UPDATE SET peer = excluded.peer, "
    "last_at = greatest(q.last_at, excluded.last_at), attempts = q.attempts + excluded.attempts"};
constexpr pg::Query kTrim{"quarantine.trim",
                          "DELETE FROM quarantine WHERE registration_id IN (SELECT registration_id FROM quarantine "
                          "ORDER BY last_at DESC, registration_id OFFSET $1)"};
constexpr pg::Query kListQuarantined{
    "quarantine.list",
    "SELECT registration_id, peer, first_at, last_at, attempts FROM quarantine "
    "WHERE $1 = '' OR (last_at, registration_id) < ("
    "timestamptz 'epoch' + nullif(split_part($1, ' ', 1), '')::bigint * interval '1 microsecond', "
    "split_part($1, ' ', 2)) ORDER BY last_at DESC, registration_id DESC LIMIT $2"};
constexpr pg::Query kKnown{"link.known",
                           "SELECT p.collector, p.bus, c.registration_id, b.registration_id, p.online, p.pod, p.peer, "
                           "p.generation, p.counter FROM collector_presence p JOIN collector c ON c.id = p.collector "
                           "JOIN collector_bus b ON b.collector = p.collector AND b.number = p.bus "
                           "WHERE (p.online OR p.reason = 'session lost') AND (p.collector, p.bus) > ($1, $2) "
                           "ORDER BY p.collector, p.bus LIMIT $3"};
constexpr pg::Query kForget{"link.forget",
                            "DELETE FROM collector_link WHERE stream_id IN (SELECT stream_id FROM collector_link "
                            "WHERE time < $1 LIMIT $2)"};

struct Owned {
  std::string collector;
  std::string tenant;
  int64_t number = 0;
};

absl::StatusOr<std::map<std::string, Owned>> FindBuses(pg::Tx& tx, const std::vector<LinkFact>& facts) {
  std::set<std::string> ids;
  for (const LinkFact& fact : facts) ids.insert(fact.registration_id);
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kFindBuses, std::vector<std::string>(ids.begin(), ids.end())));
  std::map<std::string, Owned> buses;
  for (int row = 0; row < rows.rows(); ++row) {
    buses[rows.Text(row, 0)] = {
        .collector = rows.Text(row, 1), .tenant = rows.Text(row, 2), .number = rows.Int(row, 3)};
  }
  return buses;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ApplyLinks(pg::Tx& tx, const std::vector<LinkFact>& facts) {
  std::vector<std::string> changed;
  if (facts.empty()) return changed;
  VW_ASSIGN_OR_RETURN(const auto buses, FindBuses(tx, facts));
  pg::Batch presences;
  std::vector<std::pair<const LinkFact*, const Owned*>> told;
  for (const LinkFact& fact : facts) {
    const auto found = buses.find(fact.registration_id);
    if (found == buses.end()) continue;  // Archived since.
    const Owned& bus = found->second;
    presences.Add(kPresence, bus.collector, bus.number, bus.tenant, fact.online, fact.time, fact.pod, fact.peer,
                  fact.reason, fact.generation, fact.counter);
    told.emplace_back(&fact, &bus);
  }
  if (told.empty()) return changed;
  VW_ASSIGN_OR_RETURN(const std::vector<pg::Result> results, tx.Run(presences));
  // Late news of an older session would be a gap that was none: what did not count stands in no history.
  pg::Batch history;
  std::set<std::string> unique;
  for (size_t i = 0; i < told.size(); ++i) {
    if (results[i].rows() == 0) continue;
    const auto& [fact, bus] = told[i];
    if (unique.insert(bus->collector).second) changed.push_back(bus->collector);
    // What the registry found itself has no id of the stream.
    const std::string id = fact->stream_id.empty() ? absl::StrCat("found-", bus->collector, "-", bus->number, "-",
                                                                  absl::ToUnixMicros(fact->time))
                                                   : fact->stream_id;
    history.Add(kHistory, id, bus->collector, bus->tenant, bus->number, fact->online ? "online" : "offline", fact->pod,
                fact->peer, fact->reason, fact->time);
  }
  if (history.size() > 0) VW_RETURN_IF_ERROR(tx.Run(history).status());
  return changed;
}

absl::Status ApplyQuarantined(pg::Tx& tx, const std::vector<Quarantined>& tries) {
  if (tries.empty()) return absl::OkStatus();
  pg::Batch batch;
  for (const Quarantined& one : tries) {
    batch.Add(kTry, one.registration_id, one.peer, one.first_at, one.last_at, one.attempts);
  }
  batch.Add(kTrim, kQuarantineMax);
  return tx.Run(batch).status();
}

absl::StatusOr<std::vector<Quarantined>> ListQuarantined(pg::Tx& tx, const std::string& after, int limit) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kListQuarantined, after, limit));
  std::vector<Quarantined> all;
  for (int row = 0; row < rows.rows(); ++row) {
    all.push_back({.registration_id = rows.Text(row, 0),
                   .peer = rows.Text(row, 1),
                   .first_at = rows.Time(row, 2),
                   .last_at = rows.Time(row, 3),
                   .attempts = rows.Int(row, 4)});
  }
  return all;
}

std::string PlaceOf(const Quarantined& row) {
  return absl::StrCat(absl::ToUnixMicros(row.last_at), " ", row.registration_id);
}

absl::StatusOr<std::vector<KnownLink>> ListKnownLinks(pg::Tx& tx, const LinkPlace& after, int limit) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kKnown, after.collector, after.bus, limit));
  std::vector<KnownLink> links;
  for (int row = 0; row < rows.rows(); ++row) {
    links.push_back({.collector = rows.Text(row, 0),
                     .bus = static_cast<int>(rows.Int(row, 1)),
                     .collector_registration_id = rows.Text(row, 2),
                     .registration_id = rows.Text(row, 3),
                     .online = rows.Bool(row, 4),
                     .pod = rows.Text(row, 5),
                     .peer = rows.Text(row, 6),
                     .generation = rows.Int(row, 7),
                     .counter = rows.Int(row, 8)});
  }
  return links;
}

absl::StatusOr<int64_t> ForgetLinks(pg::Tx& tx, absl::Time before, int limit) {
  VW_ASSIGN_OR_RETURN(const pg::Result gone, tx.Execute(kForget, before, limit));
  return gone.affected();
}

}  // namespace voltwell::registry::store
