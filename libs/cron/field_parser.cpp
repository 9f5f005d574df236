// Values, ranges, steps and lists of one field, and the special days; see field_parser.h and expression.h.
#include "libs/cron/field_parser.h"

#include <array>
#include <span>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace voltwell::cron {
namespace {

constexpr absl::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                         "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr absl::string_view kWeekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
constexpr int kOffsetMax = 30;  // L-30 is the first day of the longest months.
constexpr int kNthMax = 5;

struct FieldRule {
  absl::string_view name;
  int low;
  int high;
  std::span<const absl::string_view> names;  // The first one is `low`.
};

constexpr std::array<FieldRule, kFieldCount> kRules = {{
    {"second", 0, 59, {}},
    {"minute", 0, 59, {}},
    {"hour", 0, 23, {}},
    {"day_of_month", 1, 31, {}},
    {"month", 1, 12, kMonths},
    {"day_of_week", 0, 7, kWeekdays},
}};

class FieldParser {
 public:
  FieldParser(Field field, absl::string_view text, size_t offset, Expression& expression)
      : field_(field),
        rule_(kRules[static_cast<size_t>(field)]),
        text_(text),
        offset_(offset),
        expression_(expression) {}

  absl::Status Parse() {
    const bool is_day = field_ == Field::kDayOfMonth || field_ == Field::kDayOfWeek;
    if (is_day && absl::StrContains(text_, '?') && text_ != "?") {
      at_ = text_.find('?');
      return Bad("QUESTION_MARK_NOT_ALONE", "? stands alone in its field");
    }
    if (is_day && text_ == "?") text_ = "*";
    restricted_ = text_ != "*";
    while (true) {
      VW_RETURN_IF_ERROR(ParseItem());
      if (at_ == text_.size()) break;
      if (text_[at_] != ',') return Unexpected();
      ++at_;
    }
    Store();
    return absl::OkStatus();
  }

 private:
  absl::Status Bad(absl::string_view mistake, const std::string& why) const {
    return BadCron("BAD_CRON", rule_.name, offset_ + at_, mistake, why);
  }
  absl::Status Unexpected() const { return Bad("UNEXPECTED_CHARACTER", "not a value, range, step or list"); }
  bool Take(char upper) {
    if (at_ == text_.size() || absl::ascii_toupper(static_cast<unsigned char>(text_[at_])) != upper) return false;
    ++at_;
    return true;
  }

  absl::Status ParseItem() {
    if (field_ == Field::kDayOfMonth && Take('L')) return ParseLast();
    if (Take('*')) {
      // 7 is Sunday again; `*/2` must not count it twice.
      return ParseStep(rule_.low, field_ == Field::kDayOfWeek ? 6 : rule_.high);
    }
    if (field_ == Field::kDayOfWeek && Take('L')) {
      --at_;
      return Bad("L_WITHOUT_DAY", "L follows a day of the week, as in 5L");
    }
    const size_t start = at_;
    VW_ASSIGN_OR_RETURN(const int low, ParseValue());
    if (field_ == Field::kDayOfMonth && Take('W')) {
      expression_.workdays_nearest |= 1U << low;
      return absl::OkStatus();
    }
    if (field_ == Field::kDayOfWeek && Take('L')) {
      expression_.last_weekdays |= 1U << (low % 7);
      return absl::OkStatus();
    }
    if (field_ == Field::kDayOfWeek && Take('#')) return ParseNth(low % 7);
    if (!Take('-')) return ParseStep(low, at_ < text_.size() && text_[at_] == '/' ? rule_.high : low);
    VW_ASSIGN_OR_RETURN(const int high, ParseValue());
    if (high < low) {
      at_ = start;
      return Bad("RANGE_BACKWARDS", "the range runs backwards");
    }
    return ParseStep(low, high);
  }

  absl::Status ParseStep(int low, int high) {
    int step = 1;
    if (Take('/')) {
      const size_t start = at_;
      VW_ASSIGN_OR_RETURN(step, ParseNumber());
      if (step < 1 || step > rule_.high) {
        at_ = start;
        return Bad("STEP_OUT_OF_RANGE", absl::StrCat("a step is 1 to ", rule_.high));
      }
    }
    for (int value = low; value <= high; value += step) mask_ |= uint64_t{1} << value;
    return absl::OkStatus();
  }

