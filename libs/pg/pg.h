// PostgreSQL as our stores use it: named SQL, a pool whose waits have deadlines, transactions with retry, binary COPY.
//
//   constexpr pg::Query kGetMeter{"meter.get", "SELECT id, address FROM meter WHERE id = $1"};
//   absl::StatusOr<Meter> Store::Get(const std::string& id, absl::Time deadline) {
//     std::optional<Meter> found;
//     VW_RETURN_IF_ERROR(pool_.Transact({.name = "meter.get", .tenant = tenant, .deadline = deadline}, [&](pg::Tx& tx)
//     -> absl::Status {
//       VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kGetMeter, id));
//       ...
//     }));
//
// Errors (reason, code): DATABASE_DOWN Unavailable, POOL_EXHAUSTED ResourceExhausted (no connection before the
// deadline), DATABASE_TIMEOUT DeadlineExceeded, COMMIT_IN_DOUBT Unavailable (sent, answer lost: the caller must look,
// or repeat under an idempotency key), UNIQUE_VIOLATION AlreadyExists and FOREIGN_KEY_VIOLATION / CHECK_VIOLATION
// FailedPrecondition (metadata constraint), TX_CONFLICT Aborted (serialization failures and deadlocks outlasted the
// attempts), TEXT_NOT_STORABLE InvalidArgument (a zero byte or invalid UTF-8), DATABASE_FULL ResourceExhausted,
// DATABASE_ERROR Internal (metadata sqlstate, query).
//
// Round trips: BEGIN, the tenant, PREPARE and the first statement go out together, so a transaction of one statement
// costs two (the other is COMMIT); a transaction whose body runs no statement costs none. Batch sends many statements
// as one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/config/config.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"

namespace voltwell::pg {

// SQL with a name, which stands in metrics, logs and errors. Prepared once a connection, by name.
struct Query {
  const char* name;
  const char* sql;
};

struct Config {
  std::string url = "postgresql://127.0.0.1:15432/voltwell";  // libpq connection string, without password
  std::string password;                                       // secret
  std::string schema;                                         // search_path of each connection; set by the service
  int pool_size = 8;                                          // connections at most
  absl::Duration wait = absl::Seconds(2);                     // for a connection, where the call has no nearer deadline
  absl::Duration statement_timeout = absl::Seconds(10);
  std::string sql_dir;  // of the shared migrations S001__*.sql; empty: as built
  void Declare(config::Options& options);
};

// One argument as PostgreSQL's text form; nullopt is NULL.
using Argument = std::optional<std::string>;
inline Argument ToArgument(const std::string& value) { return value; }
inline Argument ToArgument(absl::string_view value) { return std::string(value); }
inline Argument ToArgument(const char* value) { return std::string(value); }
inline Argument ToArgument(bool value) { return std::string(value ? "t" : "f"); }
inline Argument ToArgument(int32_t value) { return absl::StrCat(value); }
inline Argument ToArgument(uint32_t value) { return absl::StrCat(value); }
inline Argument ToArgument(int64_t value) { return absl::StrCat(value); }
inline Argument ToArgument(uint64_t value) { return absl::StrCat(value); }
Argument ToArgument(absl::Time value);                       // timestamptz, microseconds
Argument ToArgument(const std::vector<std::string>& value);  // text[]
Argument ToArgument(const std::vector<int64_t>& value);      // bigint[]
struct Bytes {                                               // bytea
  absl::string_view data;
};
Argument ToArgument(Bytes value);
template <typename T>
Argument ToArgument(const std::optional<T>& value) {
  return value.has_value() ? ToArgument(*value) : std::nullopt;
}

// Rows of one statement. Column by index; a wrong type or NULL where a value is asked is our bug (VW_CHECK).
class Result {
 public:
  int rows() const;
  int64_t affected() const;  // Rows that an INSERT, UPDATE or DELETE touched.
  bool IsNull(int row, int column) const;
  std::string Text(int row, int column) const;
  int64_t Int(int row, int column) const;
  bool Bool(int row, int column) const;
  absl::Time Time(int row, int column) const;
  std::string BytesAt(int row, int column) const;                 // bytea
  std::vector<std::string> TextArray(int row, int column) const;  // text[]
  std::optional<std::string> TextOrNull(int row, int column) const;
  std::optional<int64_t> IntOrNull(int row, int column) const;
  std::optional<absl::Time> TimeOrNull(int row, int column) const;

