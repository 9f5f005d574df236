// Exactness, rounding rules and the named overflow of Decimal.
#include "libs/decimal/decimal.h"

#include <catch2/catch.hpp>
#include <limits>
#include <random>

#include "libs/base/status.h"

namespace voltwell::decimal {
namespace {

Decimal D(absl::string_view text) {
  const auto value = Decimal::Parse(text);
  REQUIRE(value.ok());
  return *value;
}

TEST_CASE("a decimal prints what was parsed, with all digits of its scale") {
  for (const char* text : {"0", "-1", "1234.56", "-0.05", "0.000", "9223372036854775807", "-9223372036854775808",
                           "-9.223372036854775808", "0.000000000000000001"}) {
    CHECK(D(text).ToString() == text);
  }
  CHECK(D("+007.10").ToString() == "7.10");
}

TEST_CASE("a text that is no decimal is refused with the position of the mistake") {
  const auto position = [](absl::string_view text) {
    const auto value = Decimal::Parse(text);
    REQUIRE_FALSE(value.ok());
    CHECK(base::ReasonOf(value.status()) == "BAD_DECIMAL");
    return base::MetadataOf(value.status())["position"];
  };
  CHECK(position("") == "0");
  CHECK(position("12x") == "2");
  CHECK(position("1.2.3") == "3");
  CHECK(position("1.") == "2");
  CHECK(position(".5") == "0");
  CHECK(position("-") == "1");
  CHECK(position("1e5") == "1");
  CHECK(position("0.0000000000000000001") == "21");
}

TEST_CASE("what does not fit is an overflow by name, one unit beyond the limit") {
  CHECK(base::ReasonOf(Decimal::Parse("9223372036854775808").status()) == "DECIMAL_OVERFLOW");
  CHECK(base::ReasonOf(Decimal::Parse("-9223372036854775809").status()) == "DECIMAL_OVERFLOW");
  const Decimal max(std::numeric_limits<int64_t>::max(), 0);
  CHECK(base::ReasonOf(Add(max, D("1")).status()) == "DECIMAL_OVERFLOW");
  CHECK(base::ReasonOf(Subtract(D("-2"), max).status()) == "DECIMAL_OVERFLOW");
  CHECK(base::ReasonOf(Multiply(max, D("2")).status()) == "DECIMAL_OVERFLOW");
  CHECK(base::ReasonOf(Multiply(D("0.0000000001"), D("0.0000000001")).status()) == "DECIMAL_OVERFLOW");
  CHECK(base::ReasonOf(max.Round(1, Rounding::kHalfUp).status()) == "DECIMAL_OVERFLOW");
}

TEST_CASE("sums, differences and products are exact") {
  CHECK(Add(D("0.1"), D("0.2"))->ToString() == "0.3");
  CHECK(Add(D("1.5"), D("0.005"))->ToString() == "1.505");
  CHECK(Subtract(D("1234.56"), D("1234.565"))->ToString() == "-0.005");
  CHECK(Multiply(D("12.34"), D("0.56789"))->ToString() == "7.0077626");
}

TEST_CASE("numbers are compared by value, whatever their scales") {
  CHECK(D("1.0") == D("1.00"));
  CHECK(D("-1.01") < D("-1"));
  CHECK(D("9223372036854775807") > D("0.000000000000000001"));
  CHECK(D("2") >= D("2.0"));
  CHECK(D("2") <= D("2.0"));
}

TEST_CASE("each rounding rule does what its name says") {
  struct Row {
    Rounding rounding;
    const char* results[6];  // For 2.5, 3.5, 2.4, -2.5, -2.6, 2.
  };
  const Row rows[] = {
      {Rounding::kHalfUp, {"3", "4", "2", "-3", "-3", "2"}}, {Rounding::kHalfEven, {"2", "4", "2", "-2", "-3", "2"}},
      {Rounding::kDown, {"2", "3", "2", "-2", "-2", "2"}},   {Rounding::kUp, {"3", "4", "3", "-3", "-3", "2"}},
      {Rounding::kFloor, {"2", "3", "2", "-3", "-3", "2"}},  {Rounding::kCeiling, {"3", "4", "3", "-2", "-2", "2"}},
  };
  const char* inputs[6] = {"2.5", "3.5", "2.4", "-2.5", "-2.6", "2.0"};
  for (const Row& row : rows) {
    CAPTURE(RoundingName(row.rounding));
    CHECK(*ParseRounding(RoundingName(row.rounding)) == row.rounding);
    for (int i = 0; i < 6; ++i) CHECK(D(inputs[i]).Round(0, row.rounding)->ToString() == row.results[i]);
  }
  CHECK(base::ReasonOf(ParseRounding("SOMEHOW").status()) == "BAD_ROUNDING");
}

TEST_CASE("a product is rounded once, so 1.005 x 0.9 is not rounded twice") {
  CHECK(MultiplyRounded(D("1.005"), D("0.9"), 2, Rounding::kHalfUp)->ToString() == "0.90");
  // The exact product 2.4499999995 rounds to 2.4; by way of two decimals (2.45) it would become 2.5.
  CHECK(MultiplyRounded(D("2.4499999995"), D("1.0"), 1, Rounding::kHalfUp)->ToString() == "2.4");
  // The exact product has 37 digits; only the rounded one must fit.
  CHECK(MultiplyRounded(D("9.223372036854775807"), D("0.999999999999999999"), 2, Rounding::kHalfUp)->ToString() ==
        "9.22");
}

TEST_CASE("10,000 random sums and their way back end where they began") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 10'000; ++i) {
    const Decimal a(static_cast<int64_t>(random()) / 1'000'000'000, static_cast<int>(random() % 7));
    const Decimal b(static_cast<int64_t>(random()) / 1'000'000'000, static_cast<int>(random() % 7));
    const auto sum = Add(a, b);
    REQUIRE(sum.ok());
    REQUIRE(*Subtract(*sum, b) == a);
    REQUIRE(*Decimal::Parse(a.ToString()) == a);
  }
}

}  // namespace
}  // namespace voltwell::decimal
