// What runs inside a transaction: statements in one pipeline with BEGIN, COPY, and scripts.
#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/pg/connection.h"
#include "libs/pg/errors.h"

namespace voltwell::pg {
namespace {

// Prepared as any statement: parsing BEGIN and the settings anew cost more than the insert they stand before.
constexpr Query kBegin[3][2] = {{{"pg.begin", "BEGIN"}, {"pg.begin_ro", "BEGIN READ ONLY"}},
                                {{"pg.begin_rr", "BEGIN ISOLATION LEVEL REPEATABLE READ"},
                                 {"pg.begin_rr_ro", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}},
                                {{"pg.begin_s", "BEGIN ISOLATION LEVEL SERIALIZABLE"},
                                 {"pg.begin_s_ro", "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"}}};
constexpr Query kSettings{"pg.settings",
                          "SELECT set_config('voltwell.tenant', $1, true), set_config('statement_timeout', $2, true)"};
constexpr Query kCommit{"pg.commit", "COMMIT"};
constexpr size_t kCopyChunk = 65536;  // Bytes handed to libpq between two flushes, so that it buffers no more.

// A zero byte would end a text argument early and store something else than was asked.
absl::Status CheckText(const Statement& statement) {
  for (const Argument& argument : *statement.arguments) {
    if (argument.has_value() && argument->find('\0') != std::string::npos) {
      return base::InvalidArgument("TEXT_NOT_STORABLE", "text may not contain a zero byte",
                                   {{"query", statement.query.name}});
    }
  }
  return absl::OkStatus();
}

}  // namespace

Query Connection::BeginQuery() const {
  return kBegin[static_cast<int>(options_.isolation)][options_.read_only ? 1 : 0];
}

std::string Connection::TimeoutSetting() const {
  const absl::Duration left = deadline_ - MonotonicNow();
  if (left >= config_.statement_timeout) return "";
  return absl::StrCat(std::max<int64_t>(1, absl::ToInt64Milliseconds(left)));
}

bool Connection::SendBegin(std::vector<Sent>& sent) {
  const std::vector<Argument> none;
  if (!SendStatement({BeginQuery(), &none}, Step::kControl, sent)) return false;
  const std::string timeout = TimeoutSetting();
  if (options_.tenant.empty() && timeout.empty()) return true;
  const std::string session = absl::StrCat(absl::ToInt64Milliseconds(config_.statement_timeout));
  const std::vector<Argument> values = {options_.tenant, timeout.empty() ? session : timeout};
  return SendStatement({kSettings, &values}, Step::kControl, sent);
}

bool Connection::SendStatement(const Statement& statement, Step step, std::vector<Sent>& sent) {
  const auto [known, is_new] = prepared_.try_emplace(statement.query.name, statement.query.sql);
  VW_CHECK(is_new || known->second == statement.query.sql);  // One name for two statements.
  if (is_new) {
    if (PQsendPrepare(connection_, statement.query.name, statement.query.sql, 0, nullptr) == 0) return false;
    sent.push_back({Step::kPrepare, statement.query});
  }
  std::vector<const char*> values;
  values.reserve(statement.arguments->size());
  for (const Argument& argument : *statement.arguments) {
    values.push_back(argument.has_value() ? argument->c_str() : nullptr);
  }
  const auto count = static_cast<int>(values.size());
  const bool ok =
      PQsendQueryPrepared(connection_, statement.query.name, count, values.data(), nullptr, nullptr, 0) == 1;
  sent.push_back({step, statement.query});
  return ok;
}

absl::Status Connection::Receive(const std::vector<Sent>& sent, std::vector<Result>& results) {
  absl::Status failed;
  for (const Sent& command : sent) {
    auto result = NextResult(command.query.name);
    if (result.ok() && *result == nullptr) result = Lost(command.query.name);
    if (!result.ok()) return failed.ok() ? result.status() : failed;
    const ExecStatusType status = PQresultStatus(result->get());
    const bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!done && command.step == Step::kPrepare) prepared_.erase(command.query.name);
    if (!done && failed.ok()) failed = Fail(result->get(), command.query.name);
    if (failure_ == Failure::kLost) return failed;
    if (done && command.step == Step::kCommit) committed_ = true;
    if (done && command.step == Step::kExecute) results.push_back(Result(std::shared_ptr<void>(*std::move(result))));
    VW_ASSIGN_OR_RETURN(const RawResult end, NextResult(command.query.name));
    VW_CHECK(end == nullptr);  // One result a command.
  }
  VW_ASSIGN_OR_RETURN(const RawResult sync, NextResult("sync"));
  if (sync == nullptr || PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) return Lost("sync");
  if (PQexitPipelineMode(connection_) == 0) return Lost("sync");
  return failed;
}

