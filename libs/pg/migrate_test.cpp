// Migrations: once each, in order, by one replica at a time, and never changed afterwards.
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "libs/pg/fixture_test.h"
#include "libs/testing/chaos_proxy.h"
#include "libs/testing/status.h"

using namespace voltwell;
using namespace voltwell::pg;

namespace {

struct Migrations {
  Migrations() { log::Start({.level = "error"}, "pg_test"); }
  void Write(const std::string& name, const std::string& sql) const { std::ofstream(files.path() + "/" + name) << sql; }
  absl::Status Run() const { return Migrate(config, files.path(), clock, clock.Now() + absl::Seconds(10)); }

  testing::TempDirectory files{"migrations"};
  Config config = testing::SharedPostgres().config(testing::NewSchema());
  mutable os::SystemClock clock;
  metrics::Registry metrics;
};

}  // namespace

TEST_CASE("migrations are applied in order and once, the shared ones first") {
  Migrations migrations;
  migrations.Write("V002__second.sql", "INSERT INTO thing VALUES (2);");
  migrations.Write("V001__first.sql", "CREATE TABLE thing (id bigint); INSERT INTO thing VALUES (1);");
  REQUIRE_OK(migrations.Run());
  REQUIRE_OK(migrations.Run());
  migrations.Write("V003__third.sql", "INSERT INTO thing VALUES (3);");
  REQUIRE_OK(migrations.Run());
  Pool pool(migrations.config, migrations.clock, migrations.metrics);
  CHECK(Once(pool, {"sum", "SELECT count(*), sum(id) FROM thing"})->Text(0, 1) == "6");
  CHECK(Once(pool, {"files", "SELECT count(*) FROM schema_migration"})->Int(0, 0) == 6);
  CHECK(Once(pool, {"event", "SELECT count(*) FROM event"})->Int(0, 0) == 0);
}

TEST_CASE("a migration that was applied and then changed is an error") {
  Migrations migrations;
  migrations.Write("V001__first.sql", "CREATE TABLE thing (id bigint);");
  REQUIRE_OK(migrations.Run());
  migrations.Write("V001__first.sql", "CREATE TABLE thing (id integer);");
  const absl::Status changed = migrations.Run();
  CHECK_REASON(changed, "MIGRATION_CHANGED");
  CHECK(base::MetadataOf(changed).at("file") == "V001__first.sql");
}

TEST_CASE("a migration that fails leaves nothing of itself, and runs when it is mended") {
  Migrations migrations;
  migrations.Write("V001__first.sql", "CREATE TABLE thing (id bigint); SELECT nonsense;");
  CHECK_REASON(migrations.Run(), "DATABASE_ERROR");
  migrations.Write("V001__first.sql", "CREATE TABLE thing (id bigint);");
  REQUIRE_OK(migrations.Run());
}

TEST_CASE("misnamed and doubly numbered migrations are refused") {
  Migrations migrations;
  migrations.Write("first.sql", "");
  CHECK_REASON(migrations.Run(), "MIGRATION_NAME");
  Migrations twice;
  twice.Write("V001__a.sql", "SELECT 1;");
  twice.Write("V001__b.sql", "SELECT 1;");
  CHECK_REASON(twice.Run(), "MIGRATION_NAME");
}

TEST_CASE("replicas that start together apply each migration once") {
  Migrations migrations;
  migrations.Write("V001__first.sql", "CREATE TABLE thing (id bigint);");
  migrations.Write("V002__second.sql", "INSERT INTO thing VALUES (1);");
  std::vector<absl::Status> results(4);
  std::vector<std::thread> replicas;
  for (absl::Status& result : results) replicas.emplace_back([&] { result = migrations.Run(); });
  for (std::thread& replica : replicas) replica.join();
  for (const absl::Status& result : results) CHECK_OK(result);
  Pool pool(migrations.config, migrations.clock, migrations.metrics);
  CHECK(Once(pool, {"count", "SELECT count(*) FROM thing"})->Int(0, 0) == 1);
}

TEST_CASE("migrations wait for a database that is not there yet") {
  Migrations migrations;
  migrations.Write("V001__first.sql", "CREATE TABLE thing (id bigint);");
  testing::ChaosProxy proxy(testing::SharedPostgres().port());
  proxy.Refuse();
  migrations.config.url = testing::SharedPostgres().UrlAt(proxy.port());
  CHECK_REASON(Migrate(migrations.config, migrations.files.path(), migrations.clock,
                       migrations.clock.Now() + absl::Milliseconds(300)),
               "DATABASE_DOWN");
  absl::Status status;
  std::thread replica([&] { status = migrations.Run(); });
  proxy.Pass();
  replica.join();
  REQUIRE_OK(status);
}
