#include "services/meter_scheduler/store_scans.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/events/events.h"
#include "libs/pg/lease.h"
#include "services/meter_scheduler/names.h"

namespace voltwell::scheduler {
namespace {

using voltwell::codec::v1::PlanScanResponse;
using voltwell::codec::v1::ScanFinding;
using voltwell::scheduler::v1::Scan;
using voltwell::scheduler::v1::ScannedMeter;

constexpr pg::Query kLockTenant{"scan.lock_tenant", "SELECT pg_advisory_xact_lock(hashtext('scan ' || $1::text))"};
constexpr pg::Query kUnderWay{"scan.under_way", "SELECT count(*) FROM scan_work WHERE tenant = $1"};
constexpr pg::Query kForgetOld{
    "scan.forget_old",
    "DELETE FROM scan WHERE tenant = $1 AND state <> 1 AND number <= (SELECT number FROM scan WHERE tenant = $1 "
    "ORDER BY number DESC OFFSET $2 LIMIT 1)"};
constexpr pg::Query kInsert{
    "scan.insert",
    "INSERT INTO scan (number, tenant, collector, bus, registration_id, site_path, baud, protocols, patience_ms, "
    "thorough, without_primary, state, position, protocol, pattern, author, create_time, give_up_time) VALUES "
    "(nextval('origin_number'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $13, $14, $15, $16) "
    "RETURNING number"};
constexpr pg::Query kQueue{"scan.queue",
                           "INSERT INTO scan_work (scan, tenant, collector, bus, due_time) VALUES ($1, $2, $3, $4, $5) "
                           "ON CONFLICT (collector, bus) DO NOTHING"};
#define VW_SCAN_COLUMNS                                                                                               \
  "s.number, s.tenant, s.collector, s.bus, s.protocols, s.patience_ms, s.thorough, s.without_primary, s.state, "      \
  "s.reason, s.done_per_mille, s.protocol, s.pattern, s.questions, s.failures, s.author, s.create_time, s.end_time, " \
  "s.give_up_time, (SELECT count(*) FROM scan_meter m WHERE m.scan = s.number AND NOT m.unresolved), s.site_path"
constexpr pg::Query kGet{"scan.get", "SELECT " VW_SCAN_COLUMNS " FROM scan s WHERE s.tenant = $1 AND s.number = $2"};
constexpr pg::Query kList{
    "scan.list",
    "SELECT " VW_SCAN_COLUMNS
    " FROM scan s WHERE s.tenant = $1 AND s.number < $2 AND ($3::text = '' OR s.collector = $3::text) "
    "AND (cardinality($4::text[]) = 0 OR EXISTS (SELECT FROM unnest($4::text[]) p WHERE starts_with(s.site_path, p))) "
    "ORDER BY s.number DESC LIMIT $5"};
// A register may hold any form of the address.
constexpr pg::Query kMeters{
    "scan.meters",
    "SELECT f.protocol, f.address, f.aliases, f.unresolved, f.medium, f.manufacturer, f.version, f.find_time, "
    "(SELECT m.id FROM meter m JOIN bus b ON b.number = m.bus_no JOIN tenant n ON n.number = m.tenant_no "
    " WHERE b.collector = s.collector AND b.bus = s.bus AND n.id = s.tenant AND NOT m.archived AND NOT f.unresolved "
    " AND upper(m.address) = ANY (SELECT upper(a) FROM unnest(f.aliases || f.address) a) ORDER BY m.number LIMIT 1) "
    "FROM scan s JOIN scan_meter f ON f.scan = s.number WHERE s.number = $1 ORDER BY f.protocol, f.address"};
constexpr pg::Query kEnd{
    "scan.end",
    "UPDATE scan SET state = $3::smallint, reason = $4, end_time = $5, done_per_mille = CASE WHEN $3::smallint = 2 "
    "THEN 1000 ELSE done_per_mille END WHERE tenant = $1 AND number = $2 AND state = 1"};
constexpr pg::Query kUnqueue{"scan.unqueue", "DELETE FROM scan_work WHERE scan = $1"};
constexpr pg::Query kClaim{"scan.claim",
                           "UPDATE scan_work w SET lease = $1 FROM (SELECT scan FROM scan_work WHERE (lease = 0 OR "
                           "(lease = $1 AND scan <> ALL ($4::bigint[]))) AND due_time <= $2 ORDER BY due_time LIMIT $3 "
                           "FOR UPDATE SKIP LOCKED) p WHERE w.scan = p.scan RETURNING w.scan, w.tenant"};
constexpr pg::Query kSetTenant{"scan.set_tenant", "SELECT set_config('voltwell.tenant', $1, true)"};
constexpr pg::Query kJob{"scan.job",
                         "SELECT registration_id, bus, position, questions, give_up_time, reason, site_path FROM scan "
                         "WHERE tenant = $1 AND number = $2 AND state = 1"};
constexpr pg::Query kHold{"scan.hold", "SELECT scan FROM scan_work WHERE scan = $1 AND lease = $2 FOR UPDATE"};
constexpr pg::Query kAdvance{
    "scan.advance",
    "UPDATE scan SET position = $3, done_per_mille = $4, protocol = $5, pattern = $6, questions = $7, reason = '', "
    "failures = CASE WHEN $8::text = '' THEN failures ELSE array_append(failures, $8::text) END "
    "WHERE tenant = $1 AND number = $2 AND state = 1"};
// A meter that is met again, by its primary address too, gets one name more.
constexpr pg::Query kFound{
    "scan.found",
    "INSERT INTO scan_meter (scan, tenant, protocol, address, unresolved, aliases, medium, manufacturer, version, "
    "find_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "ON CONFLICT (scan, protocol, address, unresolved) DO UPDATE SET aliases = "
    "ARRAY (SELECT DISTINCT a FROM unnest(scan_meter.aliases || excluded.aliases) a ORDER BY a)"};
constexpr pg::Query kCount{"scan.count", "SELECT count(*) FROM scan_meter WHERE scan = $1"};
constexpr pg::Query kRelease{"scan.release", "UPDATE scan_work SET lease = 0, due_time = $2 WHERE scan = $1"};
constexpr pg::Query kWaits{"scan.waits", "UPDATE scan SET reason = $3 WHERE tenant = $1 AND number = $2 AND state = 1"};

Scan ScanAt(const pg::Result& rows, int row) {
  Scan scan;
  scan.set_name(NameOf("scans", rows.Int(row, 0)));
  scan.set_tenant(rows.Text(row, 1));
  scan.set_collector(NameOf("collectors", rows.Text(row, 2)));
  scan.set_bus(static_cast<int32_t>(rows.Int(row, 3)));
  for (const std::string& protocol : rows.TextArray(row, 4)) {
    int number = 0;
    if (absl::SimpleAtoi(protocol, &number)) scan.add_protocols(static_cast<voltwell::codec::v1::Protocol>(number));
  }
  if (rows.Int(row, 5) > 0) *scan.mutable_patience() = ToProto(absl::Milliseconds(rows.Int(row, 5)));
  scan.set_thorough(rows.Bool(row, 6));
  scan.set_without_primary(rows.Bool(row, 7));
  scan.set_state(static_cast<Scan::State>(rows.Int(row, 8)));
  scan.set_reason(rows.Text(row, 9));
  scan.set_done_per_mille(static_cast<int32_t>(rows.Int(row, 10)));
  if (scan.state() == Scan::STATE_RUNNING) {
    scan.set_protocol(static_cast<voltwell::codec::v1::Protocol>(rows.Int(row, 11)));
    scan.set_pattern(rows.Text(row, 12));
  }
  scan.set_questions(rows.Int(row, 13));
  for (const std::string& failure : rows.TextArray(row, 14)) {
    const std::vector<std::string> parts = absl::StrSplit(failure, absl::MaxSplits(' ', 1));
    int number = 0;
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &number)) continue;
    scan.add_failures()->set_protocol(static_cast<voltwell::codec::v1::Protocol>(number));
    scan.mutable_failures(scan.failures_size() - 1)->set_reason(parts[1]);
  }
  scan.set_author(rows.Text(row, 15));
  *scan.mutable_create_time() = ToProto(rows.Time(row, 16));
  if (const auto end = rows.TimeOrNull(row, 17)) *scan.mutable_end_time() = ToProto(*end);
  *scan.mutable_give_up_time() = ToProto(rows.Time(row, 18));
  scan.set_meters_found(static_cast<int32_t>(rows.Int(row, 19)));
  return scan;
}

