// One connection to PostgreSQL and the transaction on it. libpq in non-blocking mode: every wait is a poll with a
// deadline, and a connection whose answer did not come in time is closed, never reused. Private to libs/pg.
//
// Points in time here are durations of the real monotonic clock, also where a test's Clock is a fake: a socket waits in
// real time.
#pragma once

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/pg.h"

namespace voltwell::pg {

absl::Duration MonotonicNow();

struct Statement {
  Query query;
  const std::vector<Argument>* arguments;
};

class Connection {
 public:
  // DATABASE_DOWN, also when the server refuses us.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Config& config, absl::Duration deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Declares a transaction; BEGIN goes out with its first statement.
  void Begin(const TxOptions& options, absl::Duration deadline);
  absl::StatusOr<std::vector<Result>> Run(const std::vector<Statement>& statements, bool commit = false);
  absl::StatusOr<int64_t> Copy(const Query& query, absl::string_view rows);
  absl::Status Script(absl::string_view name, absl::string_view sql);
  absl::Status Commit();
  void Rollback();

  // What ended the transaction, beyond the Status that its body saw.
  enum class Failure { kNone, kStatement, kConflict, kLost, kTimeout };
  Failure failure() const { return failure_; }
  bool began() const { return began_; }
  // Idle, outside a transaction, and the server has not closed it (as far as its socket tells without a round trip).
  bool Reusable();

  // For the Listener: a statement outside a transaction, and what NOTIFY brought since.
  absl::Status Simple(const std::string& sql, absl::Duration deadline);
  absl::StatusOr<std::vector<std::string>> Notifications();
  int socket() const { return PQsocket(connection_); }

 private:
  enum class Step { kControl, kPrepare, kExecute, kCommit };
  struct Sent {
    Step step;
    Query query;
  };
  struct ClearResult {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using RawResult = std::unique_ptr<PGresult, ClearResult>;

  explicit Connection(PGconn* connection, const Config& config) : connection_(connection), config_(config) {}

  Query BeginQuery() const;
  absl::Status InDoubt() const;
  std::string TimeoutSetting() const;  // statement_timeout for this transaction; empty when the session's will do.
  bool SendBegin(std::vector<Sent>& sent);
  bool SendStatement(const Statement& statement, Step step, std::vector<Sent>& sent);
  absl::Status Receive(const std::vector<Sent>& sent, std::vector<Result>& results);
  std::string BeginScript() const;
  absl::Status StartCopy(const Query& query, const std::string& sql);
  absl::Status SendCopyData(absl::string_view data, const char* name);
  // Reads results until the last; the first failure is returned.
  absl::StatusOr<RawResult> LastResult(const char* name);

  absl::Status Wait(short events, const char* name);
  absl::Status Flush(const char* name);
  absl::StatusOr<RawResult> NextResult(const char* name);
  absl::Status Fail(const PGresult* result, const char* name);
  absl::Status Lost(const char* name);

  PGconn* connection_;
  const Config& config_;
  std::map<std::string, std::string> prepared_;  // Name to SQL: one name must not mean two statements.

  TxOptions options_;
  absl::Duration deadline_ = absl::InfiniteDuration();
  bool began_ = false;
  bool committed_ = false;
  bool refused_ = false;  // The server answered a statement with an error and so will not commit what follows.
  bool stale_ = false;    // A migration changed a table under our prepared statements: a new connection prepares anew.
  Failure failure_ = Failure::kNone;
  absl::Status first_failure_;
};

}  // namespace voltwell::pg
