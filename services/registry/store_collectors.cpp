#include "services/registry/store_collectors.h"

#include <algorithm>
#include <map>

#include "libs/base/status.h"

namespace voltwell::registry::store {
namespace {

constexpr pg::Query kInsert{
    "collector.insert",
    "INSERT INTO collector (id, tenant, registration_id, display_name, site, dialect, heartbeat_hex, "
    "source_network, created_at, dial_target, assurance, sealed_key, key_set_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};
constexpr pg::Query kInsertBus{
    "collector.insert_bus",
    "INSERT INTO collector_bus (collector, tenant, number, registration_id, baud, link_time_ms, port) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr pg::Query kDeleteBuses{"collector.delete_buses", "DELETE FROM collector_bus WHERE collector = $1"};
constexpr pg::Query kMarkDirty{"directory.mark_dirty",
                               "INSERT INTO directory_dirty (registration_id) SELECT unnest($1::text[])"};

#define VW_COLLECTOR_SELECT                                                                             \
  "SELECT c.id, c.tenant, c.registration_id, c.display_name, c.site, c.dialect, c.heartbeat_hex, "      \
  "c.source_network, c.created_at, c.dial_target, c.assurance, c.sealed_key, c.key_set_at, s.path "     \
  "FROM collector c JOIN site s ON s.id = c.site "                                                      \
  "WHERE c.archived_at IS NULL AND ($1::text[] = '{}' OR EXISTS (SELECT 1 FROM unnest($1::text[]) top " \
  "WHERE starts_with(s.path, top))) "

constexpr pg::Query kGet{"collector.get", VW_COLLECTOR_SELECT "AND c.id = $2"};
constexpr pg::Query kGetShare{"collector.get_share", VW_COLLECTOR_SELECT "AND c.id = $2 FOR SHARE OF c"};
constexpr pg::Query kGetUpdate{"collector.get_update", VW_COLLECTOR_SELECT "AND c.id = $2 FOR UPDATE OF c"};
constexpr pg::Query kList{"collector.list", VW_COLLECTOR_SELECT "AND c.id > $2 ORDER BY c.id LIMIT $3"};
constexpr pg::Query kFind{"collector.find", VW_COLLECTOR_SELECT "AND c.id = ANY ($2) ORDER BY c.id"};
#undef VW_COLLECTOR_SELECT

constexpr pg::Query kBuses{"collector.buses",
                           "SELECT collector, number, registration_id, baud, link_time_ms, port FROM collector_bus "
                           "WHERE collector = ANY ($1) ORDER BY collector, number"};
constexpr pg::Query kPresences{"collector.presences",
                               "SELECT p.collector, p.online, p.since, p.pod, p.reason FROM collector_presence p "
                               "JOIN collector_bus b ON b.collector = p.collector AND b.number = p.bus "
                               "WHERE p.collector = ANY ($1)"};
constexpr pg::Query kUpdate{
    "collector.update",
    "UPDATE collector SET display_name = $2, site = $3, dialect = $4, heartbeat_hex = $5, "
    "source_network = $6, dial_target = $7, assurance = $8, sealed_key = $9, key_set_at = $10 WHERE id = $1"};
constexpr pg::Query kBusesWithMeters{"collector.buses_with_meters",
                                     "SELECT DISTINCT bus FROM meter WHERE collector = $1 AND archived_at IS NULL"};
constexpr pg::Query kArchive{"collector.archive", "UPDATE collector SET archived_at = now() WHERE id = $1"};
constexpr pg::Query kInQuarantine{"collector.in_quarantine",
                                  "SELECT EXISTS (SELECT 1 FROM quarantine WHERE registration_id = ANY ($1))"};
constexpr pg::Query kRelease{"collector.release", "DELETE FROM quarantine WHERE registration_id = ANY ($1)"};

absl::Status Named(const absl::Status& status) {
  if (base::ReasonOf(status) != "UNIQUE_VIOLATION") return status;
  return base::AlreadyExists("REGISTRATION_ID_TAKEN",
                             "another collector or bus of this installation registers with this id",
                             {{"field", "registration_id"}});
}

std::vector<std::string> BusIds(const Collector& collector) {
  std::vector<std::string> ids;
  for (const Bus& bus : collector.buses) ids.push_back(bus.registration_id);
  return ids;
}

absl::Status InsertBuses(pg::Tx& tx, const Collector& collector) {
  pg::Batch batch;
  for (const Bus& bus : collector.buses) {
    batch.Add(kInsertBus, collector.id, collector.tenant, bus.number, bus.registration_id, bus.baud, bus.link_time_ms,
              bus.port);
  }
  return Named(tx.Run(batch).status());
}

absl::Status MarkDirty(pg::Tx& tx, std::vector<std::string> registration_ids) {
  std::sort(registration_ids.begin(), registration_ids.end());
  registration_ids.erase(std::unique(registration_ids.begin(), registration_ids.end()), registration_ids.end());
  VW_RETURN_IF_ERROR(tx.Execute(kMarkDirty, registration_ids).status());
  return tx.Notify(kDirectoryChannel);
}

Collector CollectorAt(const pg::Result& rows, int row) {
  Collector collector;
  collector.id = rows.Text(row, 0);
  collector.tenant = rows.Text(row, 1);
  collector.registration_id = rows.Text(row, 2);
  collector.display_name = rows.Text(row, 3);
  collector.site = rows.Text(row, 4);
  collector.dialect = rows.Text(row, 5);
  collector.heartbeat_hex = rows.Text(row, 6);
  collector.source_network = rows.Text(row, 7);
  collector.created_at = rows.Time(row, 8);
  collector.dial_target = rows.Text(row, 9);
  collector.assurance = static_cast<Assurance>(rows.Int(row, 10));
  collector.sealed_key = rows.Text(row, 11);
  collector.key_set_at = rows.TimeOrNull(row, 12);
  collector.site_path = rows.Text(row, 13);
  return collector;
}

// Adds buses and presence to the rows of one of the SELECTs above.
absl::StatusOr<std::vector<Collector>> Complete(pg::Tx& tx, const pg::Result& rows) {
  std::vector<Collector> collectors;
  std::vector<std::string> ids;
  std::map<std::string, size_t> places;
  for (int row = 0; row < rows.rows(); ++row) {
    collectors.push_back(CollectorAt(rows, row));
    ids.push_back(collectors.back().id);
    places[ids.back()] = collectors.size() - 1;
  }
  if (ids.empty()) return collectors;
  pg::Batch batch;
  batch.Add(kBuses, ids).Add(kPresences, ids);
  VW_ASSIGN_OR_RETURN(const std::vector<pg::Result> details, tx.Run(batch));
  const pg::Result& buses = details[0];
  for (int row = 0; row < buses.rows(); ++row) {
    collectors[places[buses.Text(row, 0)]].buses.push_back({.number = static_cast<int>(buses.Int(row, 1)),
                                                            .registration_id = buses.Text(row, 2),
                                                            .baud = static_cast<int>(buses.Int(row, 3)),
                                                            .link_time_ms = static_cast<int>(buses.Int(row, 4)),
                                                            .port = static_cast<int>(buses.Int(row, 5))});
  }
  std::map<std::string, std::vector<Presence>> presences;
  for (int row = 0; row < details[1].rows(); ++row) {
    presences[details[1].Text(row, 0)].push_back({.online = details[1].Bool(row, 1),
                                                  .since = details[1].Time(row, 2),
                                                  .pod = details[1].Text(row, 3),
                                                  .reason = details[1].Text(row, 4)});
  }
  for (const auto& [id, of_buses] : presences) collectors[places[id]].presence = Fold(of_buses);
  return collectors;
}

}  // namespace

absl::Status InsertCollector(pg::Tx& tx, const Collector& collector) {
  VW_RETURN_IF_ERROR(
      Named(tx.Execute(kInsert, collector.id, collector.tenant, collector.registration_id, collector.display_name,
                       collector.site, collector.dialect, collector.heartbeat_hex, collector.source_network,
                       collector.created_at, collector.dial_target, static_cast<int>(collector.assurance),
                       collector.sealed_key, collector.key_set_at)
                .status()));
  VW_RETURN_IF_ERROR(InsertBuses(tx, collector));
  return MarkDirty(tx, BusIds(collector));
}

absl::StatusOr<Collector> GetCollector(pg::Tx& tx, const std::string& id, const Scope& scope, Hold hold) {
  const pg::Query& query = hold == Hold::kNone ? kGet : hold == Hold::kShare ? kGetShare : kGetUpdate;
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(query, scope, id));
  if (rows.rows() == 0) return base::NotFound("COLLECTOR_NOT_FOUND", "no such collector", {{"collector", id}});
  VW_ASSIGN_OR_RETURN(std::vector<Collector> found, Complete(tx, rows));
  return found.front();
}

absl::StatusOr<std::vector<Collector>> ListCollectors(pg::Tx& tx, const Page& page, const Scope& scope) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kList, scope, page.after, page.limit));
  return Complete(tx, rows);
}