absl::StatusOr<std::vector<Result>> Connection::Run(const std::vector<Statement>& statements, bool commit) {
  VW_CHECK(!statements.empty());
  VW_CHECK(!committed_);  // RunAndCommit is the last that a body does.
  if (failure_ != Failure::kNone) return first_failure_;
  for (const Statement& statement : statements) VW_RETURN_IF_ERROR(CheckText(statement));
  const char* const name = statements.front().query.name;
  if (MonotonicNow() >= deadline_) {
    return base::DeadlineExceeded("DATABASE_TIMEOUT", absl::StrCat(name, ": the deadline has passed"),
                                  {{"query", name}});
  }
  if (PQenterPipelineMode(connection_) == 0) return Lost(name);
  const std::vector<Argument> none;
  std::vector<Sent> sent;
  bool ok = began_ || SendBegin(sent);
  began_ = true;
  for (size_t i = 0; ok && i < statements.size(); ++i) ok = SendStatement(statements[i], Step::kExecute, sent);
  if (ok && commit) ok = SendStatement({kCommit, &none}, Step::kCommit, sent);
  if (!ok || PQpipelineSync(connection_) == 0) {
    const absl::Status lost = Lost(name);
    return commit ? InDoubt() : lost;
  }
  std::vector<Result> results;
  results.reserve(statements.size());
  absl::Status received = Flush(name);
  if (received.ok()) received = Receive(sent, results);
  if (received.ok() || (commit && committed_)) return results;
  // A statement's own failure is certain: the server skipped COMMIT. Silence is not.
  const bool silent = failure_ == Failure::kTimeout || failure_ == Failure::kLost;
  if (commit && silent && !refused_) return InDoubt();
  return received;
}

// BEGIN and its settings as text, for what cannot go through a pipeline (COPY, scripts): still one round trip.
std::string Connection::BeginScript() const {
  if (began_) return "";
  std::string sql = absl::StrCat(BeginQuery().sql, "; ");
  const std::string timeout = TimeoutSetting();
  if (!timeout.empty()) absl::StrAppend(&sql, "SET LOCAL statement_timeout = ", timeout, "; ");
  if (!options_.tenant.empty()) {
    char* const quoted = PQescapeLiteral(connection_, options_.tenant.data(), options_.tenant.size());
    VW_CHECK(quoted != nullptr);
    absl::StrAppend(&sql, "SELECT set_config('voltwell.tenant', ", quoted, ", true); ");
    PQfreemem(quoted);
  }
  return sql;
}

absl::Status Connection::StartCopy(const Query& query, const std::string& sql) {
  if (PQsendQuery(connection_, sql.c_str()) == 0) return Lost(query.name);
  VW_RETURN_IF_ERROR(Flush(query.name));
  VW_ASSIGN_OR_RETURN(const RawResult ready, LastResult(query.name));
  VW_CHECK(ready != nullptr && PQresultStatus(ready.get()) == PGRES_COPY_IN);  // The query is no COPY FROM STDIN.
  return absl::OkStatus();
}

absl::Status Connection::SendCopyData(absl::string_view data, const char* name) {
  while (!data.empty()) {
    const absl::string_view chunk = data.substr(0, kCopyChunk);
    const int sent = PQputCopyData(connection_, chunk.data(), static_cast<int>(chunk.size()));
    if (sent < 0) return Lost(name);
    if (sent == 1) data.remove_prefix(chunk.size());
    VW_RETURN_IF_ERROR(Flush(name));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Connection::Copy(const Query& query, absl::string_view rows) {
  // Signature, flags and extension length of the binary format; a row that begins with -1 ends it.
  static const std::string kHeader = std::string("PGCOPY\n\377\r\n") + std::string(9, '\0');
  static constexpr char kTrailer[] = "\377\377";
  if (failure_ != Failure::kNone) return first_failure_;
  const std::string sql = absl::StrCat(BeginScript(), query.sql);
  began_ = true;
  VW_RETURN_IF_ERROR(StartCopy(query, sql));
  VW_RETURN_IF_ERROR(SendCopyData(kHeader, query.name));
  VW_RETURN_IF_ERROR(SendCopyData(rows, query.name));
  VW_RETURN_IF_ERROR(SendCopyData(absl::string_view(kTrailer, sizeof(kTrailer) - 1), query.name));
  if (PQputCopyEnd(connection_, nullptr) != 1) return Lost(query.name);
  VW_RETURN_IF_ERROR(Flush(query.name));
  VW_ASSIGN_OR_RETURN(const RawResult done, LastResult(query.name));
  int64_t copied = 0;
  VW_CHECK(absl::SimpleAtoi(PQcmdTuples(done.get()), &copied));
  return copied;
}

absl::Status Connection::Script(absl::string_view name, absl::string_view sql) {
  if (failure_ != Failure::kNone) return first_failure_;
  const std::string whole = absl::StrCat(BeginScript(), sql);
  const std::string label(name);
  began_ = true;
  if (PQsendQuery(connection_, whole.c_str()) == 0) return Lost(label.c_str());
  VW_RETURN_IF_ERROR(Flush(label.c_str()));
  return LastResult(label.c_str()).status();
}

}  // namespace voltwell::pg
