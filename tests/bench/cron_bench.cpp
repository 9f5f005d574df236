// R18: cron's next due time with a zone and the rule for its changes. Prints `NAME calls-per-CPU-second` for each line
// `NAME EXPRESSION` of standard input; the zone is the first argument. The peers in cron_peer do the same. CPU time,
// not wall time: on a shared machine the latter measures the neighbours.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <string>

#include "libs/base/check.h"
#include "libs/cron/next.h"

namespace {

using namespace voltwell;  // NOLINT(google-build-using-namespace): a program of one file.
constexpr double kSeconds = 0.2;
constexpr int kRounds = 5;    // The best is taken: others share the caches.
constexpr int kCalls = 1024;  // Between two looks at the clock.

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double Rate(const cron::Expression& expression, const cron::Zone& zone) {
  const absl::Time begin = absl::FromUnixSeconds(1'700'000'000);
  const absl::Time end = absl::FromUnixSeconds(4'000'000'000);
  double best = 0;
  absl::Time at = begin;
  for (int round = 0; round < kRounds; ++round) {
    const double started = CpuSeconds();
    double took = 0;
    int64_t calls = 0;
    while (took < kSeconds) {
      for (int i = 0; i < kCalls; ++i) {
        at = *cron::Next(expression, at, zone);
        if (at > end) at = begin;
      }
      calls += kCalls;
      took = CpuSeconds() - started;
    }
    best = std::max(best, static_cast<double>(calls) / took);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  absl::TimeZone loaded;
  VW_CHECK(argc == 2 && absl::LoadTimeZone(argv[1], &loaded));
  const cron::Zone zone(loaded);
  for (std::string line; std::getline(std::cin, line);) {
    const size_t space = line.find(' ');
    VW_CHECK(space != std::string::npos);
    const auto expression = cron::Parse(line.substr(space + 1));
    VW_CHECK(expression.ok());
    std::printf("%s %.6g\n", line.substr(0, space).c_str(), Rate(*expression, zone));
  }
  return 0;
}
