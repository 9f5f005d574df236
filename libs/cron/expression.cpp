// Parsing cron expressions; see expression.h.
#include "libs/cron/expression.h"

#include <array>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/cron/field_parser.h"
#include "libs/cron/month_days.h"

namespace voltwell::cron {
namespace {

struct Word {
  absl::string_view text;
  size_t offset;
};

std::vector<Word> SplitWords(absl::string_view text) {
  std::vector<Word> words;
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == ' ' || text[at] == '\t') {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && text[end] != ' ' && text[end] != '\t') ++end;
    words.push_back({text.substr(at, end - at), at});
    at = end;
  }
  return words;
}

// February 30th never comes; without this check the search would run through all years. Exact: in the Gregorian
// calendar each month, and February of each length, begins on each day of the week in some year.
bool EverComes(const Expression& expression) {
  constexpr int kLongest[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (int month = 1; month <= 12; ++month) {
    if ((expression.months >> month & 1) == 0) continue;
    for (int length = month == 2 ? 28 : kLongest[month]; length <= kLongest[month]; ++length) {
      for (int first_weekday = 0; first_weekday < 7; ++first_weekday) {
        if (MatchingDays(expression, first_weekday, length) != 0) return true;
      }
    }
  }
  return false;
}

absl::StatusOr<Expression> ParseFields(const std::vector<Word>& words) {
  Expression expression;
  for (size_t i = 0; i < kFieldCount; ++i) {
    VW_RETURN_IF_ERROR(ParseField(static_cast<Field>(i), words[i].text, words[i].offset, expression));
  }
  if (EverComes(expression)) return expression;
  // A day of the week, and a fifth one too, comes in each month of some year: it is the day of month that does not.
  return BadCron("CRON_NEVER_FIRES", FieldName(Field::kDayOfMonth),
                 words[static_cast<size_t>(Field::kDayOfMonth)].offset, "DAY_NEVER_COMES",
                 "the day never comes in these months");
}

// Reads "1d2h30m5s": each unit at most once, in falling order, so that no text has two readings.
absl::StatusOr<int64_t> ParseEvery(const Word& word) {
  constexpr std::array<std::pair<char, int64_t>, 4> kUnits = {{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
  const auto bad = [&](size_t at, const std::string& why) {
    return BadCron("BAD_CRON", "", word.offset + at, "BAD_DURATION", why);
  };
  constexpr size_t kDigitsMax = 8;  // More than the seconds of 366 days; sums cannot overflow.
  int64_t total = 0;
  size_t next_unit = 0;
  size_t at = 0;
  while (at < word.text.size()) {
    int64_t number = 0;
    const size_t start = at;
    while (at < word.text.size() && absl::ascii_isdigit(static_cast<unsigned char>(word.text[at]))) {
      if (at - start == kDigitsMax) return bad(start, "a number is too long");
      number = number * 10 + (word.text[at++] - '0');
    }
    if (at == start) return bad(at, "a number is missing");
    const char unit = at < word.text.size() ? absl::ascii_tolower(static_cast<unsigned char>(word.text[at])) : '\0';
    while (next_unit < kUnits.size() && kUnits[next_unit].first != unit) ++next_unit;
    if (next_unit == kUnits.size()) return bad(at, "units are d, h, m and s, each once, in this order");
    total += number * kUnits[next_unit++].second;
    ++at;
  }
  if (total < 1 || total > kEveryMaxSeconds) return bad(0, "an interval is 1 s to 366 days");
  return total;
}

struct Macro {
  absl::string_view name;
  absl::string_view fields;
};
constexpr Macro kMacros[] = {{"@yearly", "0 0 0 1 1 *"}, {"@annually", "0 0 0 1 1 *"}, {"@monthly", "0 0 0 1 * *"},
                             {"@weekly", "0 0 0 * * 0"}, {"@daily", "0 0 0 * * *"},    {"@midnight", "0 0 0 * * *"},
                             {"@hourly", "0 0 * * * *"}};

absl::StatusOr<Expression> ParseMacro(const std::vector<Word>& words, size_t length) {
  const bool every = absl::EqualsIgnoreCase(words[0].text, "@every");
  absl::string_view fields;
  for (const Macro& macro : kMacros) {
    if (absl::EqualsIgnoreCase(words[0].text, macro.name)) fields = macro.fields;
  }
  if (!every && fields.empty()) {
    return BadCron("BAD_CRON", "", words[0].offset, "UNKNOWN_MACRO",
                   "macros are @yearly, @monthly, @weekly, @daily, @hourly and @every");
  }
  if (every && words.size() == 1) {
    return BadCron("BAD_CRON", "", length, "BAD_DURATION", "@every needs a duration, e.g. 1h30m");
  }
  const size_t wanted = every ? 2 : 1;
  if (words.size() > wanted) {
    return BadCron("BAD_CRON", "", words[wanted].offset, "FIELD_COUNT", "nothing may follow a macro");
  }
  if (!every) return ParseFields(SplitWords(fields));
  Expression expression;
  VW_ASSIGN_OR_RETURN(expression.every_seconds, ParseEvery(words[1]));
  return expression;
}

}  // namespace

absl::StatusOr<Expression> Parse(absl::string_view text) {
  if (text.size() > kExpressionMax)
    return BadCron("BAD_CRON", "", kExpressionMax, "TOO_LONG", "longer than 256 characters");
  const std::vector<Word> words = SplitWords(text);
  if (!words.empty() && words[0].text[0] == '@') return ParseMacro(words, text.size());
  if (words.size() == kFieldCount) return ParseFields(words);
  const size_t position = words.size() > kFieldCount ? words[kFieldCount].offset : text.size();
  return BadCron("BAD_CRON", "", position, "FIELD_COUNT",
                 absl::StrCat("six fields are needed, seconds first; there are ", words.size()));
}

}  // namespace voltwell::cron
