// Values out of bodies: digits, units, clocks, sentinels, vendors' shapes.
#include "libs/codec/cjt188/body.h"

#include <catch2/catch.hpp>

#include "libs/codec/cjt188/unit.h"

namespace voltwell::codec::cjt188 {
namespace {

using Kind = FieldValue::Kind;

FieldValue Decode(const char* hex, const char* unit_hex, Field field, const BodyOptions& options = {}) {
  const std::string bytes = *base::FromHex(hex);
  const std::string unit = *base::FromHex(unit_hex);
  return DecodeField(field, base::AsBytes(bytes), base::AsBytes(unit), options);
}

std::string Value(const FieldValue& value) { return value.number.ToString() + " " + std::string(value.unit); }

constexpr Field kVolume = {Reg::kVolume, Format::kBcd, 4, 2, true};
constexpr Field kHeat = {Reg::kHeat, Format::kBcd, 4, 2, true};
constexpr Field kClock = {Reg::kClock, Format::kTime, 7};

TEST_CASE("numbers keep their digits; tens and hundreds of a unit move the point, never round") {
  CHECK(Value(Decode("78563412", "2C", kVolume)) == "123456.78 m3");
  CHECK(Value(Decode("78563412", "2D", kVolume)) == "1234567.8 m3");
  CHECK(Value(Decode("78563412", "2E", kVolume)) == "12345678 m3");
  CHECK(Value(Decode("78563412", "13", kHeat)) == "12345678 GJ");
  CHECK(Value(Decode("78563412", "0E", kHeat)) == "123456.78 MJ");
  BodyOptions whole;
  whole.volume_decimals = 0;
  CHECK(Value(Decode("78563412", "29", kVolume, whole)) == "12345678 L");
  CHECK(Value(Decode("78563412", "2B", kVolume, whole)) == "1234567800 L");
  CHECK(Value(Decode("78563412", "05", kHeat, whole)) == "123456.78 kWh");
}

TEST_CASE("a profile's scale of one register goes before its decimals of all volumes") {
  BodyOptions options;
  options.volume_decimals = 0;
  options.scale[static_cast<size_t>(Reg::kVolume)] = 3;
  CHECK(Value(Decode("78563412", "2C", kVolume, options)) == "12345.678 m3");
}

TEST_CASE("sentinels are no values: FF, nines, a clock that does not run, and what a profile names") {
  CHECK(Decode("FFFFFFFF", "2C", kVolume).kind == Kind::kNoValue);
  CHECK(Decode("99999999", "2C", kVolume).kind == Kind::kNoValue);
  CHECK(Decode("00000000000000", "", kClock).kind == Kind::kNoValue);
  CHECK(Decode("FFFFFFFFFFFFFF", "", kClock).kind == Kind::kNoValue);
  CHECK(Decode("99999999999999", "", kClock).kind == Kind::kNoValue);
  CHECK(Decode("EEEEEEEE", "2C", kVolume).kind == Kind::kNotValid);
  const std::vector<std::string> named = {*base::FromHex("EEEEEEEE")};
  BodyOptions options;
  options.sentinels = named;
  CHECK(Decode("EEEEEEEE", "2C", kVolume, options).kind == Kind::kNoValue);
}

TEST_CASE("digits that are none and units that are none make no number") {
  CHECK(Decode("7856341A", "2C", kVolume).kind == Kind::kNotValid);
  CHECK(Decode("785634A1", "2C", kVolume).kind == Kind::kNotValid);
  CHECK(Decode("78563412", "00", kVolume).kind == Kind::kNotValid);
  CHECK(Decode("78563412", "38", kVolume).kind == Kind::kNotValid);
  CHECK(Decode("32", "", {Reg::kReadingDay, Format::kDay, 1}).kind == Kind::kNotValid);
}

TEST_CASE("clocks are read seconds first, and century first where only that is a moment") {
  CHECK(Decode("31012211051520", "", kClock).TimeText() == "2015-05-11T22:01:31");
  CHECK(Decode("20200528205824", "", kClock).TimeText() == "2020-05-28T20:58:24");
  CHECK(Decode("20200528205824", "", kClock).high_first);
  CHECK(Decode("60202000000000", "", kClock).kind == Kind::kNotValid);
  CHECK(Decode("31012211131520", "", kClock).kind == Kind::kNotValid);
}

TEST_CASE("all units of the standard are known, and nothing else") {
  size_t known = 0;
  for (int code = 0; code < 256; ++code) {
    const Unit* const unit = FindUnit(static_cast<uint8_t>(code));
    if (unit == nullptr) continue;
    ++known;
    CHECK(unit->code == code);
    CHECK(unit->power <= 2);
  }
  CHECK(known == 40);
}

TEST_CASE("a body whose end is a vendor's own still shows the volume that it begins with") {
  const std::string bytes = *base::FromHex("005959002C1122334455667788");
  Body body;
  REQUIRE(DecodeBody(0x901F, Use::kReply, kColdWater, base::AsBytes(bytes), {}, body));
  CHECK(body.count == 1);
  CHECK(Value(body.fields[0]) == "5959.00 m3");
  CHECK_FALSE(DecodeBody(0x901F, Use::kReply, 0x20, base::AsBytes(bytes), {}, body));
  const std::string no_unit = *base::FromHex("00595900001122334455667788");
  CHECK_FALSE(DecodeBody(0x901F, Use::kReply, kColdWater, base::AsBytes(no_unit), {}, body));
}

TEST_CASE("units stand first only where each is one of its register, and a meter without units is no such case") {
  const auto decode = [](uint16_t di, uint8_t type, const char* hex) {
    Body body;
    const std::string bytes = *base::FromHex(hex);
    CHECK(DecodeBody(di, Use::kReply, type, base::AsBytes(bytes), {}, body));
    return body;
  };
  const char* const end =
      "31012211051520"
      "2184";
  const auto volume = [&](const std::string& both) { return decode(0x901F, 0x10, (both + end).c_str()); };
  // In front: litres. Behind: digits.
  CHECK(volume("2912345678"
               "2912345678")
            .unit_first);
  // Units of heat and of power are none of a volume.
  for (const char* const both : {"0512345678"
                                 "0512345678",
                                 "1712345678"
                                 "1712345678",
                                 "3512345678"
                                 "3512345678"}) {
    CHECK_FALSE(volume(both).unit_first);
    CHECK(volume(both).fields[0].kind == FieldValue::Kind::kNotValid);
  }
  // 29 are digits, and the unit is not set.
  const Body plain = volume(
      "2912345600"
      "2912345600");
  CHECK_FALSE(plain.unit_first);
  CHECK(plain.fields[0].kind == FieldValue::Kind::kNotValid);
}

TEST_CASE("a register that a profile makes longer changes which layout fits") {
  BodyOptions options;
  options.length[static_cast<size_t>(Reg::kKeyVersion)] = 2;
  const std::string bytes = *base::FromHex("0102");
  Body body;
  CHECK_FALSE(DecodeBody(0x8106, Use::kReply, kColdWater, base::AsBytes(bytes), {}, body));
  REQUIRE(DecodeBody(0x8106, Use::kReply, kColdWater, base::AsBytes(bytes), options, body));
  CHECK(body.fields[0].number == decimal::Decimal(513, 0));
}

TEST_CASE("every layout of the table reads back the digits that were put into it") {
  for (const Layout& layout : Layouts()) {
    if (layout.fields.empty()) continue;
    std::string bytes;
    for (const Field& field : layout.fields) {
      const bool time = field.format == Format::kTime;
      bytes += time ? *base::FromHex("05040302012620") : std::string(field.length, '\x12');
      if (field.unit) bytes.push_back('\x2C');
    }
    const uint8_t type = layout.family == Family::kHeat ? 0x20 : kColdWater;
    Body body;
    CAPTURE(layout.first);
    REQUIRE(DecodeBody(layout.first, layout.use, type, base::AsBytes(bytes), {}, body));
    REQUIRE(body.count == layout.fields.size());
    for (size_t i = 0; i < body.count; ++i) {
      const Field& field = layout.fields[i];
      const FieldValue& value = body.fields[i];
      CHECK(value.reg == field.reg);
      if (field.format == Format::kBcd) {
        int64_t units = 0;
        for (size_t pair = 0; pair < field.length; ++pair) units = units * 100 + 12;
        CHECK(value.number == decimal::Decimal(units, field.scale));
      }
      if (field.format == Format::kTime) CHECK(value.TimeText() == "2026-01-02T03:04:05");
    }
  }
}

}  // namespace
}  // namespace voltwell::codec::cjt188
