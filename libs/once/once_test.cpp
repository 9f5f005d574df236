// Twice is once, on a real PostgreSQL.
#include "libs/once/once.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "libs/os/files.h"
#include "libs/testing/chaos_proxy.h"
#include "libs/testing/status.h"
#include "libs/testing/temp_postgres.h"
#include "voltwell/registry/v1/site_service.pb.h"

namespace voltwell::once {
namespace {

using voltwell::registry::v1::CreateSiteRequest;
using voltwell::registry::v1::Site;

constexpr pg::Query kEffect{"test.effect", "INSERT INTO effect (name) VALUES ($1)"};
constexpr pg::Query kCount{"test.count", "SELECT count(*) FROM effect"};
constexpr char kTable[] = "CREATE TABLE effect (name text NOT NULL UNIQUE)";

struct World {
  os::SystemClock clock;
  metrics::Registry metrics;
  testing::TempDirectory migrations{"once"};
  pg::Config config = testing::SharedPostgres().config(testing::NewSchema());
  std::unique_ptr<pg::Pool> pool;

  World() {
    REQUIRE_OK(os::WriteFile(absl::StrCat(migrations.path(), "/V001__effect.sql"), kTable));
    REQUIRE_OK(pg::Migrate(config, migrations.path(), clock, clock.Now() + absl::Seconds(20)));
    pool = std::make_unique<pg::Pool>(config, clock, metrics);
  }

  rpc::Call Call(const std::string& subject = "users/u1", const std::string& tenant = "demo") const {
    return {.method = "voltwell.registry.v1.SiteService.CreateSite",
            .request_id = "trace",
            .identity = {.tenant = tenant, .subject = subject},
            .deadline = clock.Now() + absl::Seconds(20)};
  }

  // Creates a site whose answer says how often the body ran.
  absl::StatusOr<Site> Create(pg::Pool& through, const rpc::Call& call, const std::string& request_id,
                              const std::string& name) {
    CreateSiteRequest request;
    request.set_request_id(request_id);
    request.mutable_site()->set_display_name(name);
    Site site;
    const absl::Status done = Mutate(through, call, request, site, [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(tx.Execute(kEffect, absl::StrCat(call.identity.tenant, call.identity.subject, name)).status());
      site.set_name(absl::StrCat("sites/", ++bodies));
      return absl::OkStatus();
    });
    if (!done.ok()) return done;
    return site;
  }

  int64_t Effects() {
    int64_t count = -1;
    REQUIRE_OK(pool->Transact({.name = "test"}, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kCount));
      count = rows.Int(0, 0);
      return absl::OkStatus();
    }));
    return count;
  }
  std::atomic<int> bodies = 0;
};

TEST_CASE("the same request twice has one effect and one answer") {
  World world;
  const auto first = world.Create(*world.pool, world.Call(), "r1", "a");
  const auto second = world.Create(*world.pool, world.Call(), "r1", "a");
  REQUIRE_OK(first);
  REQUIRE_OK(second);
  CHECK(first->name() == second->name());
  CHECK(world.Effects() == 1);
}

TEST_CASE("the same request_id with other content is refused, and changes nothing") {
  World world;
  REQUIRE_OK(world.Create(*world.pool, world.Call(), "r1", "a"));
  CHECK_REASON(world.Create(*world.pool, world.Call(), "r1", "b"), "REQUEST_ID_REUSED");
  CHECK(world.Effects() == 1);
}

TEST_CASE("another person and another tenant may use the same request_id") {
  World world;
  REQUIRE_OK(world.Create(*world.pool, world.Call("users/u1", "demo"), "r1", "a"));
  REQUIRE_OK(world.Create(*world.pool, world.Call("users/u2", "demo"), "r1", "a"));
  REQUIRE_OK(world.Create(*world.pool, world.Call("users/u1", "other"), "r1", "a"));
  CHECK(world.Effects() == 3);
}

TEST_CASE("a request_id of 64 characters is taken; empty, longer or strange ones are not") {
  World world;
  CHECK_OK(world.Create(*world.pool, world.Call(), std::string(64, 'x'), "a"));
  CHECK_REASON(world.Create(*world.pool, world.Call(), "", "b"), "BAD_REQUEST_ID");
  CHECK_REASON(world.Create(*world.pool, world.Call(), std::string(65, 'x'), "b"), "BAD_REQUEST_ID");
  CHECK_REASON(world.Create(*world.pool, world.Call(), "a b", "b"), "BAD_REQUEST_ID");
  CHECK(world.Effects() == 1);
}

TEST_CASE("a refused request leaves its key free") {
  World world;
  REQUIRE_OK(world.Create(*world.pool, world.Call(), "r1", "a"));
  CHECK_REASON(world.Create(*world.pool, world.Call(), "r2", "a"), "UNIQUE_VIOLATION");
  CHECK_OK(world.Create(*world.pool, world.Call(), "r2", "b"));
}

TEST_CASE("two at the same moment: one runs, the other gets its answer") {
  World world;
  std::vector<std::thread> callers;
  std::vector<absl::StatusOr<Site>> answers(8, absl::UnknownError(""));
  for (size_t i = 0; i < answers.size(); ++i) {
    callers.emplace_back([&, i] { answers[i] = world.Create(*world.pool, world.Call(), "r1", "a"); });
  }
  for (std::thread& caller : callers) caller.join();
  for (const auto& answer : answers) {
    REQUIRE_OK(answer);
    CHECK(answer->name() == answers[0]->name());
  }
  CHECK(world.bodies == 1);
  CHECK(world.Effects() == 1);
}

TEST_CASE("a COMMIT whose answer is lost is settled by the key") {
  World world;
  testing::ChaosProxy proxy(testing::SharedPostgres().port());
  pg::Config through = world.config;
  through.url = testing::SharedPostgres().UrlAt(proxy.port());
  pg::Pool pool(through, world.clock, world.metrics);
  REQUIRE_OK(world.Create(pool, world.Call(), "r0", "warm"));
  proxy.LoseAnswerTo("COMMIT");
  const auto site = world.Create(pool, world.Call(), "r1", "a");
  REQUIRE_OK(site);
  CHECK(site->name() == "sites/2");
  CHECK(world.bodies == 2);
  CHECK(world.Effects() == 2);
}

TEST_CASE("old keys are forgotten, young ones kept") {
  World world;
  REQUIRE_OK(world.Create(*world.pool, world.Call(), "r1", "a"));
  const auto forget = [&](absl::Time before) {
    int64_t gone = -1;
    REQUIRE_OK(world.pool->Transact({.name = "test"}, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(gone, Forget(tx, before));
      return absl::OkStatus();
    }));
    return gone;
  };
  CHECK(forget(world.clock.Now() - kKeptFor) == 0);
  CHECK(forget(world.clock.Now() + absl::Minutes(1)) == 1);
}

}  // namespace
}  // namespace voltwell::once