absl::StatusOr<std::vector<Collector>> FindCollectors(pg::Tx& tx, const std::vector<std::string>& ids) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kFind, Scope{}, ids));
  return Complete(tx, rows);
}

absl::Status UpdateCollector(pg::Tx& tx, const Collector& before, const Collector& after) {
  VW_RETURN_IF_ERROR(tx.Execute(kUpdate, after.id, after.display_name, after.site, after.dialect, after.heartbeat_hex,
                                after.source_network, after.dial_target, static_cast<int>(after.assurance),
                                after.sealed_key, after.key_set_at)
                         .status());
  if (before.buses != after.buses) {
    VW_ASSIGN_OR_RETURN(const pg::Result used, tx.Execute(kBusesWithMeters, after.id));
    for (int row = 0; row < used.rows(); ++row) {
      const int64_t number = used.Int(row, 0);
      const bool kept =
          std::any_of(after.buses.begin(), after.buses.end(), [&](const Bus& bus) { return bus.number == number; });
      if (!kept) {
        return base::FailedPrecondition("BUS_IN_USE", "meters still hang on a bus that would go",
                                        {{"field", "buses"}, {"bus", absl::StrCat(number)}});
      }
    }
    VW_RETURN_IF_ERROR(tx.Execute(kDeleteBuses, after.id).status());
    VW_RETURN_IF_ERROR(InsertBuses(tx, after));
  }
  std::vector<std::string> dirty = BusIds(before);
  for (const std::string& id : BusIds(after)) dirty.push_back(id);
  return MarkDirty(tx, std::move(dirty));
}

absl::Status ArchiveCollector(pg::Tx& tx, const Collector& collector) {
  VW_ASSIGN_OR_RETURN(const pg::Result used, tx.Execute(kBusesWithMeters, collector.id));
  if (used.rows() > 0) {
    return base::FailedPrecondition("COLLECTOR_IN_USE", "meters still hang on it: move or delete them first",
                                    {{"collector", collector.id}});
  }
  VW_RETURN_IF_ERROR(tx.Execute(kArchive, collector.id).status());
  VW_RETURN_IF_ERROR(tx.Execute(kDeleteBuses, collector.id).status());
  return MarkDirty(tx, BusIds(collector));
}

absl::StatusOr<bool> InQuarantine(pg::Tx& tx, const Collector& collector) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kInQuarantine, BusIds(collector)));
  return rows.Bool(0, 0);
}

absl::Status ReleaseFromQuarantine(pg::Tx& tx, const Collector& collector) {
  return tx.Execute(kRelease, BusIds(collector)).status();
}

}  // namespace voltwell::registry::store
