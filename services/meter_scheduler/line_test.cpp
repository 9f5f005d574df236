// What the line refuses to send: it is the last hand that knows the time of an opening.
#include "services/meter_scheduler/line.h"

#include <catch2/catch.hpp>
#include <mutex>

#include "services/meter_scheduler/testing/suite.h"

namespace voltwell::scheduler::testing {
namespace {

using domain::Outcome;
using ::voltwell::testing::Eventually;

// A line of its own on the suite's field: its channels are new.
struct OwnLine {
  explicit OwnLine(Suite& suite_in)
      : suite(suite_in),
        gateways(suite.replicas.front()->issuer, suite.clock, metrics),
        line(suite.replicas.front()->router, gateways, suite.clock, metrics) {
    line.OnEnded([this](std::vector<AttemptPtr> part) {
      const std::lock_guard lock(mutex);
      for (const AttemptPtr& attempt : part) ended.push_back(attempt->outcome);
    });
  }
  ~OwnLine() { line.Finish(); }

  // Reads the energy of meter 0, as an item of this kind.
  static AttemptPtr Make(domain::Kind kind, absl::Time not_after) {
    auto attempt = std::make_unique<Attempt>();
    auto work = std::make_shared<domain::Work>();
    work->tenant = "t1";
    work->kind = kind;
    attempt->item.work = std::move(work);
    attempt->item.priority = domain::Priority::kRelay;
    attempt->item.phase = domain::Phase::kAttempted;
    attempt->item.registration_id = "VW-t1-0";
    attempt->not_after = not_after;
    attempt->group.add_exchanges()->set_request(
        std::string("\x68\x01\x00\x00\x00\x00\x00\x68\x11\x04\x33\x33\x34\x33\x00\x16", 16));
    return attempt;
  }
  Outcome Send(AttemptPtr attempt) {
    {
      const std::lock_guard lock(mutex);
      ended.clear();
    }
    std::vector<AttemptPtr> one;
    one.push_back(std::move(attempt));
    line.Send(std::move(one));
    REQUIRE(Eventually([&] {
      const std::lock_guard lock(mutex);
      return ended.size() == 1;
    }));
    return ended[0];
  }

  Suite& suite;
  metrics::Registry metrics;
  GatewayClients gateways;
  std::mutex mutex;
  std::vector<Outcome> ended;
  Line line;
};

}  // namespace

TEST_CASE("an attempt whose time has passed is never sent, also when it is sent again to where it moved") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  OwnLine own(suite);
  REQUIRE(own.Send(OwnLine::Make(domain::Kind::kClose, suite.clock.Now() + absl::Minutes(1))) == Outcome::kOk);
  REQUIRE(suite.field.exchanges() == 1);
  for (const domain::Kind kind : {domain::Kind::kOpen, domain::Kind::kClose, domain::Kind::kRun}) {
    CHECK(own.Send(OwnLine::Make(kind, suite.clock.Now() - absl::Milliseconds(1))) == Outcome::kExpired);
    AttemptPtr moved = OwnLine::Make(kind, suite.clock.Now() - absl::Milliseconds(1));
    moved->moved_to = "pod-1";
    CHECK(own.Send(std::move(moved)) == Outcome::kExpired);
  }
  CHECK(suite.field.exchanges() == 1);
}

TEST_CASE("an opening does not wait for a connection: it is busy until there is one") {
  Suite suite;
  suite.AddMeters(1, 1, 1);
  OwnLine own(suite);
  const auto open = [&] { return own.Send(OwnLine::Make(domain::Kind::kOpen, suite.clock.Now() + absl::Seconds(1))); };
  CHECK(open() == Outcome::kBusy);
  CHECK(suite.field.exchanges() == 0);
  // That it was wanted made the connection.
  REQUIRE(Eventually([&] { return open() == Outcome::kOk; }));
  CHECK(suite.field.exchanges() == 1);
}

}  // namespace voltwell::scheduler::testing
