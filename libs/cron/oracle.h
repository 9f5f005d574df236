// What a cron expression means, told a second time and as plainly as can be: tests only. It shares no code with the
// library: the text is interpreted item by item for each day of the calendar, each minute of the years is looked at one
// after another, and local time comes from libc, not from absl. Slow on purpose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace voltwell::cron::oracle {

inline constexpr int kFirstYear = 2024;
inline constexpr int kEndYear = 2039;  // A year beyond the last one that is tested, for zones behind and ahead of UTC.

struct Date {
  int year = 0;
  int month = 0;
  int day = 0;
};
int DaysInMonth(int year, int month);
Date Tomorrow(Date date);

// An expression of six fields.
class Meaning {
 public:
  explicit Meaning(const std::string& text);
  bool MatchesDay(Date date) const;
  bool MatchesMinute(int minute_of_day) const { return minutes_[static_cast<size_t>(minute_of_day)] != 0; }
  bool MatchesSecond(int second) const { return seconds_[static_cast<size_t>(second)] != 0; }
  // By days since the first of kFirstYear.
  const std::vector<uint8_t>& days() const { return days_; }
  const std::vector<uint8_t>& minutes() const { return minutes_; }

 private:
  std::vector<std::string> fields_;
  std::vector<uint8_t> seconds_;
  std::vector<uint8_t> minutes_;  // Of a day.
  std::vector<uint8_t> days_;
};

// What the clocks of a zone show in each minute of the years from `first_year` to before `end_year` (UTC).
class Clocks {
 public:
  Clocks(const std::string& zone, int first_year, int end_year);

  int64_t begin() const { return begin_; }  // Unix seconds.
  int64_t end() const { return begin_ + 60 * static_cast<int64_t>(shown_.size()); }
  // Instants at which the clocks jump.
  const std::vector<int64_t>& jumps() const { return jumps_; }

  // The first instant strictly after, before `horizon`, by walking. `at_gap_end`: times that a jump leaves out are due
  // at the jump; `twice`: times that come again are due again.
  std::optional<int64_t> Next(const Meaning& meaning, int64_t after, int64_t horizon, bool at_gap_end,
                              bool twice) const;

 private:
  bool LeftOutIsDue(const Meaning& meaning, size_t minute) const;

  int64_t begin_;
  std::vector<int32_t> shown_;  // Local minutes since the first of kFirstYear.
  std::vector<uint8_t> again_;  // The clocks showed this minute before.
  std::vector<int64_t> jumps_;
};

}  // namespace voltwell::cron::oracle
