#include "services/registry/store_meters.h"

#include "libs/base/status.h"

namespace voltwell::registry::store {
namespace {

constexpr pg::Query kInsert{
    "meter.insert",
    "INSERT INTO meter (id, tenant, display_name, kind, site, collector, bus, address, protocol, profile, "
    "ratio, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};

#define VW_METER_SELECT                                                                                    \
  "SELECT m.id, m.tenant, m.display_name, m.kind, m.site, s.path, m.collector, c.registration_id, m.bus, " \
  "coalesce(b.baud, 0), m.address, m.protocol, m.profile, m.ratio, m.revision, m.created_at "              \
  "FROM meter m JOIN site s ON s.id = m.site JOIN collector c ON c.id = m.collector "                      \
  "LEFT JOIN collector_bus b ON b.collector = m.collector AND b.number = m.bus "                           \
  "WHERE m.archived_at IS NULL AND ($1::text[] = '{}' OR EXISTS (SELECT 1 FROM unnest($1::text[]) top "    \
  "WHERE starts_with(s.path, top))) "

constexpr pg::Query kGet{"meter.get", VW_METER_SELECT "AND m.id = $2"};
constexpr pg::Query kGetUpdate{"meter.get_update", VW_METER_SELECT "AND m.id = $2 FOR UPDATE OF m"};
constexpr pg::Query kList{
    "meter.list", VW_METER_SELECT
    "AND m.id > $2 AND ($3 = '' OR m.collector = $3) AND starts_with(s.path, $4) ORDER BY m.id LIMIT $5"};
#undef VW_METER_SELECT

constexpr pg::Query kUpdate{
    "meter.update",
    "UPDATE meter SET display_name = $2, kind = $3, site = $4, collector = $5, bus = $6, address = $7, "
    "protocol = $8, profile = $9, ratio = $10, revision = revision + 1 WHERE id = $1"};
constexpr pg::Query kArchive{"meter.archive",
                             "UPDATE meter SET archived_at = now(), revision = revision + 1 WHERE id = $1"};

absl::Status Named(const absl::Status& status) {
  if (base::ReasonOf(status) != "UNIQUE_VIOLATION") return status;
  return base::AlreadyExists("METER_ADDRESS_TAKEN", "another meter of this bus has this address",
                             {{"field", "address"}});
}

Meter MeterAt(const pg::Result& rows, int row) {
  return {.id = rows.Text(row, 0),
          .tenant = rows.Text(row, 1),
          .display_name = rows.Text(row, 2),
          .kind = static_cast<int>(rows.Int(row, 3)),
          .site = rows.Text(row, 4),
          .site_path = rows.Text(row, 5),
          .collector = rows.Text(row, 6),
          .collector_registration_id = rows.Text(row, 7),
          .bus = static_cast<int>(rows.Int(row, 8)),
          .baud = static_cast<int>(rows.Int(row, 9)),
          .address = rows.Text(row, 10),
          .protocol = rows.Text(row, 11),
          .profile = rows.Text(row, 12),
          .ratio = rows.Text(row, 13),
          .revision = rows.Int(row, 14),
          .created_at = rows.Time(row, 15)};
}

}  // namespace

absl::Status InsertMeter(pg::Tx& tx, const Meter& meter) {
  return Named(tx.Execute(kInsert, meter.id, meter.tenant, meter.display_name, meter.kind, meter.site, meter.collector,
                          meter.bus, meter.address, meter.protocol, meter.profile, meter.ratio, meter.created_at)
                   .status());
}

absl::StatusOr<Meter> GetMeter(pg::Tx& tx, const std::string& id, const Scope& scope, Hold hold) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(hold == Hold::kNone ? kGet : kGetUpdate, scope, id));
  if (rows.rows() == 0) return base::NotFound("METER_NOT_FOUND", "no such meter", {{"meter", id}});
  return MeterAt(rows, 0);
}

absl::StatusOr<std::vector<Meter>> ListMeters(pg::Tx& tx, const Page& page, const MeterFilter& filter,
                                              const Scope& scope) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows,
                      tx.Execute(kList, scope, page.after, filter.collector, filter.site_path, page.limit));
  std::vector<Meter> meters;
  meters.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) meters.push_back(MeterAt(rows, row));
  return meters;
}

absl::Status UpdateMeter(pg::Tx& tx, const Meter& meter) {
  return Named(tx.Execute(kUpdate, meter.id, meter.display_name, meter.kind, meter.site, meter.collector, meter.bus,
                          meter.address, meter.protocol, meter.profile, meter.ratio)
                   .status());
}

absl::Status ArchiveMeter(pg::Tx& tx, const std::string& id) { return tx.Execute(kArchive, id).status(); }

}  // namespace voltwell::registry::store
