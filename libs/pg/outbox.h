// The outbox: events are rows, written in the transaction of the fact and read by whoever keeps a cursor.
//
// Order and cursor are (generation, xid, sequence). A transaction that began earlier may commit later, so its events
// would slip in behind a cursor that had passed them; hence only events of transactions below pg_snapshot_xmin are
// read, and no writing transaction may be longer than a second. A restore raises the generation (RaiseGeneration).
//
// The effect of an event is exactly once: its transaction locks the cursor row, drops what is at or below it, and moves
// it. The tables come with Migrate (sql/S001__outbox.sql); they stand outside row-level security.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/pg.h"

namespace voltwell::pg {

constexpr int kEventBatchMax = 1000;   // Rows of one ReadEvents.
constexpr int kEventPurgeMax = 10000;  // Rows of one PurgeEvents: its transaction must be short.

// Zero is before all events.
struct Cursor {
  int64_t generation = 0;
  uint64_t xid = 0;
  int64_t sequence = 0;
  auto operator<=>(const Cursor&) const = default;  // NOLINT(modernize-use-nullptr): its 0 is no pointer.
};

struct Event {
  Cursor at = {};    // Set by the database.
  std::string type;  // meter.created
  std::string key;   // meters/{id}: events of one key are applied in order.
  std::string tenant;
  std::string site_path;
  std::string customer;                 // Empty: none.
  std::string permission;               // That one needs to see it.
  std::string payload;                  // Bytes; never a code or a secret.
  absl::Time time = absl::UnixEpoch();  // Set by the database: begin of the transaction.
};

// NOTIFY channel of a schema's events, for Listener.
std::string EventChannel(absl::string_view schema);

// Writes the events and wakes subscribers when the transaction commits. One round trip for all of them.
absl::Status AppendEvents(Tx& tx, const std::vector<Event>& events);

// At most `limit` (<= kEventBatchMax) events after the cursor, in order. FailedPrecondition CURSOR_TOO_OLD when events
// after the cursor were purged: resync from the owner's List.
absl::StatusOr<std::vector<Event>> ReadEvents(Tx& tx, const Cursor& after, int limit);

// Where this transaction's snapshot ends: a List that serves resync runs in the same REPEATABLE READ transaction and
// returns it. Subscribing from it misses nothing; what was in the List may come again.
absl::StatusOr<Cursor> SnapshotCursor(Tx& tx);

// Without a lock; nullopt when the consumer has none yet.
absl::StatusOr<std::optional<Cursor>> FindCursor(Tx& tx, const std::string& source, const std::string& consumer);
// Reads and locks the consumer's cursor for this transaction; a new consumer starts at zero.
absl::StatusOr<Cursor> LockCursor(Tx& tx, const std::string& source, const std::string& consumer);
// Moves it, also back (a resync).
absl::Status AdvanceCursor(Tx& tx, const std::string& source, const std::string& consumer, const Cursor& to);

// Deletes at most kEventPurgeMax of the events older than `before`; returns how many (repeat while it is the maximum).
absl::StatusOr<int64_t> PurgeEvents(Tx& tx, absl::Time before);

// After a restore, before the service starts: events written from now on sort behind all that was ever written.
absl::StatusOr<int64_t> RaiseGeneration(Tx& tx);

}  // namespace voltwell::pg
