#include "tools/field_sim/park_meter.h"

#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "tools/field_sim/dialect.h"
#include "tools/field_sim/park_pattern.h"

namespace voltwell::field_sim {
namespace {

using nlohmann::json;
using Type = json::value_t;

constexpr int64_t kMaxCentiKwh = 99'999'999;  // A register shows 999999.99 and rolls over.

// A reply that was recorded without its request is the answer to the read of the DI that it begins with; a refusal
// names no DI and answers all requests of its function.
std::optional<RecordedExchange> MakeExchange(Address address, const std::string& request, const std::string& reply) {
  const size_t start = reply.find('\x68');
  if (start == std::string::npos || reply.size() < start + 12) return std::nullopt;
  const auto control = static_cast<uint8_t>(reply[start + 8]);
  RecordedExchange out{request, reply, static_cast<uint8_t>(control & 0x1F)};
  if (!request.empty() || (control & 0x40) != 0) return out;
  if (control != 0x91 || reply.size() < start + 16) return std::nullopt;
  Reply read;  // A request is built like a reply.
  read.control = 0x11;
  for (size_t i = 0; i < 4; ++i) read.Put(static_cast<uint8_t>(reply[start + 10 + i] - 0x33));
  std::array<uint8_t, kMaxFrame> frame;
  out.request = base::ToString(Bytes(frame).first(BuildFrame(address, read, frame.data())));
  return out;
}

void CheckAddress(ObjectReader& fields, const std::string& text, ParkMeter* meter) {
  const Dialect& dialect = DialectOf(meter->protocol);
  if (!dialect.is_address(text)) {
    fields.Fail("PARK_BAD_ADDRESS", "address", absl::StrCat("'", text, "' is not ", dialect.address_words));
    return;
  }
  if (dialect.make_cutter == nullptr) {
    meter->address = ParseAddress(text).value_or(0);
    meter->address_text = AddressText(meter->address);
    return;
  }
  meter->address_text = text;
  for (const char c : text) meter->address = (meter->address ^ static_cast<uint8_t>(c)) * 0x100000001B3;
}

// Litres, watts and degrees of a water, heat or gas meter.
void ReadFluid(ObjectReader& fields, ParkFluid* fluid) {
  constexpr int64_t kLitresMax = 999'999'999, kHeatMax = 999'999'999'999;
  fluid->start_litres = fields.Decimal("start_m3", 0, 3, kLitresMax);
  fluid->settled_litres = fields.Decimal("settled_m3", 0, 3, kLitresMax);
  fluid->litres_per_hour = fields.Int("flow_l_per_h", 0, 0, 1'000'000);
  fluid->start_heat_wh = fields.Decimal("start_heat_kwh", 0, 3, kHeatMax);
  fluid->settled_heat_wh = fields.Decimal("settled_heat_kwh", 0, 3, kHeatMax);
  fluid->heat_w = fields.Int("heat_w", 0, 0, 10'000'000);
  fluid->supply_centi_c = fields.Decimal("supply_c", 6500, 2, 20'000);
  fluid->return_centi_c = fields.Decimal("return_c", 4000, 2, 20'000);
  fluid->has_valve = fields.Flag("has_valve", true);
  fluid->battery_low = fields.Flag("battery_low", false);
}

void ReadRelay(ObjectReader& fields, ParkMeter* meter) {
  meter->password_level = static_cast<uint8_t>(fields.Int("password_level", 2, 0, 99));
  const std::string password = fields.Text("password", "000000");
  const auto digits = ParseAddress(absl::StrCat("000000", password));
  if (!digits.has_value()) fields.Fail("PARK_FIELD_RANGE", "password", "six digits are expected");
  meter->password = static_cast<uint32_t>(digits.value_or(0));
  if (fields.Has("operator")) {
    const auto code = ParseAddress(absl::StrCat("0000", fields.Text("operator", "")));
    if (!code.has_value()) fields.Fail("PARK_FIELD_RANGE", "operator", "eight hex digits are expected");
    meter->operator_code = static_cast<uint32_t>(code.value_or(0));
  }
  meter->expiry_checked = fields.Flag("expiry_checked", true);
  meter->permit_needs_button = fields.Flag("permit_needs_button", false);
  meter->relay_delay_ms = static_cast<int>(fields.Int("relay_delay_ms", 0, 0, 600'000));
  meter->clock_offset_s = fields.Int("clock_offset_s", 0, -1'000'000'000, 1'000'000'000);
  meter->clock_drift_ppm = fields.Int("clock_drift_ppm", 0, -100'000, 100'000);
}

}  // namespace

void MeterReader::ReadElectricity(ObjectReader& fields, ParkMeter* meter) {
  meter->phases = static_cast<int>(fields.Int("phases", 1, 1, 3));
  if (meter->phases == 2) fields.Fail("PARK_FIELD_RANGE", "phases", "a meter has 1 or 3 phases");
  if (const json* tariffs = fields.Child("start_kwh", Type::array)) {
    if (tariffs->size() != meter->forward_centi_kwh.size()) {
      fields.Fail("PARK_FIELD_RANGE", "start_kwh", "four tariffs are expected");
      return;
    }
    json named = json::object();
    for (size_t i = 0; i < 4; ++i) named[std::to_string(i)] = (*tariffs)[i];
    ObjectReader items(named, fields.PathOf("start_kwh"), error_);
    for (size_t i = 0; i < 4; ++i) {
      meter->forward_centi_kwh[i] = items.Decimal(std::to_string(i), 0, 2, kMaxCentiKwh / 4);
    }
  }
  meter->reverse_centi_kwh = fields.Decimal("start_reverse_kwh", 0, 2, kMaxCentiKwh);
  // A register shows at most 79.9999 kW.
  meter->power_w = fields.Int("power_w", 800, 0, 60'000);
  meter->voltage_dv = fields.Decimal("voltage_v", 2200, 1, 5000);
  if (fields.Has("remaining_yuan")) meter->remaining_fen = fields.Decimal("remaining_yuan", 0, 2, kMaxCentiKwh);
  meter->price_yuan = fields.Number("price_yuan", 0.56, 0, 9999);
  meter->customer = fields.Text("customer", "");
  if (!meter->customer.empty() && !ParseAddress(meter->customer).has_value()) {
    fields.Fail("PARK_FIELD_RANGE", "customer", "twelve digits are expected");
  }
  meter->purchase_count = static_cast<uint32_t>(fields.Int("purchase_count", 0, 0, 65'535));
  if (fields.Has("wallet_mac")) {
    const auto mac = ParseAddress(absl::StrCat("0000", fields.Text("wallet_mac", "")));
    if (!mac.has_value()) fields.Fail("PARK_FIELD_RANGE", "wallet_mac", "eight hex digits are expected");
    meter->wallet_mac = static_cast<uint32_t>(mac.value_or(0));
  }
  meter->wallet_authenticates = fields.Flag("wallet_authenticates", false);
  if (fields.Has("hoarding_yuan")) meter->hoarding_fen = fields.Decimal("hoarding_yuan", 0, 2, kMaxCentiKwh);
}

// The exchanges of one address out of a file of recorded frames; each file is read once.
const json* MeterReader::RecordedFile(ObjectReader& fields, const std::string& name) {
  if (const auto known = recorded_files_.find(name); known != recorded_files_.end()) return &known->second;
  const auto text = read_file_(name);
  if (!text.ok()) {
    fields.Fail("PARK_FILE_UNREADABLE", "recorded", text.status().message());
    return nullptr;
  }
  json parsed = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object() || !parsed.contains("exchanges") || !parsed["exchanges"].is_array()) {
    fields.Fail("PARK_NOT_JSON", "recorded", absl::StrCat(name, " is not an object with a list of exchanges"));
    return nullptr;
  }
  return &recorded_files_.emplace(name, std::move(parsed)).first->second;
}

void MeterReader::ReadRecorded(ObjectReader& fields, ParkMeter* meter) {
  meter->recorded_file = fields.Text("recorded", "");
  const std::string otherwise = fields.Text("unrecorded", "no_such_data");
  if (otherwise != "no_such_data" && otherwise != "silence") {
    fields.Fail("PARK_FIELD_RANGE", "unrecorded", "no_such_data or silence is expected");
  }
  meter->unrecorded = otherwise == "silence" ? Unrecorded::kSilence : Unrecorded::kNoSuchData;
  if (meter->kind != MeterKind::kReplay || !fields.ok()) return;
  const json* file = RecordedFile(fields, meter->recorded_file);
  if (file == nullptr) return;
  int64_t index = -1;
  for (const json& value : (*file)["exchanges"]) {
    ObjectReader entry(value, absl::StrCat(meter->recorded_file, "#/exchanges/", ++index), error_);
    const auto address = ParseAddress(entry.Text("address", ""));
    if (!address.has_value()) entry.Fail("PARK_BAD_ADDRESS", "address", "twelve hex digits are expected");
    const auto request = base::FromHex(entry.Text("request", ""));
    const auto reply = base::FromHex(entry.Text("reply", ""));
    if (!request.ok()) entry.Fail("PARK_BAD_HEX", "request", "hex digits in pairs are expected");
    if (!reply.ok() || reply->empty()) entry.Fail("PARK_BAD_HEX", "reply", "hex digits in pairs are expected");
    if (!error_->ok()) return;
    if (*address != meter->address) continue;
    const auto exchange = MakeExchange(*address, *request, *reply);
    if (!exchange.has_value()) entry.Fail("PARK_BAD_HEX", "request", "this reply does not tell what was asked");
    if (exchange.has_value()) meter->recorded.push_back(*exchange);
  }
  if (meter->recorded.empty()) {
    fields.Fail("PARK_BAD_ADDRESS", "address", absl::StrCat("nothing recorded of it in ", meter->recorded_file));
  }
}

ParkMeter MeterReader::Read(const json& value, const std::string& path, bool address_needed) {
  ParkMeter meter;
  ObjectReader fields(value, path, error_);
  const std::string kind = fields.Text("kind", "live");
  if (kind != "live" && kind != "replay") fields.Fail("PARK_FIELD_RANGE", "kind", "live or replay is expected");
  meter.kind = kind == "replay" ? MeterKind::kReplay : MeterKind::kLive;
  const std::string protocol = fields.Text("protocol", "DLT645_2007");
  const Dialect* dialect = FindDialect(protocol);
  if (dialect == nullptr) {
    fields.Fail("PARK_FIELD_RANGE", "protocol", absl::StrCat("'", protocol, "' is no protocol of the simulator"));
    return meter;
  }
  meter.protocol = dialect->protocol;
  if (meter.kind == MeterKind::kReplay && dialect->make_cutter != nullptr) {
    fields.Fail("PARK_FIELD_RANGE", "kind", "only DL/T 645 meters can be replayed");
  }
  const std::string address = fields.Text("address", "");
  if (address_needed) {
    if (!fields.Has("address")) fields.Fail("PARK_FIELD_MISSING", "address", "a meter needs its address");
    CheckAddress(fields, address, &meter);
  } else if (fields.Has("address")) {
    fields.Fail("PARK_FIELD_UNKNOWN", "address", "a template gives the address by its address_pattern");
  }
  meter.name = fields.Text("name", "");
  meter.site = fields.Text("site", "");
  meter.model = fields.Text("model", "");
  meter.ratio = fields.Text("ratio", "1");
  meter.profile = fields.Text("profile", "");
  meter.supply = fields.Text("supply", dialect->make_cutter == nullptr ? "electricity" : "water");
  ReadFluid(fields, &meter.fluid);
  if (dialect->read_fields != nullptr) dialect->read_fields(fields, &meter);
  ReadElectricity(fields, &meter);
  ReadRelay(fields, &meter);
  ReadRecorded(fields, &meter);
  if (const json* faults = fields.Child("faults", Type::object)) {
    const auto parsed = FaultsFromJson(*faults, fields.PathOf("faults"));
    if (parsed.ok()) {
      meter.faults = *parsed;
    } else if (error_->ok()) {
      *error_ = parsed.status();
    }
  }
  fields.Finish();
  return meter;
}

}  // namespace voltwell::field_sim