absl::Status Tell(pg::Tx& tx, const std::string& type, const std::string& tenant, int64_t number) {
  std::string site_path;
  VW_ASSIGN_OR_RETURN(const Scan scan, ScanStore::Get(tx, tenant, number, &site_path));
  return events::Append(tx, {.type = type,
                             .key = scan.name(),
                             .tenant = tenant,
                             .site_path = site_path,
                             .permission = "operation.read",
                             .payload = &scan});
}

}  // namespace

absl::StatusOr<int64_t> ScanStore::Insert(pg::Tx& tx, const std::string& tenant, const NewScan& scan) {
  const Scan& asked = scan.asked;
  VW_RETURN_IF_ERROR(tx.Execute(kLockTenant, tenant).status());
  VW_ASSIGN_OR_RETURN(const pg::Result under_way, tx.Execute(kUnderWay, tenant));
  if (under_way.Int(0, 0) >= kScansOfTenantMax) {
    return base::ResourceExhausted("TOO_MANY_SCANS", "wait for a search to end, or cancel one",
                                   {{"limit", absl::StrCat(kScansOfTenantMax)}});
  }
  VW_RETURN_IF_ERROR(tx.Execute(kForgetOld, tenant, kScansKeptMax - 1).status());
  VW_ASSIGN_OR_RETURN(const std::string collector, IdOf("collectors", asked.collector(), "scan.collector"));
  const std::vector<int64_t> protocols(asked.protocols().begin(), asked.protocols().end());
  VW_ASSIGN_OR_RETURN(
      const pg::Result rows,
      tx.Execute(kInsert, tenant, collector, asked.bus(), scan.registration_id, scan.site_path, scan.baud, protocols,
                 absl::ToInt64Milliseconds(FromProto(asked.patience())), asked.thorough(), asked.without_primary(),
                 scan.first.state(), static_cast<int>(scan.first.protocol()), scan.first.pattern(), scan.author,
                 scan.now, scan.give_up_time));
  const int64_t number = rows.Int(0, 0);
  VW_ASSIGN_OR_RETURN(const pg::Result queued, tx.Execute(kQueue, number, tenant, collector, asked.bus(), scan.now));
  if (queued.affected() == 0) {
    return base::FailedPrecondition("SCAN_UNDER_WAY", "this bus is being searched already",
                                    {{"collector", asked.collector()}, {"bus", absl::StrCat(asked.bus())}});
  }
  VW_RETURN_IF_ERROR(Tell(tx, "scan.created", tenant, number));
  VW_RETURN_IF_ERROR(tx.Notify(kScanChannel));
  return number;
}

