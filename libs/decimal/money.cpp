// Money in minor units; see money.h.
#include "libs/decimal/money.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::decimal {
namespace {

absl::Status CurrencyDiffers(const Money& a, const Money& b) {
  return base::InvalidArgument(
      "CURRENCY_DIFFERS", "amounts of different currencies cannot be combined",
      {{"left", std::string(a.currency().code())}, {"right", std::string(b.currency().code())}});
}

absl::Status MoneyOverflow() {
  return base::Error(absl::StatusCode::kOutOfRange, "MONEY_OVERFLOW", "the amount does not fit 63 bits of minor units");
}

}  // namespace

absl::StatusOr<Currency> Currency::Parse(absl::string_view code) {
  const bool letters = std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (code.size() != 3 || !letters) {
    return base::InvalidArgument("BAD_CURRENCY", "a currency is three upper-case letters (ISO 4217)",
                                 {{"currency", std::string(code.substr(0, 16))}});
  }
  return Currency({code[0], code[1], code[2]});
}

int Currency::minor_digits() const {
  // The exceptions of ISO 4217 that have customers with meters; all others have two.
  for (const absl::string_view none : {"JPY", "KRW", "VND", "CLP", "XOF", "XAF", "UGX", "RWF", "PYG"}) {
    if (code() == none) return 0;
  }
  for (const absl::string_view three : {"KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD"}) {
    if (code() == three) return 3;
  }
  return 2;
}

absl::StatusOr<Money> Money::FromDecimal(const Decimal& amount, Currency currency, Rounding rounding) {
  VW_ASSIGN_OR_RETURN(const Decimal rounded, amount.Round(currency.minor_digits(), rounding));
  return Money(rounded.units(), currency);
}

std::string Money::ToString() const { return absl::StrCat(ToDecimal().ToString(), " ", currency_.code()); }

absl::StatusOr<Money> Add(const Money& a, const Money& b) {
  if (!(a.currency() == b.currency())) return CurrencyDiffers(a, b);
  int64_t sum = 0;
  if (__builtin_add_overflow(a.minor_units(), b.minor_units(), &sum)) return MoneyOverflow();
  return Money(sum, a.currency());
}

absl::StatusOr<Money> Subtract(const Money& a, const Money& b) {
  if (!(a.currency() == b.currency())) return CurrencyDiffers(a, b);
  int64_t difference = 0;
  if (__builtin_sub_overflow(a.minor_units(), b.minor_units(), &difference)) return MoneyOverflow();
  return Money(difference, a.currency());
}

std::ostream& operator<<(std::ostream& out, const Money& value) { return out << value.ToString(); }

}  // namespace voltwell::decimal