 private:
  friend class Connection;
  explicit Result(std::shared_ptr<void> raw) : raw_(std::move(raw)) {}
  std::shared_ptr<void> raw_;  // PGresult
};

// Writes one COPY ... FROM STDIN (FORMAT binary) stream, row by row, in the order of the columns named in the query.
class CopyWriter {
 public:
  CopyWriter& Row(int columns);  // Begins a row.
  CopyWriter& Null();
  CopyWriter& Int2(int16_t value);
  CopyWriter& Int4(int32_t value);
  CopyWriter& Int8(int64_t value);
  CopyWriter& Bool(bool value);
  CopyWriter& Text(absl::string_view value);  // also varchar
  CopyWriter& Bytea(absl::string_view value);
  CopyWriter& Time(absl::Time value);  // timestamptz
  size_t size() const { return buffer_.size(); }

 private:
  friend class Tx;
  void Header(int32_t length);
  std::string buffer_;
};

class Connection;

constexpr size_t kBatchMax = 1000;  // Statements in one round trip; Tx::Run cuts a longer batch into several.

// Statements that are sent together: many inserts, or reads that do not depend on each other.
class Batch {
 public:
  template <typename... Arguments>
  Batch& Add(const Query& query, const Arguments&... arguments) {
    return AddArguments(query, {ToArgument(arguments)...});
  }
  Batch& AddArguments(const Query& query, std::vector<Argument> arguments) {
    items_.push_back({query, std::move(arguments)});
    return *this;
  }
  size_t size() const { return items_.size(); }

 private:
  friend class Tx;
  struct Item {
    Query query;
    std::vector<Argument> arguments;
  };
  std::vector<Item> items_;
};

class Tx {
 public:
  template <typename... Arguments>
  absl::StatusOr<Result> Execute(const Query& query, const Arguments&... arguments) {
    return ExecuteArguments(query, {ToArgument(arguments)...});
  }
  absl::StatusOr<Result> ExecuteArguments(const Query& query, const std::vector<Argument>& arguments);
  // One result a statement, in order; the first failure ends the transaction.
  absl::StatusOr<std::vector<Result>> Run(const Batch& batch);
  // The same with COMMIT behind it, in one round trip: the last thing that a body does, and what it got cannot be
  // refused any more. At most kBatchMax statements.
  absl::StatusOr<std::vector<Result>> RunAndCommit(const Batch& batch);
  // query.sql: COPY table (columns) FROM STDIN (FORMAT binary).
  absl::StatusOr<int64_t> Copy(const Query& query, const CopyWriter& rows);
  // Wakes listeners of the channel when this transaction commits.
  absl::Status Notify(absl::string_view channel, absl::string_view payload = "");
  // Several statements at once, without arguments: migrations only.
  absl::Status Script(absl::string_view name, absl::string_view sql);

 private:
  friend class Pool;
  friend class Migrator;
  explicit Tx(Connection& connection) : connection_(connection) {}
  Connection& connection_;
};

enum class Isolation { kReadCommitted, kRepeatableRead, kSerializable };

struct TxOptions {
  const char* name = "";                         // In metrics: voltwell_pg_transactions_total{name}.
  std::string tenant = {};                       // Row-level security: transaction-local voltwell.tenant. Empty: none.
  absl::Time deadline = absl::InfiniteFuture();  // By the wall clock of Clock; also sets statement_timeout.
  Isolation isolation = Isolation::kReadCommitted;
  int attempts = 3;  // Serialization failures, deadlocks and connections lost before COMMIT are repeated with back-off.
  bool read_only = false;  // The server refuses writes; a lost answer to COMMIT is then no doubt.
};

class Pool {
 public:
  // Does not wait for the database: calls answer DATABASE_DOWN until it is there.
  Pool(Config config, os::Clock& clock, metrics::Registry& metrics);
  ~Pool();

  // Runs `body` in one transaction and commits. A failed Status from body rolls back and is returned. Body may run
  // again.
  absl::Status Transact(const TxOptions& options, const std::function<absl::Status(Tx&)>& body);

  // True when a connection could be had and SELECT 1 answered within a second: for health.
  bool Healthy();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Listens on channels over one connection of its own, reconnecting by itself; after each (re)connect it wakes once.
class Listener {
 public:
  Listener(Config config, std::vector<std::string> channels, std::function<void(const std::string& channel)> wake);
  ~Listener();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Migrations: files V001__what.sql of a directory, applied in order, once, under an advisory lock, each in a
// transaction, into schema config.schema (created when absent), with their sha256 kept: a changed file that was applied
// is an error (MIGRATION_CHANGED). Waits for the database until `deadline`.
absl::Status Migrate(const Config& config, const std::string& directory, os::Clock& clock, absl::Time deadline);

}  // namespace voltwell::pg
