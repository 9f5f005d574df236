// Tokens are asked about in batches, believed for half a second, and asked about again while a stream is open.
#include "services/api_gateway/sessions.h"

#include <catch2/catch.hpp>
#include <map>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/testing/fake_clock.h"
#include "libs/testing/status.h"

namespace voltwell::front {
namespace {

// A registry whose answers come when the test says so.
struct FakeRegistry {
  struct Question {
    std::vector<std::string> tokens;
    Sessions::Asked asked;
  };
  std::vector<Question> questions;
  std::map<std::string, std::string> subjects;  // By token.
  rpc::Identity rights;                         // Of all.

  Sessions::Ask Ask() {
    return [this](const std::vector<std::string>& tokens, Sessions::Asked asked) {
      questions.push_back({tokens, std::move(asked)});
    };
  }
  void AnswerAll() {
    const auto open = std::exchange(questions, {});
    for (const Question& question : open) {
      Sessions::Identities identities;
      for (const std::string& token : question.tokens) {
        const auto found = subjects.find(token);
        rpc::Identity identity = rights;
        if (found != subjects.end()) identity.subject = found->second;
        identities.push_back(found == subjects.end() ? std::nullopt : std::optional(identity));
      }
      question.asked(identities);
    }
  }
};

struct Bench {
  testing::FakeClock clock;
  metrics::Registry metrics;
  FakeRegistry registry;
  Sessions sessions{registry.Ask(), clock, metrics};

