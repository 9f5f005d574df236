// Money: whole minor units (fen, cents) of one currency. Amounts of different currencies never meet.
#pragma once

#include <array>
#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/decimal/decimal.h"

namespace voltwell::decimal {

// An ISO 4217 code: three upper-case letters.
class Currency {
 public:
  // BAD_CURRENCY otherwise.
  static absl::StatusOr<Currency> Parse(absl::string_view code);
  static constexpr Currency Cny() { return Currency({'C', 'N', 'Y'}); }

  absl::string_view code() const { return {code_.data(), code_.size()}; }
  // Digits of the minor unit: 2 for CNY and EUR, 0 for JPY, 3 for KWD (ISO 4217).
  int minor_digits() const;

  friend bool operator==(const Currency& a, const Currency& b) { return a.code_ == b.code_; }

 private:
  explicit constexpr Currency(std::array<char, 3> code) : code_(code) {}
  std::array<char, 3> code_;
};

class Money {
 public:
  constexpr Money(int64_t minor_units, Currency currency) : minor_units_(minor_units), currency_(currency) {}

  // An exactly computed amount ("12.345" yuan) rounded once to the minor unit, by the rule that its tariff names.
  static absl::StatusOr<Money> FromDecimal(const Decimal& amount, Currency currency, Rounding rounding);

  int64_t minor_units() const { return minor_units_; }
  const Currency& currency() const { return currency_; }

  // Exact: 1234 fen is 12.34.
  Decimal ToDecimal() const { return Decimal(minor_units_, currency_.minor_digits()); }
  // "12.34 CNY".
  std::string ToString() const;

  friend bool operator==(const Money& a, const Money& b) {
    return a.minor_units_ == b.minor_units_ && a.currency_ == b.currency_;
  }

 private:
  int64_t minor_units_;
  Currency currency_;
};

// CURRENCY_DIFFERS, or MONEY_OVERFLOW.
absl::StatusOr<Money> Add(const Money& a, const Money& b);
absl::StatusOr<Money> Subtract(const Money& a, const Money& b);

std::ostream& operator<<(std::ostream& out, const Money& value);

}  // namespace voltwell::decimal