  // Behind the L of a day of month.
  absl::Status ParseLast() {
    int before = 0;
    if (Take('-')) {
      const size_t start = at_;
      VW_ASSIGN_OR_RETURN(before, ParseNumber());
      if (before < 1 || before > kOffsetMax) {
        at_ = start;
        return Bad("OFFSET_OUT_OF_RANGE", absl::StrCat("L-n takes 1 to ", kOffsetMax));
      }
    }
    (Take('W') ? expression_.workdays_nearest_to_last : expression_.days_before_last) |= 1U << before;
    return absl::OkStatus();
  }

  // Behind the # of a day of week.
  absl::Status ParseNth(int weekday) {
    const size_t start = at_;
    VW_ASSIGN_OR_RETURN(const int nth, ParseNumber());
    if (nth < 1 || nth > kNthMax) {
      at_ = start;
      return Bad("NTH_OUT_OF_RANGE", absl::StrCat("d#n takes 1 to ", kNthMax));
    }
    expression_.nth_weekdays |= uint64_t{1} << (7 * (nth - 1) + weekday);
    return absl::OkStatus();
  }

  absl::StatusOr<int> ParseValue() {
    if (at_ < text_.size() && absl::ascii_isalpha(static_cast<unsigned char>(text_[at_]))) return ParseName();
    const size_t start = at_;
    VW_ASSIGN_OR_RETURN(const int value, ParseNumber());
    if (value < rule_.low || value > rule_.high) {
      at_ = start;
      return Bad("VALUE_OUT_OF_RANGE", absl::StrCat("a value is ", rule_.low, " to ", rule_.high));
    }
    return value;
  }

  absl::StatusOr<int> ParseNumber() {
    constexpr size_t kDigitsMax = 4;  // Enough to say that a value is too large, too few to overflow.
    const size_t start = at_;
    int value = 0;
    while (at_ < text_.size() && absl::ascii_isdigit(static_cast<unsigned char>(text_[at_]))) {
      if (at_ - start == kDigitsMax) return Bad("NUMBER_TOO_LONG", "a number is too long");
      value = value * 10 + (text_[at_++] - '0');
    }
    if (at_ == start) return Bad("NUMBER_MISSING", "a number is missing");
    return value;
  }

  absl::StatusOr<int> ParseName() {
    const absl::string_view word = text_.substr(at_, 3);
    for (size_t i = 0; i < rule_.names.size(); ++i) {
      if (!absl::EqualsIgnoreCase(word, rule_.names[i])) continue;
      at_ += word.size();
      return rule_.low + static_cast<int>(i);
    }
    if (rule_.names.empty()) return Bad("NOT_A_NUMBER", "not a number");
    return Bad("UNKNOWN_NAME", "no such name");
  }

  void Store() {
    switch (field_) {
      case Field::kSecond:
        expression_.seconds = mask_;
        break;
      case Field::kMinute:
        expression_.minutes = mask_;
        break;
      case Field::kHour:
        expression_.hours = static_cast<uint32_t>(mask_);
        break;
      case Field::kDayOfMonth:
        expression_.days = static_cast<uint32_t>(mask_);
        expression_.days_restricted = restricted_;
        break;
      case Field::kMonth:
        expression_.months = static_cast<uint32_t>(mask_);
        break;
      case Field::kDayOfWeek:
        expression_.weekdays = static_cast<uint32_t>((mask_ | mask_ >> 7) & 0x7F);
        expression_.weekdays_restricted = restricted_;
        break;
    }
    expression_.special_days = (expression_.days_before_last | expression_.workdays_nearest |
                                expression_.workdays_nearest_to_last | expression_.last_weekdays) != 0 ||
                               expression_.nth_weekdays != 0;
  }

  Field field_;
  const FieldRule& rule_;
  absl::string_view text_;
  size_t offset_;
  Expression& expression_;
  size_t at_ = 0;
  uint64_t mask_ = 0;
  bool restricted_ = true;
};

}  // namespace

absl::string_view FieldName(Field field) { return kRules[static_cast<size_t>(field)].name; }

absl::Status BadCron(absl::string_view reason, absl::string_view field, size_t position, absl::string_view mistake,
                     const std::string& why) {
  return base::InvalidArgument(std::string(reason), absl::StrCat("the cron expression is not valid: ", why),
                               {{"field", std::string(field)},
                                {"position", absl::StrCat(position)},
                                {"mistake", std::string(mistake)},
                                {"why", why}});
}

absl::Status ParseField(Field field, absl::string_view text, size_t offset, Expression& expression) {
  return FieldParser(field, text, offset, expression).Parse();
}

}  // namespace voltwell::cron
