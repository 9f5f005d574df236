// What a transaction's body may do, and the options of the connection.
#include <algorithm>
#include <iterator>

#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/pg/connection.h"
#include "libs/pg/pg.h"

namespace voltwell::pg {

void Config::Declare(config::Options& options) {
  options.Text("pg-url", &url, "libpq connection string of PostgreSQL, without password");
  options.Text("pg-password", &password, "password of the database role", {.secret = true});
  options.Int("pg-pool-size", &pool_size, "connections to the database at most", {.min = 1, .max = 1000});
  options.Duration("pg-wait", &wait, "wait for a free connection at most", absl::Milliseconds(1), absl::Minutes(1));
  options.Duration("pg-statement-timeout", &statement_timeout, "a statement may run this long", absl::Milliseconds(10),
                   absl::Minutes(10));
  options.Text("pg-sql-dir", &sql_dir, "directory of the shared migrations S001__*.sql; empty: where they were built");
}

absl::StatusOr<Result> Tx::ExecuteArguments(const Query& query, const std::vector<Argument>& arguments) {
  VW_ASSIGN_OR_RETURN(std::vector<Result> results, connection_.Run({{query, &arguments}}));
  return std::move(results.front());
}

absl::StatusOr<std::vector<Result>> Tx::Run(const Batch& batch) {
  std::vector<Result> results;
  for (size_t begin = 0; begin < batch.items_.size(); begin += kBatchMax) {
    const size_t end = std::min(begin + kBatchMax, batch.items_.size());
    std::vector<Statement> statements;
    for (size_t i = begin; i < end; ++i) statements.push_back({batch.items_[i].query, &batch.items_[i].arguments});
    VW_ASSIGN_OR_RETURN(std::vector<Result> part, connection_.Run(statements));
    std::move(part.begin(), part.end(), std::back_inserter(results));
  }
  return results;
}

absl::StatusOr<std::vector<Result>> Tx::RunAndCommit(const Batch& batch) {
  VW_CHECK(batch.size() > 0 && batch.size() <= kBatchMax);
  std::vector<Statement> statements;
  for (const Batch::Item& item : batch.items_) statements.push_back({item.query, &item.arguments});
  return connection_.Run(statements, true);
}

absl::StatusOr<int64_t> Tx::Copy(const Query& query, const CopyWriter& rows) {
  return connection_.Copy(query, rows.buffer_);
}

absl::Status Tx::Notify(absl::string_view channel, absl::string_view payload) {
  static constexpr Query kNotify{"pg.notify", "SELECT pg_notify($1, $2)"};
  return Execute(kNotify, channel, payload).status();
}

absl::Status Tx::Script(absl::string_view name, absl::string_view sql) { return connection_.Script(name, sql); }

}  // namespace voltwell::pg
