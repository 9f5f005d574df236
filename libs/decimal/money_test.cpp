// Money stays exact and never mixes currencies.
#include "libs/decimal/money.h"

#include <catch2/catch.hpp>
#include <limits>

#include "libs/base/status.h"

namespace voltwell::decimal {
namespace {

TEST_CASE("an amount is rounded once to the minor unit of its currency") {
  const Decimal amount(12345, 3);  // 12.345
  CHECK(Money::FromDecimal(amount, Currency::Cny(), Rounding::kHalfUp)->minor_units() == 1235);
  CHECK(Money::FromDecimal(amount, Currency::Cny(), Rounding::kHalfEven)->minor_units() == 1234);
  CHECK(Money::FromDecimal(amount, *Currency::Parse("JPY"), Rounding::kHalfUp)->minor_units() == 12);
  CHECK(Money::FromDecimal(amount, *Currency::Parse("KWD"), Rounding::kHalfUp)->minor_units() == 12345);
}

TEST_CASE("money is printed with its currency") { CHECK(Money(-1205, Currency::Cny()).ToString() == "-12.05 CNY"); }

TEST_CASE("amounts of different currencies are refused") {
  const Money yuan(100, Currency::Cny());
  const Money euro(100, *Currency::Parse("EUR"));
  CHECK(base::ReasonOf(Add(yuan, euro).status()) == "CURRENCY_DIFFERS");
  CHECK(base::ReasonOf(Subtract(yuan, euro).status()) == "CURRENCY_DIFFERS");
  CHECK_FALSE(yuan == euro);
}

TEST_CASE("an amount beyond 63 bits is an overflow by name") {
  const Money most(std::numeric_limits<int64_t>::max(), Currency::Cny());
  const Money least(std::numeric_limits<int64_t>::min(), Currency::Cny());
  const Money fen(1, Currency::Cny());
  CHECK(base::ReasonOf(Add(most, fen).status()) == "MONEY_OVERFLOW");
  CHECK(base::ReasonOf(Subtract(least, fen).status()) == "MONEY_OVERFLOW");
  CHECK(Subtract(most, fen)->minor_units() == std::numeric_limits<int64_t>::max() - 1);
}

TEST_CASE("a currency is three upper-case letters") {
  for (const char* bad : {"", "CN", "cny", "CNYX", "C1Y"}) {
    CHECK(base::ReasonOf(Currency::Parse(bad).status()) == "BAD_CURRENCY");
  }
}

}  // namespace
}  // namespace voltwell::decimal
