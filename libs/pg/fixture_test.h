// What the tests of libs/pg share: a pool on a schema of its own.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/pg/pg.h"
#include "libs/testing/temp_postgres.h"

namespace voltwell::pg {

// An empty directory of migrations: only the shared ones are applied.
inline std::string NoMigrations() {
  static const testing::TempDirectory kDirectory("no-migrations");
  return kDirectory.path();
}

struct Fixture {
  explicit Fixture(testing::TempPostgres& server = testing::SharedPostgres())
      : config(server.config(testing::NewSchema())) {
    log::Start({.level = "error"}, "pg_test");
    const absl::Status migrated = Migrate(config, NoMigrations(), clock, clock.Now() + absl::Seconds(20));
    if (!migrated.ok()) throw std::runtime_error(migrated.ToString());
  }

  Config config;
  os::SystemClock clock;
  metrics::Registry metrics;

  bool Counts(const std::string& line) const { return metrics.Text().find(line) != std::string::npos; }
};

// Runs one statement in a transaction of its own.
template <typename... Arguments>
absl::StatusOr<Result> Once(Pool& pool, const Query& query, const Arguments&... arguments) {
  std::optional<Result> result;
  const absl::Status status = pool.Transact({.name = "test"}, [&](Tx& tx) -> absl::Status {
    VW_ASSIGN_OR_RETURN(Result rows, tx.Execute(query, arguments...));
    result = std::move(rows);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return *std::move(result);
}

}  // namespace voltwell::pg
