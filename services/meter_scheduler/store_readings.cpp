#include "services/meter_scheduler/store_readings.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/decimal/decimal.h"
#include "services/meter_scheduler/names.h"

namespace voltwell::scheduler {
namespace {

using voltwell::scheduler::v1::Reading;

#define VW_READING_COLUMNS "r.register_no, r.time, r.origin, r.units, r.scale, r.source, r.store_time, r.text"

// One index range for each register, merged by time: a page never reads more than its rows from each. Rows of one
// instant are told apart by register and origin.
constexpr pg::Query kHistory{
    "reading.history",
    "SELECT " VW_READING_COLUMNS
    " FROM meter_register s CROSS JOIN LATERAL ("
    "  SELECT * FROM reading r WHERE r.meter_no = s.meter_no AND r.register_no = s.register_no AND r.time >= $3 AND "
    "r.time < $4 "
    "  AND (r.time, r.register_no, r.origin) < ('epoch'::timestamptz + $5::bigint * interval '1 microsecond', $6::int, "
    "$7::bigint) "
    "  AND r.time <= 'epoch'::timestamptz + $5::bigint * interval '1 microsecond' "
    "  ORDER BY r.time DESC, r.origin DESC LIMIT $8) r "
    "WHERE s.meter_no = $1 AND (cardinality($2::bigint[]) = 0 OR s.register_no = ANY ($2::bigint[])) "
    "ORDER BY r.time DESC, r.register_no DESC, r.origin DESC LIMIT $8"};
constexpr pg::Query kLatest{
    "reading.latest",
    "SELECT " VW_READING_COLUMNS
    ", s.meter_no FROM meter_register s CROSS JOIN LATERAL ("
    "  SELECT * FROM reading r WHERE r.meter_no = s.meter_no AND r.register_no = s.register_no ORDER BY r.time DESC "
    "LIMIT 1) r "
    "WHERE s.meter_no = ANY ($1::int[]) AND (cardinality($2::bigint[]) = 0 OR s.register_no = ANY ($2::bigint[])) "
    "ORDER BY s.meter_no, s.register_no"};
constexpr pg::Query kOfOperation{
    "reading.of_operation",
    "SELECT " VW_READING_COLUMNS
    " FROM operation o JOIN meter_register s ON s.meter_no = o.meter_no JOIN register g ON g.number = s.register_no "
    // Parts of a record are named behind a slash.
    "AND (g.register = ANY (o.registers) OR split_part(g.register, '/', 1) = ANY (o.registers)) JOIN reading r ON "
    "r.meter_no = s.meter_no AND r.register_no = s.register_no "
    "AND r.time BETWEEN $2 AND $3 AND r.origin = o.number WHERE o.number = $1 ORDER BY r.register_no"};
// `paths`: the caller's scope.
constexpr pg::Query kMeters{
    "reading.meters",
    "SELECT m.number, m.id FROM meter m JOIN tenant n ON n.number = m.tenant_no WHERE n.id = $1 AND m.number > $3 AND "
    "NOT m.archived "
    "AND (cardinality($2::text[]) = 0 OR EXISTS (SELECT FROM unnest($2::text[]) p WHERE starts_with(m.site_path, p))) "
    "ORDER BY m.number LIMIT $4"};
constexpr pg::Query kMetersNamed{
    "reading.meters_named",
    "SELECT m.number, m.id FROM meter m JOIN tenant n ON n.number = m.tenant_no WHERE n.id = $1 AND m.id = ANY "
    "($3::text[]) "
    "AND (cardinality($2::text[]) = 0 OR EXISTS (SELECT FROM unnest($2::text[]) p WHERE starts_with(m.site_path, p))) "
    "ORDER BY m.number"};

std::vector<LatestMeter> MetersOf(const pg::Result& rows) {
  std::vector<LatestMeter> meters;
  for (int row = 0; row < rows.rows(); ++row)
    meters.push_back({static_cast<int32_t>(rows.Int(row, 0)), rows.Text(row, 1)});
  return meters;
}

}  // namespace

absl::StatusOr<Reading> ReadingStore::At(const pg::Result& rows, int row, const std::string& meter) {
  Reading reading;
  VW_ASSIGN_OR_RETURN(const RegisterStore::Register entry, registers_.Of(static_cast<int32_t>(rows.Int(row, 0))));
  reading.set_meter(NameOf("meters", meter));
  reading.set_register_(entry.first);
  reading.set_unit(entry.second);
  *reading.mutable_time() = ToProto(rows.Time(row, 1));
  reading.set_source(static_cast<Reading::Source>(rows.Int(row, 5)));
  if (const int64_t origin = rows.Int(row, 2); origin != 0) {
    reading.set_origin(NameOf(reading.source() == Reading::SOURCE_INTERACTIVE ? "operations" : "runs", origin));
  }
  if (!rows.IsNull(row, 3)) {
    const decimal::Decimal number(rows.Int(row, 3), static_cast<int>(rows.Int(row, 4)));
    reading.mutable_value()->set_value(number.ToString());
  }
  *reading.mutable_store_time() = ToProto(rows.Time(row, 6));
  reading.set_text(rows.TextOrNull(row, 7).value_or(""));
  return reading;
}

absl::StatusOr<ReadingPage> ReadingStore::History(pg::Tx& tx, const HistoryQuery& query) {
  // Without a place the page begins beyond the last row that can be.
  const ReadingPlace after =
      query.after.value_or(ReadingPlace{.time_us = absl::ToUnixMicros(query.before), .register_no = 0, .origin = 0});
  VW_ASSIGN_OR_RETURN(const pg::Result rows,
                      tx.Execute(kHistory, query.meter_no, query.registers, query.from, query.before, after.time_us,
                                 after.register_no, after.origin, query.limit + 1));
  ReadingPage page;
  for (int row = 0; row < rows.rows() && row < query.limit; ++row) {
    VW_ASSIGN_OR_RETURN(Reading reading, At(rows, row, query.meter));
    page.readings.push_back(std::move(reading));
  }
  if (rows.rows() > query.limit) {
    const int last = query.limit - 1;
    page.next = {absl::ToUnixMicros(rows.Time(last, 1)), rows.Int(last, 0), rows.Int(last, 2)};
  }
  return page;
}

absl::StatusOr<std::vector<Reading>> ReadingStore::Latest(pg::Tx& tx, const std::vector<LatestMeter>& meters,
                                                          const std::vector<int64_t>& registers) {
  std::vector<int64_t> numbers;
  absl::flat_hash_map<int64_t, std::string> ids;
  for (const LatestMeter& meter : meters) {
    numbers.push_back(meter.number);
    ids[meter.number] = meter.id;
  }
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kLatest, numbers, registers));
  std::vector<Reading> readings;
  for (int row = 0; row < rows.rows(); ++row) {
    VW_ASSIGN_OR_RETURN(Reading reading, At(rows, row, ids[rows.Int(row, 8)]));
    readings.push_back(std::move(reading));
  }
  return readings;
}

absl::StatusOr<std::vector<Reading>> ReadingStore::OfOperation(pg::Tx& tx, const std::string& meter, int64_t operation,
                                                               absl::Time from, absl::Time to) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kOfOperation, operation, from, to));
  std::vector<Reading> readings;
  for (int row = 0; row < rows.rows(); ++row) {
    VW_ASSIGN_OR_RETURN(Reading reading, At(rows, row, meter));
    readings.push_back(std::move(reading));
  }
  return readings;
}

absl::StatusOr<std::vector<LatestMeter>> ReadingStore::Meters(pg::Tx& tx, const std::string& tenant,
                                                              const std::vector<std::string>& paths, int64_t after,
                                                              int limit) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kMeters, tenant, paths, after, limit));
  return MetersOf(rows);
}

absl::StatusOr<std::vector<LatestMeter>> ReadingStore::MetersNamed(pg::Tx& tx, const std::string& tenant,
                                                                   const std::vector<std::string>& paths,
                                                                   const std::vector<std::string>& ids) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kMetersNamed, tenant, paths, ids));
  return MetersOf(rows);
}

}  // namespace voltwell::scheduler
