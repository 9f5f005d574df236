// Parsing cron expressions; see expression.h.
#include "libs/cron/expression.h"

#include <array>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::cron {
namespace {

constexpr absl::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                         "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr absl::string_view kWeekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct FieldRule {
  absl::string_view name;
  int low;
  int high;
  std::span<const absl::string_view> names;  // The first one is `low`.
  bool is_day;                               // Takes `?`.
};

constexpr size_t kFieldCount = 6;
constexpr std::array<FieldRule, kFieldCount> kRules = {{
    {"second", 0, 59, {}, false},
    {"minute", 0, 59, {}, false},
    {"hour", 0, 23, {}, false},
    {"day_of_month", 1, 31, {}, true},
    {"month", 1, 12, kMonths, false},
    {"day_of_week", 0, 7, kWeekdays, true},
}};

struct ParsedField {
  uint64_t mask = 0;
  bool restricted = true;
};

absl::Status BadCron(absl::string_view field, size_t position, const std::string& why) {
  return base::InvalidArgument("BAD_CRON", absl::StrCat("the cron expression is not valid: ", why),
                               {{"field", std::string(field)}, {"position", absl::StrCat(position)}, {"why", why}});
}

// Reads one field; positions are those of the whole expression.
class FieldParser {
 public:
  FieldParser(const FieldRule& rule, absl::string_view text, size_t offset)
      : rule_(rule), text_(text), offset_(offset) {}

  absl::StatusOr<ParsedField> Parse() {
    ParsedField field;
    field.restricted = !(text_ == "*" || (rule_.is_day && text_ == "?"));
    while (true) {
      VW_ASSIGN_OR_RETURN(const uint64_t item, ParseItem());
      field.mask |= item;
      if (at_ == text_.size()) return field;
      if (text_[at_] != ',') return Bad("not a value, range, step or list");
      ++at_;
    }
  }

 private:
  absl::Status Bad(const std::string& why) const { return BadCron(rule_.name, offset_ + at_, why); }
  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  absl::StatusOr<uint64_t> ParseItem() {
    int low = rule_.low;
    int high = rule_.high;
    int step = 1;
    const size_t start = at_;
    bool whole = Take('*');
    if (!whole && rule_.is_day && Take('?')) whole = true;
    if (!whole) {
      VW_ASSIGN_OR_RETURN(low, ParseValue());
      high = low;
      if (Take('-')) {
        VW_ASSIGN_OR_RETURN(high, ParseValue());
        if (high < low) {
          at_ = start;
          return Bad("the range runs backwards");
        }
      } else if (at_ < text_.size() && text_[at_] == '/') {
        high = rule_.high;
      }
    } else if (rule_.names.data() == kWeekdays) {
      high = 6;  // 7 is Sunday again; `*/2` must not count it twice.
    }
    if (Take('/')) {
      const size_t step_at = at_;
      VW_ASSIGN_OR_RETURN(step, ParseNumber());
      if (step < 1 || step > rule_.high) {
        at_ = step_at;
        return Bad(absl::StrCat("a step is 1 to ", rule_.high));
      }
    }
    uint64_t mask = 0;
    for (int value = low; value <= high; value += step) mask |= uint64_t{1} << value;
    return mask;
  }

  absl::StatusOr<int> ParseValue() {
    if (at_ < text_.size() && absl::ascii_isalpha(static_cast<unsigned char>(text_[at_]))) return ParseName();
    const size_t start = at_;
    VW_ASSIGN_OR_RETURN(const int value, ParseNumber());
    if (value < rule_.low || value > rule_.high) {
      at_ = start;
      return Bad(absl::StrCat("a value is ", rule_.low, " to ", rule_.high));
    }
    return value;
  }

  absl::StatusOr<int> ParseNumber() {
    constexpr size_t kDigitsMax = 4;  // Enough to say that a value is too large, too few to overflow.
    const size_t start = at_;
    int value = 0;
    while (at_ < text_.size() && absl::ascii_isdigit(static_cast<unsigned char>(text_[at_]))) {
      if (at_ - start == kDigitsMax) return Bad("a number is too long");
      value = value * 10 + (text_[at_++] - '0');
    }
    if (at_ == start) return Bad("a number is missing");
    return value;
  }

  absl::StatusOr<int> ParseName() {
    const absl::string_view word = text_.substr(at_, 3);
    for (size_t i = 0; i < rule_.names.size(); ++i) {
      if (!absl::EqualsIgnoreCase(word, rule_.names[i])) continue;
      at_ += word.size();
      return rule_.low + static_cast<int>(i);
    }
    return Bad(rule_.names.empty() ? "not a number" : "no such name");
  }

  const FieldRule& rule_;
  absl::string_view text_;
  size_t offset_;
  size_t at_ = 0;
};

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

// February 30th never comes; without this check the search would run through all years.
bool EverComes(const Expression& expression) {
  if (!expression.days_restricted || expression.weekdays_restricted) return true;
  constexpr int kLongest[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (int month = 1; month <= 12; ++month) {
    if ((expression.months >> month & 1) == 0) continue;
    for (int day = 1; day <= kLongest[month]; ++day) {
      if ((expression.days >> day & 1) != 0) return true;
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<Expression> Parse(absl::string_view text) {
  if (text.size() > kExpressionMax) return BadCron("", kExpressionMax, "longer than 256 characters");
  const std::vector<Word> words = SplitWords(text);
  if (words.size() != kFieldCount) {
    const size_t position = words.size() > kFieldCount ? words[kFieldCount].offset : text.size();
    return BadCron("", position, absl::StrCat("six fields are needed, seconds first; there are ", words.size()));
  }
  std::array<ParsedField, kFieldCount> fields;
  for (size_t i = 0; i < kFieldCount; ++i) {
    VW_ASSIGN_OR_RETURN(fields[i], FieldParser(kRules[i], words[i].text, words[i].offset).Parse());
  }
  Expression expression;
  expression.seconds = fields[0].mask;
  expression.minutes = fields[1].mask;
  expression.hours = static_cast<uint32_t>(fields[2].mask);
  expression.days = static_cast<uint32_t>(fields[3].mask);
  expression.months = static_cast<uint32_t>(fields[4].mask);
  expression.weekdays = static_cast<uint32_t>((fields[5].mask | fields[5].mask >> 7) & 0x7F);
  expression.days_restricted = fields[3].restricted;
  expression.weekdays_restricted = fields[5].restricted;
  if (!EverComes(expression)) return BadCron("day_of_month", words[3].offset, "the day never comes in these months");
  return expression;
}

}  // namespace voltwell::cron
