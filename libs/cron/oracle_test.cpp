// Random expressions in many zones against the oracle, which shares no code with the library. A part of it runs with
// the unit tests; all of it (10,000 expressions in each zone) by `cron_test [long]`, which tools/test long starts.
#include "libs/cron/oracle.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/cron/next.h"

namespace voltwell::cron {
namespace {

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  int Pick(int low, int high) { return low + static_cast<int>(random_() % static_cast<uint32_t>(high - low + 1)); }
  bool OneIn(int n) { return Pick(1, n) == 1; }

  std::string Expression() {
    // Hours near midnight and changes of the clock half of the time: elsewhere all days are alike.
    const std::string hour = OneIn(2) ? Plain(0, OneIn(2) ? 4 : 23, 23) : OneIn(3) ? "*" : absl::StrCat(Pick(0, 3));
    const std::string second = OneIn(2) ? "0" : Plain(0, 59, 59);
    const std::string month = OneIn(2) ? "*" : Month();
    const std::string day = OneIn(3) ? "*" : OneIn(5) ? "?" : List([this] { return Day(); });
    const std::string weekday = OneIn(2) ? (OneIn(2) ? "*" : "?") : List([this] { return Weekday(); });
    return absl::StrCat(second, " ", Plain(0, 59, 59), " ", hour, " ", day, " ", month, " ", weekday);
  }

 private:
  template <typename Item>
  std::string List(Item item) {
    std::string list = item();
    while (OneIn(3)) absl::StrAppend(&list, ",", item());
    return list;
  }
  std::string Range(int low, int high, int end) {
    const int from = Pick(low, high);
    return absl::StrCat(from, "-", Pick(from, end));
  }
  std::string Plain(int low, int high, int end) {
    switch (Pick(0, 6)) {
      case 0:
        return "*";
      case 1:
        return absl::StrCat("*/", Pick(1, end));
      case 2:
        return Range(low, high, end);
      case 3:
        return absl::StrCat(Range(low, high, end), "/", Pick(1, end));
      case 4:
        return absl::StrCat(Pick(low, high), "/", Pick(1, end));
      case 5:
        return absl::StrCat(Pick(low, high), ",", Range(low, high, end), ",", Pick(low, end));
      default:
        return absl::StrCat(Pick(low, high));
    }
  }
  std::string Month() {
    static const char* const kNames[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "SEP", "OCT", "NOV", "DEC"};
    if (OneIn(3)) return kNames[Pick(0, 9)];
    if (OneIn(6)) return "MAR-OCT";
    return Plain(1, 12, 12);
  }
  std::string Day() {
    switch (Pick(0, 6)) {
      case 0:
        return "L";
      case 1:
        return absl::StrCat("L-", Pick(1, 30));
      case 2:
        return absl::StrCat(Pick(1, 31), "W");
      case 3:
        return OneIn(2) ? "LW" : absl::StrCat("L-", Pick(1, 30), "W");
      case 4:
        return absl::StrCat(Pick(28, 31));
      default:
        return Plain(1, 31, 31);
    }
  }
  std::string Weekday() {
    static const char* const kNames[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
    const std::string one = OneIn(2) ? std::string(kNames[Pick(0, 6)]) : absl::StrCat(Pick(0, 7));
    switch (Pick(0, 4)) {
      case 0:
        return absl::StrCat(one, "#", Pick(1, 5));
      case 1:
        return absl::StrCat(one, "L");
      case 2:
        return OneIn(2) ? "MON-FRI" : Plain(0, 7, 7);
      default:
        return one;
    }
  }

  std::mt19937 random_;
};

struct Case {
  std::string text;
  Expression expression;
  oracle::Meaning meaning;
};

// Those that are refused must be refused rightly: no day of 400 years, after which the calendar repeats, matches.
void CheckNeverFires(const std::string& text, const absl::Status& refusal) {
  CAPTURE(text, refusal.ToString());
  REQUIRE(base::ReasonOf(refusal) == "CRON_NEVER_FIRES");
  const oracle::Meaning meaning(text);
  for (oracle::Date date = {2000, 1, 1}; date.year < 2400; date = oracle::Tomorrow(date)) {
    if (meaning.MatchesDay(date)) FAIL("due on " << date.year << "-" << date.month << "-" << date.day);
  }
}

std::vector<Case> MakeCases(Generator& generator, size_t count) {
  std::vector<Case> cases;
  while (cases.size() < count) {
    const std::string text = generator.Expression();
    const auto expression = Parse(text);
    if (expression.ok()) {
      cases.push_back({text, *expression, oracle::Meaning(text)});
    } else {
      CheckNeverFires(text, expression.status());
    }
  }
  return cases;
}

struct Compared {
  const Case& it;
  const oracle::Clocks& clocks;
  const Zone& zone;
  DstRule rule;

