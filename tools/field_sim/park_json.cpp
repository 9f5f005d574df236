// The files around a park: reading it from disk, and printing it back in full.
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "tools/field_sim/dialect.h"
#include "tools/field_sim/park.h"
#include "tools/field_sim/park_pattern.h"

namespace voltwell::field_sim {
namespace {

using nlohmann::json;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return base::NotFound("PARK_FILE_UNREADABLE", absl::StrCat("cannot read ", path), {{"path", path}});
  }
  return text.str();
}

std::string Hundredths(int64_t value) { return absl::StrFormat("%d.%02d", value / 100, value % 100); }

std::string Thousandths(int64_t value) { return absl::StrFormat("%d.%03d", value / 1000, value % 1000); }

json FluidToJson(const ParkFluid& fluid) {
  return {{"start_m3", Thousandths(fluid.start_litres)},
          {"settled_m3", Thousandths(fluid.settled_litres)},
          {"flow_l_per_h", fluid.litres_per_hour},
          {"start_heat_kwh", Thousandths(fluid.start_heat_wh)},
          {"settled_heat_kwh", Thousandths(fluid.settled_heat_wh)},
          {"heat_w", fluid.heat_w},
          {"supply_c", Hundredths(fluid.supply_centi_c)},
          {"return_c", Hundredths(fluid.return_centi_c)},
          {"has_valve", fluid.has_valve},
          {"battery_low", fluid.battery_low}};
}

json MeterToJson(const ParkMeter& meter) {
  json out = {{"kind", meter.kind == MeterKind::kLive ? "live" : "replay"},
              {"protocol", std::string(DialectOf(meter.protocol).name)},
              {"address", meter.address_text},
              {"name", meter.name},
              {"site", meter.site},
              {"model", meter.model},
              {"ratio", meter.ratio},
              {"supply", meter.supply},
              {"phases", meter.phases},
              {"power_w", meter.power_w},
              {"voltage_v", absl::StrFormat("%d.%d", meter.voltage_dv / 10, meter.voltage_dv % 10)},
              {"start_reverse_kwh", Hundredths(meter.reverse_centi_kwh)},
              {"price_yuan", meter.price_yuan},
              {"password_level", meter.password_level},
              {"password", absl::StrFormat("%06X", meter.password)},
              {"expiry_checked", meter.expiry_checked},
              {"permit_needs_button", meter.permit_needs_button},
              {"relay_delay_ms", meter.relay_delay_ms},
              {"clock_offset_s", meter.clock_offset_s},
              {"clock_drift_ppm", meter.clock_drift_ppm},
              {"unrecorded", meter.unrecorded == Unrecorded::kSilence ? "silence" : "no_such_data"}};
  json& energies = out["start_kwh"] = json::array();
  for (const int64_t energy : meter.forward_centi_kwh) energies.push_back(Hundredths(energy));
  if (!meter.profile.empty()) out["profile"] = meter.profile;
  const Dialect& dialect = DialectOf(meter.protocol);
  if (dialect.make_cutter != nullptr) out.update(FluidToJson(meter.fluid));
  if (dialect.write_fields != nullptr) dialect.write_fields(meter, &out);
  if (meter.remaining_fen.has_value()) out["remaining_yuan"] = Hundredths(*meter.remaining_fen);
  if (!meter.customer.empty()) out["customer"] = meter.customer;
  if (meter.purchase_count > 0) out["purchase_count"] = meter.purchase_count;
  if (meter.wallet_mac.has_value()) out["wallet_mac"] = absl::StrFormat("%08X", *meter.wallet_mac);
  if (meter.wallet_authenticates) out["wallet_authenticates"] = true;
  if (meter.hoarding_fen.has_value()) out["hoarding_yuan"] = Hundredths(*meter.hoarding_fen);
  if (meter.operator_code.has_value()) out["operator"] = absl::StrFormat("%08X", *meter.operator_code);
  if (!meter.recorded_file.empty()) out["recorded"] = meter.recorded_file;
  if (meter.faults.any()) out["faults"] = FaultsToJson(meter.faults);
  return out;
}

json BytesToJson(const std::string& bytes) {
  for (const char c : bytes) {
    if (c < ' ' || c > '~') return {{"hex", base::ToHex(base::AsBytes(bytes))}};
  }
  return bytes;
}

json BusToJson(const ParkBus& bus) {
  json meters = json::array();
  for (const ParkMeter& meter : bus.meters) meters.push_back(MeterToJson(meter));
  json out = {{"number", bus.number},
              {"registration_id", bus.registration_id},
              {"registration", BytesToJson(bus.registration)},
              {"baud", bus.baud},
              {"wire_time", bus.wire_time},
              {"turnaround_ms", bus.turnaround_ms},
              {"packet_gap_ms", bus.packet_gap_ms},
              {"echo", bus.echo},
              {"babble_period_ms", bus.babble_period_ms},
              {"babble_bytes", bus.babble_bytes},
              {"meters", std::move(meters)}};
  if (bus.ports != PortHeader::kNone) out["port"] = bus.port;
  return out;
}

}  // namespace

absl::StatusOr<Park> LoadPark(const std::string& path) {
  VW_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  return ParsePark(text, [&](absl::string_view name) { return ReadFile(absl::StrCat(directory, name)); });
}

json ParkToJson(const Park& park) {
  json sites = json::array();
  for (const ParkSite& site : park.sites) {
    sites.push_back({{"id", site.id}, {"name", site.name}, {"address", site.address}, {"time_zone", site.time_zone}});
  }
  json collectors = json::array();
  for (const ParkCollector& collector : park.collectors) {
    json buses = json::array();
    for (const ParkBus& bus : collector.buses) buses.push_back(BusToJson(bus));
    collectors.push_back({{"id", collector.id},
                          {"name", collector.name},
                          {"site", collector.site},
                          {"model", collector.model},
                          {"dialect", collector.dialect},
                          {"key", BytesToJson(collector.key)},
                          {"heartbeat", BytesToJson(collector.heartbeat)},
                          {"heartbeat_period_ms", collector.heartbeat_period_ms},
                          {"listen_port", collector.listen_port},
                          {"reconnect_delay_ms", collector.reconnect_delay_ms},
                          {"reconnect_jitter_ms", collector.reconnect_jitter_ms},
                          {"buses", std::move(buses)}});
  }
  return {{"version", 1},
          {"name", park.name},
          {"tenant", park.tenant},
          {"seed", park.seed},
          {"clock_zone_minutes", park.clock_zone_minutes},
          {"steady", park.steady},
          {"energy_speed", park.energy_speed},
          {"sites", std::move(sites)},
          {"collectors", std::move(collectors)}};
}

}  // namespace voltwell::field_sim
