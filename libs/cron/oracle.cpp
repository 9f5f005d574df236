// The plain meaning of cron expressions, for tests; see oracle.h.
#include "libs/cron/oracle.h"

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sstream>

#include "libs/base/check.h"

namespace voltwell::cron::oracle {
namespace {

bool IsLeap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

// 0 is Sunday. Sakamoto's method.
int Weekday(Date date) {
  static const int kShift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
  const int year = date.month < 3 ? date.year - 1 : date.year;
  return (year + year / 4 - year / 100 + year / 400 + kShift[date.month - 1] + date.day) % 7;
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

int Value(const std::string& text) {
  static const char* const kNames[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "JAN", "FEB", "MAR",
                                       "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  for (int i = 0; i < 19; ++i) {
    if (text == kNames[i]) return i < 7 ? i : i - 6;
  }
  VW_CHECK(!text.empty() && text.find_first_not_of("0123456789") == std::string::npos);
  return std::atoi(text.c_str());
}

// `*`, `a`, `a-b`, each with `/n`.
bool ItemHolds(const std::string& item, int value, int low, int high) {
  const size_t slash = item.find('/');
  const std::string range = item.substr(0, slash);
  const int step = slash == std::string::npos ? 1 : Value(item.substr(slash + 1));
  int from = low;
  int to = high;
  if (range != "*" && range != "?") {
    const size_t dash = range.find('-');
    from = Value(range.substr(0, dash));
    to = slash == std::string::npos ? from : high;
    if (dash != std::string::npos) to = Value(range.substr(dash + 1));
  }
  return value >= from && value <= to && (value - from) % step == 0;
}

bool FieldHolds(const std::string& field, int value, int low, int high) {
  for (const std::string& item : Split(field, ',')) {
    if (ItemHolds(item, value, low, high)) return true;
  }
  return false;
}

// Looks ever further from the day until it finds one from Monday to Friday in the same month; earlier days first.
int NearestWorkday(Date target) {
  for (int distance = 0;; ++distance) {
    for (const int day : {target.day - distance, target.day + distance}) {
      if (day < 1 || day > DaysInMonth(target.year, target.month)) continue;
      const int weekday = Weekday({target.year, target.month, day});
      if (weekday != 0 && weekday != 6) return day;
    }
  }
}

bool DayItemHolds(std::string item, Date date) {
  const int length = DaysInMonth(date.year, date.month);
  const bool workday = item.back() == 'W';
  if (workday) item.pop_back();
  if (!workday && item[0] != 'L') return ItemHolds(item, date.day, 1, 31);
  Date target = date;
  target.day = item[0] != 'L' ? Value(item) : item.size() == 1 ? length : length - Value(item.substr(2));
  if (target.day < 1 || target.day > length) return false;
  return date.day == (workday ? NearestWorkday(target) : target.day);
}

bool WeekdayItemHolds(const std::string& item, Date date) {
  const int weekday = Weekday(date);
  if (const size_t hash = item.find('#'); hash != std::string::npos) {
    int seen = 0;
    for (int day = 1; day <= date.day; ++day) seen += Weekday({date.year, date.month, day}) == weekday ? 1 : 0;
    return Value(item.substr(0, hash)) % 7 == weekday && seen == Value(item.substr(hash + 1));
  }
  if (item.back() == 'L') {
    const bool last = date.day + 7 > DaysInMonth(date.year, date.month);
    return last && Value(item.substr(0, item.size() - 1)) % 7 == weekday;
  }
  if (item[0] == '*') return ItemHolds(item, weekday, 0, 6);
  return ItemHolds(item, weekday, 0, 7) || (weekday == 0 && ItemHolds(item, 7, 0, 7));
}

// Days since the first of kFirstYear; negative before.
int DayNumber(int year, int month, int day) {
  int number = day - 1;
  for (int y = kFirstYear; y < year; ++y) number += IsLeap(y) ? 366 : 365;
  for (int y = year; y < kFirstYear; ++y) number -= IsLeap(y) ? 366 : 365;
  for (int m = 1; m < month; ++m) number += DaysInMonth(year, m);
  return number;
}

int64_t StartOfYear(int year) {
  std::tm start = {};
  start.tm_year = year - 1900;
  start.tm_mday = 1;
  return timegm(&start);
}

}  // namespace

int DaysInMonth(int year, int month) {
  if (month == 2) return IsLeap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

Date Tomorrow(Date date) {
  if (++date.day <= DaysInMonth(date.year, date.month)) return date;
  date.day = 1;
  if (++date.month <= 12) return date;
  return {date.year + 1, 1, 1};
}

Meaning::Meaning(const std::string& text) : fields_(Split(text, ' ')), seconds_(60), minutes_(1440) {
  VW_CHECK(fields_.size() == 6);
  for (int second = 0; second < 60; ++second) {
    seconds_[static_cast<size_t>(second)] = FieldHolds(fields_[0], second, 0, 59) ? 1 : 0;
  }
  for (int minute = 0; minute < 1440; ++minute) {
    const bool holds = FieldHolds(fields_[1], minute % 60, 0, 59) && FieldHolds(fields_[2], minute / 60, 0, 23);
    minutes_[static_cast<size_t>(minute)] = holds ? 1 : 0;
  }
  for (Date date = {kFirstYear, 1, 1}; date.year < kEndYear; date = Tomorrow(date)) {
    days_.push_back(MatchesDay(date) ? 1 : 0);
  }
}

bool Meaning::MatchesDay(Date date) const {
  if (!FieldHolds(fields_[4], date.month, 1, 12)) return false;
  bool by_day = false;
  for (const std::string& item : Split(fields_[3], ',')) by_day = by_day || DayItemHolds(item, date);
  bool by_weekday = fields_[5] == "?";
  if (!by_weekday) {
    for (const std::string& item : Split(fields_[5], ',')) by_weekday = by_weekday || WeekdayItemHolds(item, date);
  }
  const bool days_free = fields_[3] == "*" || fields_[3] == "?";
  const bool weekdays_free = fields_[5] == "*" || fields_[5] == "?";
  return days_free || weekdays_free ? by_day && by_weekday : by_day || by_weekday;
}

Clocks::Clocks(const std::string& zone, int first_year, int end_year) : begin_(StartOfYear(first_year)) {
  VW_CHECK(setenv("TZ", zone.c_str(), 1) == 0);
  tzset();
  const int64_t end = StartOfYear(end_year);
  int32_t latest = -1'000'000;
  std::tm local = {};
  int month_shown = -1;
  int first_of_month = 0;
  for (int64_t at = begin_; at < end; at += 60) {
    const time_t instant = at;
    VW_CHECK(localtime_r(&instant, &local) != nullptr && local.tm_sec == 0);
    if (local.tm_mon != month_shown) {
      month_shown = local.tm_mon;
      first_of_month = DayNumber(local.tm_year + 1900, local.tm_mon + 1, 1);
    }
    const int32_t shown = (first_of_month + local.tm_mday - 1) * 1440 + local.tm_hour * 60 + local.tm_min;
    if (!shown_.empty() && shown != shown_.back() + 1) jumps_.push_back(at);
    shown_.push_back(shown);
    again_.push_back(shown <= latest ? 1 : 0);
    latest = shown > latest ? shown : latest;
  }
  VW_CHECK(unsetenv("TZ") == 0);
  tzset();
}

bool Clocks::LeftOutIsDue(const Meaning& meaning, size_t minute) const {
  for (int32_t shown = shown_[minute - 1] + 1; shown < shown_[minute]; ++shown) {
    if (meaning.days()[static_cast<size_t>(shown / 1440)] != 0 && meaning.MatchesMinute(shown % 1440)) return true;
  }
  return false;
}

std::optional<int64_t> Clocks::Next(const Meaning& meaning, int64_t after, int64_t horizon, bool at_gap_end,
                                    bool twice) const {
  // Bare pointers: the walk is millions of minutes long and is made without optimization too.
  const uint8_t* const days = meaning.days().data();
  const uint8_t* const minutes = meaning.minutes().data();
  const int32_t* const shown = shown_.data();
  const int64_t from = after + 1 - begin_;
  const size_t count = shown_.size();
  for (size_t i = static_cast<size_t>(from / 60); i < count; ++i) {
    const int64_t start = begin_ + 60 * static_cast<int64_t>(i);
    if (start >= horizon) return std::nullopt;
    if (i > 0 && shown[i] > shown[i - 1] + 1 && at_gap_end && start > after && LeftOutIsDue(meaning, i)) return start;
    const int32_t local = shown[i];
    if (local < 0 || days[local / 1440] == 0 || minutes[local % 1440] == 0) continue;
    if (again_[i] != 0 && !twice) continue;
    for (int second = 0; second < 60; ++second) {
      const int64_t at = start + second;
      if (at > after && meaning.MatchesSecond(second)) return at < horizon ? std::optional<int64_t>(at) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace voltwell::cron::oracle
