#include "services/meter_scheduler/store_meters.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"

namespace voltwell::scheduler {
namespace {

using voltwell::registry::v1::Collector;
using voltwell::registry::v1::Meter;

constexpr pg::Query kTenants{"meter.tenants",
                             "INSERT INTO tenant (id) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING"};
constexpr pg::Query kBuses{
    "meter.buses",
    "INSERT INTO bus (collector, bus, registration_id, baud) SELECT a, b::int, c, d::int FROM "
    "unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[]) AS k (a, b, c, d) "
    "ON CONFLICT (collector, bus) DO UPDATE SET registration_id = excluded.registration_id, baud = excluded.baud "
    "WHERE (bus.registration_id, bus.baud) <> (excluded.registration_id, excluded.baud)"};
constexpr pg::Query kMeters{
    "meter.upsert",
    "INSERT INTO meter (id, tenant_no, site_path, bus_no, address, protocol, profile, revision, archived) "
    "SELECT k.id, n.number, k.site_path, b.number, k.address, k.protocol, k.profile, k.revision, k.archived = 1 FROM "
    "unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], "
    "$9::bigint[], "
    "$10::bigint[]) AS k (id, tenant, site_path, collector, bus, address, protocol, profile, revision, archived) "
    "JOIN tenant n ON n.id = k.tenant JOIN bus b ON b.collector = k.collector AND b.bus = k.bus::int "
    "ORDER BY k.id "
    "ON CONFLICT (id) DO UPDATE SET site_path = excluded.site_path, bus_no = excluded.bus_no, address = "
    "excluded.address, "
    "protocol = excluded.protocol, profile = excluded.profile, revision = excluded.revision, archived = "
    "excluded.archived "
    "WHERE meter.revision <= excluded.revision"};
constexpr pg::Query kCollector{
    "meter.collector", "UPDATE bus SET registration_id = $3, baud = $4::int WHERE collector = $1 AND bus = $2::int"};
constexpr pg::Query kCeiling{"meter.ceiling", "SELECT coalesce(max(number), 0) FROM meter"};
constexpr pg::Query kUnlisted{"meter.archive_unlisted",
                              "UPDATE meter m SET archived = true WHERE m.number <= $1::int AND NOT m.archived "
                              "AND NOT EXISTS (SELECT FROM unnest($2::text[]) k (id) WHERE k.id = m.id)"};
constexpr pg::Query kFind{"meter.find",
                          "SELECT m.number, m.tenant_no, m.bus_no, m.site_path, m.protocol, m.archived FROM meter m "
                          "JOIN tenant n ON n.number = m.tenant_no "
                          "WHERE m.id = $1 AND n.id = $2"};

std::string Strip(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  return std::string(name);
}

constexpr int kBaudDefault = 2400;  // bit/s, as the registry's.

}  // namespace

absl::Status MeterStore::Upsert(pg::Tx& tx, const std::vector<Meter>& meters) {
  // The last word on a meter counts: one statement cannot touch a row twice.
  std::map<std::string, const Meter*> latest;
  for (const Meter& meter : meters) {
    const Meter*& slot = latest[meter.name()];
    if (slot == nullptr || slot->revision() <= meter.revision()) slot = &meter;
  }
  if (latest.empty()) return absl::OkStatus();
  std::set<std::string> tenants;
  std::map<std::pair<std::string, int64_t>, const Meter*> buses;
  std::vector<std::string> ids, owners, paths, collectors, addresses, protocols, profiles;
  std::vector<int64_t> numbers, revisions, archived;
  for (const auto& [name, meter] : latest) {
    const std::string collector = Strip(meter->collector(), "collectors/");
    const int64_t bus = std::max(1, meter->bus());
    tenants.insert(meter->tenant());
    buses[{collector, bus}] = meter;
    ids.push_back(Strip(name, "meters/"));
    owners.push_back(meter->tenant());
    paths.push_back(meter->site_path());
    collectors.push_back(collector);
    numbers.push_back(bus);
    addresses.push_back(meter->address());
    protocols.push_back(meter->protocol());
    profiles.push_back(meter->profile());
    revisions.push_back(meter->revision());
    archived.push_back(meter->archived() ? 1 : 0);
  }
  std::vector<std::string> bus_collectors, registrations;
  std::vector<int64_t> bus_numbers, bauds;
  for (const auto& [key, meter] : buses) {
    bus_collectors.push_back(key.first);
    bus_numbers.push_back(key.second);
    registrations.push_back(meter->collector_registration_id());
    bauds.push_back(meter->baud() > 0 ? meter->baud() : kBaudDefault);
  }
  pg::Batch batch;
  batch.Add(kTenants, std::vector<std::string>(tenants.begin(), tenants.end()));
  batch.Add(kBuses, bus_collectors, bus_numbers, registrations, bauds);
  batch.Add(kMeters, ids, owners, paths, collectors, numbers, addresses, protocols, profiles, revisions, archived);
  return tx.Run(batch).status();
}

absl::Status MeterStore::UpsertCollector(pg::Tx& tx, const Collector& collector) {
  pg::Batch batch;
  for (const auto& bus : collector.buses()) {
    batch.Add(kCollector, Strip(collector.name(), "collectors/"), bus.number(), collector.registration_id(),
              bus.baud() > 0 ? bus.baud() : kBaudDefault);
  }
  return batch.size() == 0 ? absl::OkStatus() : tx.Run(batch).status();
}

absl::StatusOr<int64_t> MeterStore::Ceiling() {
  int64_t ceiling = 0;
  const absl::Status done =
      pool_.Transact({.name = "projection.ceiling", .read_only = true}, [&](pg::Tx& tx) -> absl::Status {
        VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kCeiling));
        ceiling = rows.Int(0, 0);
        return absl::OkStatus();
      });
  if (!done.ok()) return done;
  return ceiling;
}

absl::Status MeterStore::ArchiveUnlisted(int64_t ceiling, const std::vector<std::string>& listed) {
  return pool_.Transact({.name = "projection.archive"},
                        [&](pg::Tx& tx) { return tx.Execute(kUnlisted, ceiling, listed).status(); });
}

absl::Status MeterStore::UpsertMany(const std::vector<Meter>& meters) {
  return pool_.Transact({.name = "projection.upsert"}, [&](pg::Tx& tx) { return Upsert(tx, meters); });
}

absl::StatusOr<std::optional<MeterRow>> MeterStore::Find(pg::Tx& tx, const std::string& tenant, const std::string& id) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kFind, id, tenant));
  if (rows.rows() == 0) return std::nullopt;
  return MeterRow{.number = static_cast<int32_t>(rows.Int(0, 0)),
                  .id = id,
                  .tenant_no = static_cast<int32_t>(rows.Int(0, 1)),
                  .bus_no = static_cast<int32_t>(rows.Int(0, 2)),
                  .site_path = rows.Text(0, 3),
                  .protocol = rows.Text(0, 4),
                  .archived = rows.Bool(0, 5)};
}

absl::StatusOr<std::optional<MeterRow>> MeterStore::Find(const std::string& tenant, const std::string& id) {
  std::optional<MeterRow> found;
  const absl::Status done = pool_.Transact({.name = "meter.find", .read_only = true}, [&](pg::Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(found, Find(tx, tenant, id));
    return absl::OkStatus();
  });
  if (!done.ok()) return done;
  return found;
}

}  // namespace voltwell::scheduler
