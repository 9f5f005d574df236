// Clocks, ids, workers, signals and files.
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <thread>

#include "libs/os/clock.h"
#include "libs/os/files.h"
#include "libs/os/random.h"
#include "libs/os/signal.h"
#include "libs/os/worker.h"
#include "libs/testing/eventually.h"
#include "libs/testing/fake_clock.h"
#include "libs/testing/fake_random.h"
#include "libs/testing/process.h"
#include "libs/testing/status.h"

using namespace voltwell;

TEST_CASE("the system's monotonic clock never goes back") {
  const os::SystemClock clock;
  absl::Duration last = clock.Monotonic();
  for (int i = 0; i < 10000; ++i) {
    const absl::Duration now = clock.Monotonic();
    REQUIRE(now >= last);
    last = now;
  }
  CHECK(clock.Now() > absl::FromUnixSeconds(1'700'000'000));
}

TEST_CASE("a fake clock moves only when told, and its wall time may be stepped back") {
  testing::FakeClock clock(absl::FromUnixSeconds(1000));
  const absl::Duration start = clock.Monotonic();
  clock.Advance(absl::Seconds(5));
  CHECK(clock.Now() == absl::FromUnixSeconds(1005));
  clock.Set(absl::FromUnixSeconds(0));
  CHECK(clock.Monotonic() - start == absl::Seconds(5));
}

TEST_CASE("an id has 26 letters that cannot be mistaken, and a later one sorts later") {
  testing::FakeRandom random;
  const std::string early = os::NewId(random, 1'767'225'600'000);
  const std::string late = os::NewId(random, 1'767'225'600'001);
  CHECK(early.size() == 26);
  CHECK(early.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz") == std::string::npos);
  CHECK(early < late);
  CHECK(os::NewId(random, 0).substr(0, 10) == "0000000000");
  CHECK(early.substr(0, 10) == "01kdvdna00");  // 1767225600000 in Crockford's base 32.
}

TEST_CASE("ids made at the same instant differ") {
  os::SystemRandom random;
  std::set<std::string> ids;
  for (int i = 0; i < 10000; ++i) ids.insert(os::NewId(random, 1));
  CHECK(ids.size() == 10000);
}

TEST_CASE("fractions are spread over [0, 1)") {
  os::SystemRandom random;
  std::map<int, int> tenths;
  for (int i = 0; i < 10000; ++i) {
    const double fraction = os::Fraction(random);
    REQUIRE(fraction >= 0);
    REQUIRE(fraction < 1);
    ++tenths[static_cast<int>(fraction * 10)];
  }
  CHECK(tenths.size() == 10);
  for (const auto& [tenth, count] : tenths) CHECK(count > 700);  // 1000 expected; ten sigma below.
}

TEST_CASE("the same seed gives the same bytes, another seed others") {
  testing::FakeRandom a(7);
  testing::FakeRandom b(7);
  testing::FakeRandom c(8);
  const std::string bytes = a.Bytes(33);
  CHECK(bytes.size() == 33);
  CHECK(b.Bytes(33) == bytes);
  CHECK(c.Bytes(33) != bytes);
  CHECK(os::SystemRandom().Bytes(100) != os::SystemRandom().Bytes(100));
}

TEST_CASE("a worker runs at once, again after its wait, and early when woken") {
  std::atomic<int> runs = 0;
  os::Worker worker("test", [&] {
    ++runs;
    return absl::InfiniteDuration();
  });
  REQUIRE(testing::Eventually([&] { return runs == 1; }));
  worker.Wake();
  REQUIRE(testing::Eventually([&] { return runs == 2; }));
  worker.Stop();
  CHECK(worker.stopping());
  worker.Wake();
  CHECK(runs == 2);

  std::atomic<int> ticks = 0;
  os::Worker ticking("ticks", [&] {
    ++ticks;
    return absl::Milliseconds(1);
  });
  CHECK(testing::Eventually([&] { return ticks > 3; }));
}

TEST_CASE("a wake during a step is not lost") {
  std::atomic<int> runs = 0;
  std::atomic<bool> go_on = false;
  os::Worker worker("test", [&] {
    ++runs;
    while (!go_on) std::this_thread::yield();
    return absl::Hours(1);
  });
  REQUIRE(testing::Eventually([&] { return runs == 1; }));
  worker.Wake();
  go_on = true;
  CHECK(testing::Eventually([&] { return runs == 2; }));
}

TEST_CASE("termination is awaited in main, and a second signal ends the process") {
  // In a child, since signals are the whole process's.
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    signal(SIGTERM, SIG_DFL);  // Catch handles it in its own way.
    os::BlockTerminationSignals();
    os::RequestTermination();
    if (os::WaitForTermination() != SIGTERM) _exit(1);
    os::RequestTermination();
    _exit(2);  // Not reached: nobody waits for the second.
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}

TEST_CASE("a file is written whole and read back; what cannot be is told by its path") {
  const testing::TempDirectory directory("os-test");
  const std::string path = directory.path() + "/key";
  const std::string content("line\n\0\xff", 7);
  REQUIRE_OK(os::WriteFile(path, "old"));
  REQUIRE_OK(os::WriteFile(path, content));
  CHECK(*os::ReadFile(path) == content);
  CHECK_REASON(os::ReadFile(path, content.size() - 1), "FILE_TOO_LARGE");
  CHECK(os::ReadFile(path, content.size()).ok());
  const auto absent = os::ReadFile(directory.path() + "/absent").status();
  CHECK_REASON(absent, "FILE_NOT_FOUND");
  CHECK(base::MetadataOf(absent).at("path") == directory.path() + "/absent");
  CHECK_REASON(os::ReadFile(directory.path()), "FILE_UNREADABLE");
  CHECK_REASON(os::WriteFile(directory.path() + "/no/such/place", "x"), "FILE_UNWRITABLE");
}
