#include "libs/pg/outbox.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/status.h"

namespace voltwell::pg {
namespace {

constexpr Query kAppend{"outbox.append",
                        "INSERT INTO event (generation, type, key, tenant, site_path, customer, permission, payload) "
                        "SELECT generation, $1, $2, $3, $4, $5, $6, $7 FROM event_generation"};
// So many events or more go by COPY: one costs 3 us of the server then, and 20 us as a statement of its own.
constexpr size_t kCopyFrom = 16;
constexpr Query kGeneration{"outbox.generation", "SELECT generation FROM event_generation"};
constexpr Query kCopy{"outbox.copy",
                      "COPY event (generation, type, key, tenant, site_path, customer, permission, payload) "
                      "FROM STDIN (FORMAT binary)"};
constexpr Query kWake{"outbox.wake", "SELECT pg_notify('voltwell_events_' || current_schema(), '')"};

// xids are compared with the snapshot's only within the present generation: after a restore they may have begun anew,
// and all that was written before is long committed.
constexpr Query kRead{
    "outbox.read",
    "SELECT generation, xid::text, sequence, type, key, tenant, site_path, customer, permission, payload, time "
    "FROM event WHERE (generation, xid, sequence) > ($1, $2::text::xid8, $3) "
    "AND (generation < (SELECT generation FROM event_generation) OR xid < pg_snapshot_xmin(pg_current_snapshot())) "
    "ORDER BY event.generation, event.xid, event.sequence LIMIT $4"};
constexpr Query kPurged{"outbox.purged",
                        "SELECT purged_generation, purged_xid::text, purged_sequence FROM event_generation"};
constexpr Query kSnapshot{"outbox.snapshot",
                          "SELECT generation, pg_snapshot_xmin(pg_current_snapshot())::text, 0 FROM event_generation"};

constexpr Query kFindCursor{
    "outbox.find_cursor",
    "SELECT generation, xid::text, sequence FROM event_cursor WHERE source = $1 AND consumer = $2"};
// The update changes nothing; it locks the row and reads it in one statement, whether it was there or not.
constexpr Query kLockCursor{"outbox.lock_cursor",
                            "INSERT INTO event_cursor (source, consumer) VALUES ($1, $2) "
                            "ON CONFLICT (source, consumer) DO UPDATE SET source = excluded.source "
                            "RETURNING generation, xid::text, sequence"};
constexpr Query kAdvanceCursor{
    "outbox.advance_cursor",
    "INSERT INTO event_cursor (source, consumer, generation, xid, sequence) VALUES ($1, $2, $3, $4::text::xid8, $5) "
    "ON CONFLICT (source, consumer) DO UPDATE "
    "SET generation = excluded.generation, xid = excluded.xid, sequence = excluded.sequence"};

// Oldest first in cursor order, never beyond what is visible to readers, and the mark moves with it.
constexpr Query kPurge{
    "outbox.purge",
    "WITH old AS (SELECT generation, xid, sequence FROM event WHERE time < $1 "
    "AND (generation < (SELECT generation FROM event_generation) OR xid < pg_snapshot_xmin(pg_current_snapshot())) "
    "ORDER BY generation, xid, sequence LIMIT $2), "
    "gone AS (DELETE FROM event USING old WHERE (event.generation, event.xid, event.sequence) = "
    "(old.generation, old.xid, old.sequence) RETURNING event.generation, event.xid, event.sequence), "
    "last AS (SELECT * FROM gone ORDER BY generation DESC, xid DESC, sequence DESC LIMIT 1), "
    "mark AS (UPDATE event_generation SET purged_generation = last.generation, purged_xid = last.xid, "
    "purged_sequence = last.sequence FROM last WHERE (purged_generation, purged_xid, purged_sequence) < "
    "(last.generation, last.xid, last.sequence)) "
    "SELECT count(*) FROM gone"};
constexpr Query kRaise{"outbox.raise", "UPDATE event_generation SET generation = generation + 1 RETURNING generation"};

Cursor CursorAt(const Result& rows, int row) {
  Cursor cursor = {.generation = rows.Int(row, 0), .xid = 0, .sequence = rows.Int(row, 2)};
  VW_CHECK(absl::SimpleAtoi(rows.Text(row, 1), &cursor.xid));
  return cursor;
}

Event EventAt(const Result& rows, int row) {
  return {.at = CursorAt(rows, row),
          .type = rows.Text(row, 3),
          .key = rows.Text(row, 4),
          .tenant = rows.Text(row, 5),
          .site_path = rows.Text(row, 6),
          .customer = rows.Text(row, 7),
          .permission = rows.Text(row, 8),
          .payload = rows.BytesAt(row, 9),
          .time = rows.Time(row, 10)};
}

}  // namespace

std::string EventChannel(absl::string_view schema) { return absl::StrCat("voltwell_events_", schema); }

absl::Status AppendEvents(Tx& tx, const std::vector<Event>& events) {
  if (events.empty()) return absl::OkStatus();
  Batch batch;
  if (events.size() >= kCopyFrom) {
    batch.Add(kGeneration).Add(kWake);
    VW_ASSIGN_OR_RETURN(const std::vector<Result> results, tx.Run(batch));
    CopyWriter rows;
    for (const Event& event : events) {
      rows.Row(8).Int8(results[0].Int(0, 0)).Text(event.type).Text(event.key).Text(event.tenant).Text(event.site_path);
      rows.Text(event.customer).Text(event.permission).Bytea(event.payload);
    }
    return tx.Copy(kCopy, std::move(rows)).status();
  }
  for (const Event& event : events) {
    batch.Add(kAppend, event.type, event.key, event.tenant, event.site_path, event.customer, event.permission,
              Bytes{event.payload});
  }
  batch.Add(kWake);
  return tx.Run(batch).status();
}

absl::StatusOr<std::vector<Event>> ReadEvents(Tx& tx, const Cursor& after, int limit) {
  VW_CHECK(limit > 0 && limit <= kEventBatchMax);
  Batch batch;
  batch.Add(kRead, after.generation, after.xid, after.sequence, limit);
  // Read after the events: a purge between the two is seen, and refuses, rather than leaves a silent gap.
  batch.Add(kPurged);
  VW_ASSIGN_OR_RETURN(const std::vector<Result> results, tx.Run(batch));
  VW_CHECK(results[1].rows() == 1);
  if (after < CursorAt(results[1], 0)) {
    return base::FailedPrecondition("CURSOR_TOO_OLD", "events after this cursor were deleted by age: list anew");
  }
  std::vector<Event> events;
  events.reserve(static_cast<size_t>(results[0].rows()));
  for (int row = 0; row < results[0].rows(); ++row) events.push_back(EventAt(results[0], row));
  return events;
}

absl::StatusOr<Cursor> SnapshotCursor(Tx& tx) {
  VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kSnapshot));
  VW_CHECK(rows.rows() == 1);
  return CursorAt(rows, 0);
}

absl::StatusOr<std::optional<Cursor>> FindCursor(Tx& tx, const std::string& source, const std::string& consumer) {
  VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kFindCursor, source, consumer));
  if (rows.rows() == 0) return std::nullopt;
  return CursorAt(rows, 0);
}

absl::StatusOr<Cursor> LockCursor(Tx& tx, const std::string& source, const std::string& consumer) {
  VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kLockCursor, source, consumer));
  return CursorAt(rows, 0);
}

absl::Status AdvanceCursor(Tx& tx, const std::string& source, const std::string& consumer, const Cursor& to) {
  return tx.Execute(kAdvanceCursor, source, consumer, to.generation, to.xid, to.sequence).status();
}

absl::StatusOr<int64_t> PurgeEvents(Tx& tx, absl::Time before) {
  VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kPurge, before, kEventPurgeMax));
  return rows.Int(0, 0);
}

absl::StatusOr<int64_t> RaiseGeneration(Tx& tx) {
  VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kRaise));
  return rows.Int(0, 0);
}

}  // namespace voltwell::pg
