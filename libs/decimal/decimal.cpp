// Exact decimal arithmetic; see decimal.h.
#include "libs/decimal/decimal.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/status.h"

namespace voltwell::decimal {
namespace {

__extension__ typedef __int128 Int128;

constexpr std::array<std::pair<Rounding, const char*>, 6> kRoundingNames = {{
    {Rounding::kHalfUp, "HALF_UP"},
    {Rounding::kHalfEven, "HALF_EVEN"},
    {Rounding::kDown, "DOWN"},
    {Rounding::kUp, "UP"},
    {Rounding::kFloor, "FLOOR"},
    {Rounding::kCeiling, "CEILING"},
}};

// Exponents reach 36 (two scales of 18); 10^36 fits in 128 bits.
Int128 PowerOfTen(int exponent) {
  VW_CHECK(exponent >= 0 && exponent <= 2 * kScaleMax);
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

absl::Status Overflow(absl::string_view operation) {
  return base::Error(absl::StatusCode::kOutOfRange, "DECIMAL_OVERFLOW",
                     absl::StrCat("the result of ", operation, " does not fit 18 digits"));
}

absl::StatusOr<Decimal> Fit(Int128 units, int scale, absl::string_view operation) {
  if (units > std::numeric_limits<int64_t>::max() || units < std::numeric_limits<int64_t>::min()) {
    return Overflow(operation);
  }
  return Decimal(static_cast<int64_t>(units), scale);
}

// units / divisor by the rule. C++ division truncates towards zero, which is kDown.
Int128 DivideRounded(Int128 units, Int128 divisor, Rounding rounding) {
  const Int128 quotient = units / divisor;
  const Int128 rest = units % divisor;
  if (rest == 0) return quotient;
  const Int128 away = units < 0 ? -1 : 1;
  const Int128 magnitude = rest < 0 ? -rest : rest;
  const Int128 to_half = divisor - magnitude;  // Compared with the rest, since twice the rest could overflow.
  switch (rounding) {
    case Rounding::kDown:
      return quotient;
    case Rounding::kUp:
      return quotient + away;
    case Rounding::kFloor:
      return units < 0 ? quotient - 1 : quotient;
    case Rounding::kCeiling:
      return units < 0 ? quotient : quotient + 1;
    case Rounding::kHalfUp:
      return magnitude >= to_half ? quotient + away : quotient;
    case Rounding::kHalfEven:
      if (magnitude == to_half) return quotient % 2 == 0 ? quotient : quotient + away;
      return magnitude > to_half ? quotient + away : quotient;
  }
  VW_CHECK(false);
}

absl::StatusOr<Decimal> Rescale(Int128 units, int from, int to, Rounding rounding, absl::string_view operation) {
  VW_CHECK(to >= 0 && to <= kScaleMax);
  if (to < from) return Fit(DivideRounded(units, PowerOfTen(from - to), rounding), to, operation);
  const Int128 factor = PowerOfTen(to - from);
  const Int128 limit = std::numeric_limits<int64_t>::max();
  if (units > limit || units < -limit - 1) return Overflow(operation);
  return Fit(units * factor, to, operation);
}

absl::Status BadDecimal(absl::string_view text, size_t position, absl::string_view why) {
  return base::InvalidArgument("BAD_DECIMAL", absl::StrCat("not a decimal number: ", why),
                               {{"position", absl::StrCat(position)}, {"text", std::string(text.substr(0, 64))}});
}

}  // namespace

absl::StatusOr<Rounding> ParseRounding(absl::string_view name) {
  for (const auto& [rounding, known] : kRoundingNames) {
    if (name == known) return rounding;
  }
  return base::InvalidArgument("BAD_ROUNDING", "no rounding rule has this name", {{"name", std::string(name)}});
}

absl::string_view RoundingName(Rounding rounding) {
  for (const auto& [known, name] : kRoundingNames) {
    if (known == rounding) return name;
  }
  VW_CHECK(false);
}

absl::StatusOr<Decimal> Decimal::Parse(absl::string_view text) {
  size_t at = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) at = 1;
  Int128 units = 0;
  std::optional<size_t> point;
  size_t digits = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.') {
      if (point.has_value()) return BadDecimal(text, at, "a second point");
      if (digits == 0) return BadDecimal(text, at, "no digit before the point");
      point = at;
      continue;
    }
    if (c < '0' || c > '9') return BadDecimal(text, at, "not a digit");
    ++digits;
    units = units * 10 + (c - '0');
    if (units > Int128{std::numeric_limits<int64_t>::max()} + (negative ? 1 : 0)) return Overflow("parsing");
  }
  if (digits == 0) return BadDecimal(text, at, "no digit");
  const size_t scale = point.has_value() ? text.size() - *point - 1 : 0;
  if (point.has_value() && scale == 0) return BadDecimal(text, at, "no digit after the point");
  if (scale > static_cast<size_t>(kScaleMax)) return BadDecimal(text, at, "more than 18 digits after the point");
  return Fit(negative ? -units : units, static_cast<int>(scale), "parsing");
}

std::string Decimal::ToString() const {
  const bool negative = units_ < 0;
  // Negated as unsigned: the smallest int64 has no positive counterpart.
  const uint64_t magnitude = negative ? uint64_t{0} - static_cast<uint64_t>(units_) : static_cast<uint64_t>(units_);
  std::string digits = absl::StrCat(magnitude);
  const size_t scale = static_cast<size_t>(scale_);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, 1, '.');
  return negative ? absl::StrCat("-", digits) : digits;
}

absl::StatusOr<Decimal> Decimal::Round(int scale, Rounding rounding) const {
  return Rescale(units_, scale_, scale, rounding, "rounding");
}

int Decimal::Compare(const Decimal& a, const Decimal& b) {
  const int scale = std::max(a.scale_, b.scale_);
  const Int128 left = Int128{a.units_} * PowerOfTen(scale - a.scale_);
  const Int128 right = Int128{b.units_} * PowerOfTen(scale - b.scale_);
  if (left == right) return 0;
  return left < right ? -1 : 1;
}

absl::StatusOr<Decimal> Add(const Decimal& a, const Decimal& b) {
  const int scale = std::max(a.scale(), b.scale());
  return Fit(Int128{a.units()} * PowerOfTen(scale - a.scale()) + Int128{b.units()} * PowerOfTen(scale - b.scale()),
             scale, "an addition");
}

absl::StatusOr<Decimal> Subtract(const Decimal& a, const Decimal& b) {
  const int scale = std::max(a.scale(), b.scale());
  return Fit(Int128{a.units()} * PowerOfTen(scale - a.scale()) - Int128{b.units()} * PowerOfTen(scale - b.scale()),
             scale, "a subtraction");
}

absl::StatusOr<Decimal> Multiply(const Decimal& a, const Decimal& b) {
  const int scale = a.scale() + b.scale();
  if (scale > kScaleMax) return Overflow("a multiplication");
  return Fit(Int128{a.units()} * Int128{b.units()}, scale, "a multiplication");
}

absl::StatusOr<Decimal> MultiplyRounded(const Decimal& a, const Decimal& b, int scale, Rounding rounding) {
  return Rescale(Int128{a.units()} * Int128{b.units()}, a.scale() + b.scale(), scale, rounding, "a multiplication");
}

std::ostream& operator<<(std::ostream& out, const Decimal& value) { return out << value.ToString(); }

}  // namespace voltwell::decimal