absl::StatusOr<Scan> ScanStore::Get(pg::Tx& tx, const std::string& tenant, int64_t number, std::string* site_path) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kGet, tenant, number));
  if (rows.rows() == 0) {
    return base::NotFound("SCAN_NOT_FOUND", "no such search", {{"scan", absl::StrCat(number)}});
  }
  *site_path = rows.Text(0, 20);
  return ScanAt(rows, 0);
}

absl::Status ScanStore::AddMeters(pg::Tx& tx, Scan& scan) {
  VW_ASSIGN_OR_RETURN(const int64_t number, NumberOf("scans", scan.name(), "name"));
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kMeters, number));
  for (int row = 0; row < rows.rows(); ++row) {
    ScannedMeter& meter = *scan.add_meters();
    const std::string protocol =
        voltwell::codec::v1::Protocol_Name(static_cast<voltwell::codec::v1::Protocol>(rows.Int(row, 0)));
    meter.set_protocol(protocol.substr(protocol.find('_') + 1));
    meter.set_address(rows.Text(row, 1));
    for (const std::string& alias : rows.TextArray(row, 2)) meter.add_aliases(alias);
    meter.set_unresolved(rows.Bool(row, 3));
    meter.set_medium(rows.Text(row, 4));
    meter.set_manufacturer(rows.Text(row, 5));
    if (const auto version = rows.IntOrNull(row, 6)) meter.set_version(static_cast<int32_t>(*version));
    *meter.mutable_find_time() = ToProto(rows.Time(row, 7));
    if (const auto id = rows.TextOrNull(row, 8)) meter.set_meter(NameOf("meters", *id));
  }
  return absl::OkStatus();
}

absl::StatusOr<ScanStore::Page> ScanStore::List(pg::Tx& tx, const std::string& tenant, const std::string& collector,
                                                const std::vector<std::string>& sites, int64_t before, int limit) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kList, tenant, before, collector, sites, limit + 1));
  Page page;
  for (int row = 0; row < rows.rows() && row < limit; ++row) page.scans.push_back(ScanAt(rows, row));
  if (rows.rows() > limit) page.next = rows.Int(limit - 1, 0);
  return page;
}

absl::StatusOr<bool> ScanStore::End(pg::Tx& tx, const std::string& tenant, int64_t number, const ScanEnd& end,
                                    absl::Time now) {
  VW_RETURN_IF_ERROR(tx.Execute(kUnqueue, number).status());
  VW_ASSIGN_OR_RETURN(const pg::Result rows,
                      tx.Execute(kEnd, tenant, number, static_cast<int>(end.state), end.reason, now));
  if (rows.affected() == 0) return false;
  VW_RETURN_IF_ERROR(Tell(tx, "scan.ended", tenant, number));
  return true;
}

