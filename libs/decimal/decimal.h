// Exact decimal numbers for quantities and prices: an int64 mantissa and a scale, so 1234.56 is (123456, 2).
// Intermediate results have 128 bits; what does not fit afterwards is the named error DECIMAL_OVERFLOW, never a wrong
// number. No floating point: a meter's BCD digits reach the bill unchanged.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::decimal {

// Digits after the point. 10^18 is the largest power of ten that fits int64.
inline constexpr int kScaleMax = 18;

// What happens to the digits that rounding drops. Tariffs name one of these.
enum class Rounding {
  kHalfUp,    // To the nearest; a half goes away from zero (commercial rounding).
  kHalfEven,  // To the nearest; a half goes to the even digit (banker's rounding).
  kDown,      // Towards zero.
  kUp,        // Away from zero.
  kFloor,     // Towards minus infinity.
  kCeiling,   // Towards plus infinity.
};

// "HALF_UP", "HALF_EVEN", "DOWN", "UP", "FLOOR", "CEILING"; BAD_ROUNDING otherwise.
absl::StatusOr<Rounding> ParseRounding(absl::string_view name);
absl::string_view RoundingName(Rounding rounding);

class Decimal {
 public:
  constexpr Decimal() = default;
  // The number units / 10^scale. Scale is a property of our tables, so one outside 0..kScaleMax is a bug.
  constexpr Decimal(int64_t units, int scale) : units_(units), scale_(static_cast<int8_t>(scale)) {}

  // An optional sign, digits, and at most one point with digits after it: "-0012.340" keeps scale 3.
  // BAD_DECIMAL with metadata position otherwise.
  static absl::StatusOr<Decimal> Parse(absl::string_view text);

  constexpr int64_t units() const { return units_; }
  constexpr int scale() const { return scale_; }

  // All digits of the scale are shown: (100, 2) is "1.00".
  std::string ToString() const;

  // The same number with another scale; digits dropped are rounded, digits gained are zeros.
  absl::StatusOr<Decimal> Round(int scale, Rounding rounding) const;

  // The numbers are compared, not their scales: 1.0 equals 1.00.
  friend bool operator==(const Decimal& a, const Decimal& b) { return Compare(a, b) == 0; }
  friend bool operator<(const Decimal& a, const Decimal& b) { return Compare(a, b) < 0; }
  friend bool operator>(const Decimal& a, const Decimal& b) { return Compare(a, b) > 0; }
  friend bool operator<=(const Decimal& a, const Decimal& b) { return Compare(a, b) <= 0; }
  friend bool operator>=(const Decimal& a, const Decimal& b) { return Compare(a, b) >= 0; }

 private:
  static int Compare(const Decimal& a, const Decimal& b);

  int64_t units_ = 0;
  int8_t scale_ = 0;
};

// The result has the larger scale of the two.
absl::StatusOr<Decimal> Add(const Decimal& a, const Decimal& b);
absl::StatusOr<Decimal> Subtract(const Decimal& a, const Decimal& b);

// Exact; the result has the sum of the scales, which must not exceed kScaleMax.
absl::StatusOr<Decimal> Multiply(const Decimal& a, const Decimal& b);

// The product computed exactly in 128 bits and rounded once: quantity x price to a currency's minor unit.
absl::StatusOr<Decimal> MultiplyRounded(const Decimal& a, const Decimal& b, int scale, Rounding rounding);

std::ostream& operator<<(std::ostream& out, const Decimal& value);

}  // namespace voltwell::decimal
