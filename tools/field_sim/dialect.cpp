#include "tools/field_sim/dialect.h"

#include <array>

#include "libs/base/check.h"
#include "tools/field_sim/cjt188_meter.h"
#include "tools/field_sim/mbus_meter.h"
#include "tools/field_sim/meter.h"
#include "tools/field_sim/meter_1997.h"

namespace voltwell::field_sim {
namespace {

template <typename M>
std::unique_ptr<Device> Make(const ParkMeter& config, const LoadSettings& settings, Moment start) {
  return std::make_unique<M>(config, settings, start);
}

bool IsDlt645Address(absl::string_view text) {
  const auto address = ParseAddress(text);
  return address.has_value() && !HasWildcard(*address) && *address != kBroadcast;
}

constexpr absl::string_view kTwelveDigits = "twelve hex digits of one meter";

constexpr auto kDialects = std::to_array<Dialect>({
    {.protocol = MeterProtocol::kDlt645_2007,
     .name = "DLT645_2007",
     .make_meter = Make<Meter>,
     .is_address = IsDlt645Address,
     .address_words = kTwelveDigits},
    {.protocol = MeterProtocol::kDlt645_1997,
     .name = "DLT645_1997",
     .make_meter = Make<Meter1997>,
     .is_address = IsDlt645Address,
     .address_words = kTwelveDigits},
    {.protocol = MeterProtocol::kCjt188,
     .name = "CJT188",
     .make_cutter = MakeCjt188Cutter,
     .make_meter = Make<Cjt188Meter>,
     .is_address = IsCjt188MeterAddress,
     .address_words = "14 digits of one meter, or 16 with its type before them",
     .read_fields = ReadCjt188Fields,
     .write_fields = WriteCjt188Fields},
    {.protocol = MeterProtocol::kMbus,
     .name = "MBUS",
     .make_cutter = MakeMbusCutter,
     .make_meter = Make<MbusMeter>,
     .is_address = IsMbusMeterAddress,
     .address_words = "p0 to p250, eight digits, or 16 with manufacturer, version and medium",
     .read_fields = ReadMbusFields,
     .write_fields = WriteMbusFields},
});

}  // namespace

std::span<const Dialect> Dialects() { return kDialects; }

const Dialect* FindDialect(absl::string_view name) {
  for (const Dialect& dialect : kDialects) {
    if (dialect.name == name) return &dialect;
  }
  return nullptr;
}

const Dialect& DialectOf(MeterProtocol protocol) {
  for (const Dialect& dialect : kDialects) {
    if (dialect.protocol == protocol) return dialect;
  }
  VW_CHECK(false);
  return kDialects.front();
}

}  // namespace voltwell::field_sim