absl::StatusOr<std::vector<ScanJob>> ScanStore::Claim(int64_t epoch, absl::Time now, int limit,
                                                      const std::vector<int64_t>& running) {
  std::vector<ScanJob> jobs;
  const absl::Status done = pool_.Transact({.name = "scan.claim"}, [&](pg::Tx& tx) -> absl::Status {
    jobs.clear();
    VW_RETURN_IF_ERROR(pg::AssertLease(tx, epoch));
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kClaim, epoch, now, limit, running));
    for (int row = 0; row < rows.rows(); ++row) {
      ScanJob job = {.number = rows.Int(row, 0), .tenant = rows.Text(row, 1)};
      VW_RETURN_IF_ERROR(tx.Execute(kSetTenant, job.tenant).status());
      VW_ASSIGN_OR_RETURN(const pg::Result found, tx.Execute(kJob, job.tenant, job.number));
      if (found.rows() == 0) {
        VW_RETURN_IF_ERROR(tx.Execute(kUnqueue, job.number).status());
        continue;
      }
      job.registration_id = found.Text(0, 0);
      job.bus = static_cast<int>(found.Int(0, 1));
      job.position = found.Text(0, 2);
      job.questions = found.Int(0, 3);
      job.give_up_time = found.Time(0, 4);
      job.reason = found.Text(0, 5);
      job.site_path = found.Text(0, 6);
      jobs.push_back(std::move(job));
    }
    return absl::OkStatus();
  });
  if (!done.ok()) return done;
  return jobs;
}

absl::StatusOr<ScanStore::Advanced> ScanStore::Advance(int64_t epoch, const ScanJob& job, const PlanScanResponse& step,
                                                       absl::Time now) {
  Advanced advanced = Advanced::kNotOurs;
  const pg::TxOptions options = {.name = "scan.advance", .tenant = job.tenant};
  const absl::Status done = pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const pg::Result held, tx.Execute(kHold, job.number, epoch));
    advanced = held.rows() == 1 ? Advanced::kOn : Advanced::kNotOurs;
    if (advanced == Advanced::kNotOurs) return absl::OkStatus();
    std::string failure;
    if (step.has_trouble()) {
      failure = absl::StrCat(static_cast<int>(step.trouble().protocol()), " ", step.trouble().reason());
    }
    pg::Batch batch;
    batch.Add(kAdvance, job.tenant, job.number, step.state(), step.done_per_mille(), static_cast<int>(step.protocol()),
              step.pattern(), job.questions, failure);
    for (const ScanFinding& finding : step.findings()) {
      const std::optional<int64_t> version =
          finding.has_version() ? std::optional<int64_t>(finding.version()) : std::nullopt;
      batch.Add(kFound, job.number, job.tenant, static_cast<int>(finding.protocol()), finding.address(),
                finding.unresolved(), std::vector<std::string>(finding.aliases().begin(), finding.aliases().end()),
                finding.medium(), finding.manufacturer(), version, now);
    }
    batch.Add(kCount, job.number);
    VW_ASSIGN_OR_RETURN(const std::vector<pg::Result> results, tx.Run(batch));
    if (results.back().Int(0, 0) >= kScanMetersMax) advanced = Advanced::kFull;
    return absl::OkStatus();
  });
  if (!done.ok()) return done;
  return advanced;
}

absl::Status ScanStore::Release(int64_t epoch, const ScanJob& job, absl::Time due, const std::string& reason) {
  const pg::TxOptions options = {.name = "scan.release", .tenant = job.tenant};
  return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const pg::Result held, tx.Execute(kHold, job.number, epoch));
    if (held.rows() == 0) return absl::OkStatus();
    pg::Batch batch;
    batch.Add(kRelease, job.number, due);
    batch.Add(kWaits, job.tenant, job.number, reason);
    return tx.Run(batch).status();
  });
}

absl::Status ScanStore::Finish(int64_t epoch, const ScanJob& job, const ScanEnd& end, absl::Time now) {
  const pg::TxOptions options = {.name = "scan.finish", .tenant = job.tenant};
  return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(const pg::Result held, tx.Execute(kHold, job.number, epoch));
    if (held.rows() == 0) return absl::OkStatus();
    return End(tx, job.tenant, job.number, end, now).status();
  });
}

}  // namespace voltwell::scheduler
