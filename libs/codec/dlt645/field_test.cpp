// Fields: exact digits, signs, sentinels, dates, and what is none of these.
#include "libs/codec/dlt645/field.h"

#include <catch2/catch.hpp>

#include "libs/codec/dlt645/frame.h"

namespace voltwell::codec::dlt645 {
namespace {

// Bytes without 33H, as they are read off a page.
FieldValue Decode(absl::string_view hex, Format format, int scale = 0) {
  std::string bytes = *base::FromHex(hex);
  for (char& c : bytes) c = static_cast<char>(c + kOffset);
  return DecodeField(base::AsBytes(bytes), format, scale);
}

TEST_CASE("BCD digits keep their scale") {
  CHECK(Decode("69020000", Format::kBcd, 2).number.ToString() == "2.69");
  CHECK(Decode("99999999", Format::kBcd, 2).number.ToString() == "999999.99");
  CHECK(Decode("00000000", Format::kBcd, 2).number.ToString() == "0.00");
}

TEST_CASE("the highest bit is the sign where the register has one") {
  CHECK(Decode("122580", Format::kSignedBcd, 4).number.ToString() == "-0.2512");
  CHECK(Decode("999979", Format::kSignedBcd, 4).number.ToString() == "79.9999");
  CHECK(Decode("0010", Format::kSignedBcd, 3).number.ToString() == "1.000");
  CHECK(Decode("0080", Format::kBcd, 1).number.ToString() == "800.0");
}

TEST_CASE("all bytes FF are no value, never a number") {
  for (const Format format : {Format::kBcd, Format::kSignedBcd, Format::kBits, Format::kTime, Format::kDigits}) {
    CHECK(Decode("FFFFFF", format, 2).kind == FieldValue::Kind::kNoValue);
  }
  CHECK(Decode("FFFFFF", Format::kBcd, 2).Text().empty());
}

TEST_CASE("each nibble that is no digit is found") {
  for (size_t nibble = 0; nibble < 8; ++nibble) {
    for (const char bad : {'A', 'B', 'C', 'D', 'E', 'F'}) {
      std::string hex = "99999999";
      hex[nibble] = bad;
      CAPTURE(hex);
      CHECK(Decode(hex, Format::kBcd, 2).kind == FieldValue::Kind::kNotValid);
    }
  }
  CHECK(Decode("A9999999999999", Format::kDigits).kind == FieldValue::Kind::kNotValid);
  CHECK(Decode("999999999999A9", Format::kDigits).kind == FieldValue::Kind::kNotValid);
}

TEST_CASE("dates and times are printed as the meter's local time") {
  CHECK(Decode("01110116", Format::kDateWeek).Text() == "2016-01-11");
  CHECK(Decode("555321", Format::kTime).Text() == "21:53:55");
  CHECK(Decode("55532101110116", Format::kDateTimeWeek).Text() == "2016-01-11T21:53:55");
  CHECK(Decode("5000", Format::kBits).Text() == "0050");
  CHECK(Decode("120000001020", Format::kDigits).Text() == "201000000012");
}

TEST_CASE("a date or time that is none is not valid") {
  CHECK(Decode("01320116", Format::kDateWeek).kind == FieldValue::Kind::kNotValid);
  CHECK(Decode("01111316", Format::kDateWeek).kind == FieldValue::Kind::kNotValid);
  CHECK(Decode("01000116", Format::kDateWeek).kind == FieldValue::Kind::kNotValid);
  CHECK(Decode("605321", Format::kTime).kind == FieldValue::Kind::kNotValid);
  CHECK(Decode("555324", Format::kTime).kind == FieldValue::Kind::kNotValid);
  CHECK(Decode("55532401110116", Format::kDateTimeWeek).kind == FieldValue::Kind::kNotValid);
}

}  // namespace
}  // namespace voltwell::codec::dlt645