  // The next instants from `at` on, as many as `steps`, up to the horizon; answers the last one.
  int64_t Follow(int64_t at, int64_t horizon, int steps) const {
    for (int step = 0; step < steps; ++step) {
      const auto wanted = clocks.Next(it.meaning, at, horizon, rule.gap == DstRule::Gap::kAtGapEnd,
                                      rule.overlap == DstRule::Overlap::kTwice);
      const auto found = Next(it.expression, absl::FromUnixSeconds(at), zone, rule);
      const int64_t told = found.has_value() ? absl::ToUnixSeconds(*found) : horizon;
      if (std::min(told, horizon) != wanted.value_or(horizon)) {
        CAPTURE(it.text, at, told, wanted.value_or(horizon), rule.gap, rule.overlap);
        FAIL("the library and the oracle differ");
      }
      if (!wanted.has_value()) return horizon;
      at = *wanted;
    }
    return at;
  }
};

constexpr int64_t kHour = 3600;

// Each expression through one year from its start to its end, and around each change of the clock in all of them.
void Compare(const std::string& name, const oracle::Clocks& clocks, const std::vector<Case>& cases,
             Generator& generator) {
  absl::TimeZone loaded;
  REQUIRE(absl::LoadTimeZone(name, &loaded));
  const Zone zone(loaded);
  INFO(name);
  for (const Case& it : cases) {
    const DstRule rule = {generator.OneIn(2) ? DstRule::Gap::kSkip : DstRule::Gap::kAtGapEnd,
                          generator.OneIn(2) ? DstRule::Overlap::kOnce : DstRule::Overlap::kTwice};
    const Compared compared{it, clocks, zone, rule};
    const int64_t year = 366 * 24 * kHour;
    int64_t at = clocks.begin() + 48 * kHour;
    at += (clocks.end() - year - at) / 1000 * generator.Pick(0, 1000);
    const int64_t end = std::min(at + year, clocks.end() - 48 * kHour);
    // One that fires often is followed for a while, then some days are left out.
    while (at < end) at = compared.Follow(at, end, 40) + generator.Pick(0, 20 * 24 * 3600);
    for (const int64_t jump : clocks.jumps()) {
      const int64_t near = jump + generator.Pick(-4 * 3600, 3 * 3600);
      compared.Follow(near, near + 8 * kHour, 6);
      compared.Follow(jump - 1, jump + 8 * kHour, 3);
    }
  }
}

// One hour and half an hour and two, at midnight and by night, in both halves of the world, more than two changes a
// year (Casablanca), and none.
constexpr const char* kZones[] = {"Europe/Berlin",    "America/New_York", "America/Santiago",  "Australia/Lord_Howe",
                                  "Antarctica/Troll", "Africa/Cairo",     "Africa/Casablanca", "America/Havana",
                                  "Pacific/Auckland", "Asia/Shanghai"};

TEST_CASE("random expressions agree with the oracle") {
  Generator generator(5);
  const std::vector<Case> cases = MakeCases(generator, 60);
  for (const char* name : {"Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"}) {
    const int year = generator.Pick(2024, 2036);
    Compare(name, oracle::Clocks(name, year, year + 2), cases, generator);
  }
}

TEST_CASE("10,000 random expressions agree with the oracle in ten zones from 2024 to 2037", "[.][long]") {
  Generator generator(20261122);
  const std::vector<Case> cases = MakeCases(generator, 10'000);
  for (const char* name : kZones) {
    const oracle::Clocks clocks(name, 2024, 2038);
    WARN(name << ": " << cases.size() << " expressions, " << clocks.jumps().size() << " changes of the clock");
    Compare(name, clocks, cases, generator);
  }
}

}  // namespace
}  // namespace voltwell::cron
