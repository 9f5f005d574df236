// How dates, times and tables are written: which pair of digits each byte is, and how they look as text.
#pragma once

#include "absl/strings/string_view.h"
#include "libs/codec/dlt645/field.h"

namespace voltwell::codec::dlt645 {

// Letters are pairs of digits: Y year, M month, D day, W weekday, h, m, s, N a number.
struct Shape {
  absl::string_view wire = "";  // In the order of the wire, a letter a byte. Empty: the format has no shape.
  absl::string_view text = "";  // Letters stand for their digits, other characters for themselves; # is "20".
  absl::string_view notation = "";
  bool zeros_are_none = false;  // All zeros: never, or not set.
};

constexpr Shape ShapeOf(Format format) {
  switch (format) {
    case Format::kDateTime:
      return {"mhDMY", "#Y-M-DTh:m", "YYMMDDhhmm", true};
    case Format::kDateTimeSec:
      return {"smhDMY", "#Y-M-DTh:m:s", "YYMMDDhhmmss", true};
    case Format::kDateWeek:
      return {"WDMY", "#Y-M-D", "YYMMDDWW", true};
    case Format::kTime:
      return {"smh", "h:m:s", "hhmmss", false};
    case Format::kDateTimeWeek:
      return {"smhWDMY", "#Y-M-DTh:m:s", "YYMMDDWWhhmmss", true};
    case Format::kMonthDayTime:
      return {"mhDM", "M-DTh:m", "MMDDhhmm", true};
    case Format::kMonthDayTable:
      return {"NDM", "M-D/N", "MMDDNN", true};
    case Format::kTimeTariff:
      return {"Nmh", "h:m/N", "hhmmNN", false};
    case Format::kHoliday:
      return {"NDMY", "#Y-M-D/N", "YYMMDDNN", true};
    case Format::kMonthDayHour:
      return {"hDM", "M-DTh", "MMDDhh", true};
    case Format::kDayHour:
      return {"hD", "DTh", "DDhh", true};
    case Format::kHourMinute:
      return {"mh", "h:m", "hhmm", false};
    default:
      return {};
  }
}

// Whether a pair of digits may stand at this letter.
constexpr bool InRange(char letter, int value) {
  switch (letter) {
    case 'M':
      return value >= 1 && value <= 12;
    case 'D':
      return value >= 1 && value <= 31;
    case 'h':
      return value <= 23;
    case 'm':
    case 's':
      return value <= 59;
    default:
      return true;
  }
}

}  // namespace voltwell::codec::dlt645