  std::string Ask(const std::string& token) {
    std::string said = "nothing";
    sessions.Authenticate(token, [&](const absl::StatusOr<rpc::Identity>& identity) {
      said = identity.ok() ? identity->subject : base::ReasonOf(identity.status());
    });
    registry.AnswerAll();
    return said;
  }
};

}  // namespace

TEST_CASE("a token is asked about once and believed for half a second, no longer") {
  Bench bench;
  bench.registry.subjects["t"] = "users/1";
  CHECK(bench.Ask("t") == "users/1");
  bench.registry.subjects.clear();  // The session ends.
  bench.clock.Advance(kSessionBelieved);
  CHECK(bench.Ask("t") == "users/1");
  bench.clock.Advance(absl::Milliseconds(1));
  CHECK(bench.Ask("t") == "SESSION_ENDED");
  CHECK(bench.Ask("unknown") == "SESSION_ENDED");
}

TEST_CASE("a token that is too long is nobody's, and nobody is asked") {
  Bench bench;
  CHECK(bench.Ask(std::string(kTokenBytesMax + 1, 'x')) == "SESSION_ENDED");
  CHECK(bench.Ask("") == "SESSION_ENDED");
  bench.registry.subjects[std::string(kTokenBytesMax, 'x')] = "users/1";
  CHECK(bench.Ask(std::string(kTokenBytesMax, 'x')) == "users/1");
}

TEST_CASE("what comes while the flights are full goes together with the next one, at most 512 at once") {
  Bench bench;
  int answered = 0;
  const auto count = [&](const absl::StatusOr<rpc::Identity>&) { ++answered; };
  const int tokens = kAuthenticateFlightsMax + static_cast<int>(kAuthenticateBatchMax) + 1;
  for (int i = 0; i < tokens; ++i) bench.sessions.Authenticate(absl::StrCat("t", i), count);
  bench.sessions.Authenticate("t0", count);  // Asked already: waits for the same answer.
  REQUIRE(bench.registry.questions.size() == kAuthenticateFlightsMax);
  auto first = bench.registry.questions.front();
  bench.registry.questions.erase(bench.registry.questions.begin());
  first.asked(Sessions::Identities(1));
  REQUIRE(bench.registry.questions.size() == kAuthenticateFlightsMax);
  CHECK(bench.registry.questions.back().tokens.size() == kAuthenticateBatchMax);
  while (!bench.registry.questions.empty()) bench.registry.AnswerAll();
  CHECK(answered == tokens + 1);
}

TEST_CASE("one token more than may wait is refused at once") {
  Bench bench;
  for (size_t i = 0; i < kAuthenticateWaitingMax; ++i) bench.sessions.Authenticate(absl::StrCat(i), [](const auto&) {});
  std::string said;
  bench.sessions.Authenticate("beyond", [&](const auto& identity) { said = base::ReasonOf(identity.status()); });
  CHECK(said == "FRONT_BUSY");
}

TEST_CASE("one answer more than is kept pushes the oldest out") {
  Bench bench;
  for (size_t i = 0; i <= kSessionsCached; ++i) bench.registry.subjects[absl::StrCat(i)] = "users/1";
  for (size_t i = 0; i <= kSessionsCached; ++i) CHECK(bench.Ask(absl::StrCat(i)) == "users/1");
  bench.registry.subjects.clear();
  CHECK(bench.Ask("0") == "SESSION_ENDED");
  CHECK(bench.Ask(absl::StrCat(kSessionsCached)) == "users/1");
}

TEST_CASE("without registry nobody is let in, and nobody is told that his session ended") {
  Bench bench;
  std::string said;
  bench.sessions.Authenticate("t", [&](const auto& identity) { said = base::ReasonOf(identity.status()); });
  bench.registry.questions.front().asked(base::Unavailable("SERVICE_DOWN", "gone"));
  CHECK(said == "SESSIONS_UNAVAILABLE");
}

TEST_CASE("an open stream is told when its session ends") {
  Bench bench;
  bench.registry.subjects["t"] = "users/1";
  std::string ended;
  bench.sessions.Watch("t", {}, [&](const absl::Status& why) { ended = base::ReasonOf(why); });
  const auto second = bench.sessions.Watch("t", {}, [&](const absl::Status&) { ended += " twice"; });
  bench.sessions.Unwatch(second);
  for (int i = 0; i < 4; ++i) {
    bench.clock.Advance(absl::Milliseconds(250));
    bench.sessions.Tick();
    bench.registry.AnswerAll();
  }
  CHECK(ended.empty());
  bench.registry.subjects.clear();
  bench.clock.Advance(absl::Milliseconds(250));
  bench.sessions.Tick();
  bench.registry.AnswerAll();
  CHECK(ended == "SESSION_ENDED");
  bench.sessions.Tick();
  CHECK(bench.registry.questions.empty());  // Nobody watches any more.
}

TEST_CASE("an open stream ends when its session may see something else than when it was opened") {
  Bench bench;
  bench.registry.subjects["t"] = "users/1";
  rpc::Identity& rights = bench.registry.rights;
  rights = {.tenant = "t1", .permissions = {"meter.read", "run.read"}, .site_scope = {"sites/1", "sites/2"}};
  std::string ended;
  bench.sessions.Watch("t", rights, [&](const absl::Status& why) { ended += base::ReasonOf(why); });
  const auto check = [&] {
    bench.clock.Advance(kSessionBelieved);
    bench.sessions.Tick();
    bench.registry.AnswerAll();
    return ended;
  };
  std::swap(rights.permissions[0], rights.permissions[1]);
  CHECK(check().empty());
  SECTION("permission") { rights.permissions.pop_back(); }
  SECTION("site") { rights.site_scope.pop_back(); }
  SECTION("tenant") { rights.tenant = "t2"; }
  CHECK(check() == "RIGHTS_CHANGED");
  CHECK(check() == "RIGHTS_CHANGED");  // Once.
}

TEST_CASE("a stream outlives a short absence of registry, not a long one") {
  Bench bench;
  std::string ended;
  bench.sessions.Watch("t", {}, [&](const absl::Status& why) { ended = base::ReasonOf(why); });
  const auto absent = [&](absl::Duration time) {
    bench.clock.Advance(time);
    bench.sessions.Tick();
    const auto open = std::exchange(bench.registry.questions, {});
    for (const auto& question : open) question.asked(base::Unavailable("SERVICE_DOWN", "gone"));
  };
  absent(kStreamUnconfirmedMax);
  CHECK(ended.empty());
  absent(absl::Milliseconds(250));
  CHECK(ended == "SESSIONS_UNAVAILABLE");
}

TEST_CASE("a session ended through us is not believed any more") {
  Bench bench;
  bench.registry.subjects["t"] = "users/1";
  CHECK(bench.Ask("t") == "users/1");
  bench.registry.subjects.clear();
  bench.sessions.Forget("t");
  CHECK(bench.Ask("t") == "SESSION_ENDED");
}

}  // namespace voltwell::front
