// Parses and expands a park file. Meters inherit from defaults.meter, buses from defaults.bus, collectors from
// defaults.collector; a template writes many collectors at once.
#include "tools/field_sim/park.h"

#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "tools/field_sim/object_reader.h"
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

class ParkParser {
 public:
  explicit ParkParser(const FileReader& read_file) : read_file_(read_file) {}

  absl::StatusOr<Park> Parse(const json& root);

 private:
  void ParseSites(ObjectReader& fields);
  void ParseCollector(const json& value, const std::string& path);
  void ParseTemplate(const json& value, const std::string& path);
  void ReadCollectorFields(ObjectReader& fields, ParkCollector* collector);
  void ReadBusFields(ObjectReader& fields, ParkBus* bus);
  ParkMeter ReadMeter(const json& value, const std::string& path, bool address_needed);
  void ReadElectricity(ObjectReader& fields, ParkMeter* meter);
  void ReadRelay(ObjectReader& fields, ParkMeter* meter);
  void ReadRecorded(ObjectReader& fields, ParkMeter* meter);
  void AddCollector(ParkCollector collector, const std::string& path);
  void CheckAddress(ObjectReader& fields, absl::string_view text, ParkMeter* meter);
  json WithDefaults(absl::string_view kind, const json& value) const;
  const json* RecordedFile(ObjectReader& fields, const std::string& name);

  const FileReader& read_file_;
  json defaults_ = json::object();
  std::map<std::string, json> recorded_files_;
  std::set<std::string> collector_ids_, registrations_;
  absl::Status error_;
  Park park_;
};

json ParkParser::WithDefaults(absl::string_view kind, const json& value) const {
  const auto found = defaults_.find(std::string(kind));
  if (found == defaults_.end() || !value.is_object()) return value;
  json merged = *found;
  merged.merge_patch(value);
  return merged;
}

void ParkParser::CheckAddress(ObjectReader& fields, absl::string_view text, ParkMeter* meter) {
  const auto address = ParseAddress(text);
  if (!address.has_value() || HasWildcard(*address) || *address == kBroadcast) {
    fields.Fail("PARK_BAD_ADDRESS", "address", absl::StrCat("'", text, "' is not twelve hex digits of one meter"));
    return;
  }
  meter->address = *address;
}

void ParkParser::ReadElectricity(ObjectReader& fields, ParkMeter* meter) {
  meter->phases = static_cast<int>(fields.Int("phases", 1, 1, 3));
  if (meter->phases == 2) fields.Fail("PARK_FIELD_RANGE", "phases", "a meter has 1 or 3 phases");
  if (const json* tariffs = fields.Child("start_kwh", Type::array)) {
    if (tariffs->size() != meter->forward_centi_kwh.size()) {
      fields.Fail("PARK_FIELD_RANGE", "start_kwh", "four tariffs are expected");
      return;
    }
    json named = json::object();
    for (size_t i = 0; i < 4; ++i) named[std::to_string(i)] = (*tariffs)[i];
    ObjectReader items(named, fields.PathOf("start_kwh"), &error_);
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
}

void ParkParser::ReadRelay(ObjectReader& fields, ParkMeter* meter) {
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

// The exchanges of one address out of a file of recorded frames; each file is read once.
const json* ParkParser::RecordedFile(ObjectReader& fields, const std::string& name) {
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

void ParkParser::ReadRecorded(ObjectReader& fields, ParkMeter* meter) {
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
    ObjectReader entry(value, absl::StrCat(meter->recorded_file, "#/exchanges/", ++index), &error_);
    const auto address = ParseAddress(entry.Text("address", ""));
    if (!address.has_value()) entry.Fail("PARK_BAD_ADDRESS", "address", "twelve hex digits are expected");
    const auto request = base::FromHex(entry.Text("request", ""));
    const auto reply = base::FromHex(entry.Text("reply", ""));
    if (!request.ok()) entry.Fail("PARK_BAD_HEX", "request", "hex digits in pairs are expected");
    if (!reply.ok() || reply->empty()) entry.Fail("PARK_BAD_HEX", "reply", "hex digits in pairs are expected");
    if (!error_.ok()) return;
    if (*address != meter->address) continue;
    const auto exchange = MakeExchange(*address, *request, *reply);
    if (!exchange.has_value()) entry.Fail("PARK_BAD_HEX", "request", "this reply does not tell what was asked");
    if (exchange.has_value()) meter->recorded.push_back(*exchange);
  }
  if (meter->recorded.empty()) {
    fields.Fail("PARK_BAD_ADDRESS", "address", absl::StrCat("nothing recorded of it in ", meter->recorded_file));
  }
}

ParkMeter ParkParser::ReadMeter(const json& value, const std::string& path, bool address_needed) {
  ParkMeter meter;
  const json merged = WithDefaults("meter", value);
  ObjectReader fields(merged, path, &error_);
  const std::string kind = fields.Text("kind", "live");
  if (kind != "live" && kind != "replay") fields.Fail("PARK_FIELD_RANGE", "kind", "live or replay is expected");
  meter.kind = kind == "replay" ? MeterKind::kReplay : MeterKind::kLive;
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
  ReadElectricity(fields, &meter);
  ReadRelay(fields, &meter);
  ReadRecorded(fields, &meter);
  if (const json* faults = fields.Child("faults", Type::object)) {
    const auto parsed = FaultsFromJson(*faults, fields.PathOf("faults"));
    if (parsed.ok()) {
      meter.faults = *parsed;
    } else if (error_.ok()) {
      error_ = parsed.status();
    }
  }
  fields.Finish();
  return meter;
}

void ParkParser::ReadBusFields(ObjectReader& fields, ParkBus* bus) {
  bus->baud = static_cast<int>(fields.Int("baud", 2400, 300, 1'000'000));
  bus->wire_time = fields.Flag("wire_time", true);
  bus->turnaround_ms = static_cast<int>(fields.Int("turnaround_ms", 30, 0, 60'000));
  bus->packet_gap_ms = static_cast<int>(fields.Int("packet_gap_ms", 20, 0, 10'000));
  bus->echo = fields.Flag("echo", false);
  bus->babble_period_ms = static_cast<int>(fields.Int("babble_period_ms", 0, 0, 86'400'000));
  bus->babble_bytes = static_cast<int>(fields.Int("babble_bytes", 12, 1, 200));
}

void ParkParser::ReadCollectorFields(ObjectReader& fields, ParkCollector* collector) {
  collector->name = fields.Text("name", "");
  collector->site = fields.Text("site", "");
  collector->model = fields.Text("model", "");
  collector->heartbeat = fields.RawBytes("heartbeat", "");
  collector->heartbeat_period_ms = static_cast<int>(fields.Int("heartbeat_period_ms", 30'000, 10, 86'400'000));
  collector->reconnect_delay_ms = static_cast<int>(fields.Int("reconnect_delay_ms", 1'000, 0, 3'600'000));
  collector->reconnect_jitter_ms = static_cast<int>(fields.Int("reconnect_jitter_ms", 500, 0, 3'600'000));
}

void ParkParser::AddCollector(ParkCollector collector, const std::string& path) {
  const auto fail = [&](absl::string_view reason, const std::string& where, absl::string_view message) {
    if (error_.ok()) error_ = base::InvalidArgument(reason, absl::StrCat(where, ": ", message), {{"path", where}});
  };
  if (!collector_ids_.insert(collector.id).second) fail("PARK_DUPLICATE", path + "/id", "this id is taken");
  for (size_t b = 0; b < collector.buses.size(); ++b) {
    const ParkBus& bus = collector.buses[b];
    const std::string where = absl::StrCat(path, "/buses/", b);
    if (!registrations_.insert(bus.registration).second) {
      fail("PARK_DUPLICATE", where + "/registration", "this registration packet is taken");
    }
    std::set<Address> seen;
    for (size_t m = 0; m < bus.meters.size(); ++m) {
      if (seen.insert(bus.meters[m].address).second) continue;
      fail("PARK_DUPLICATE", absl::StrCat(where, "/meters/", m, "/address"), "this bus has a meter of this address");
    }
    if (static_cast<int64_t>(seen.size()) > kMaxMetersOfBus) {
      fail("PARK_FIELD_RANGE", where + "/meters", absl::StrCat("more than ", kMaxMetersOfBus, " meters on one bus"));
    }
  }
  park_.collectors.push_back(std::move(collector));
}

void ParkParser::ParseCollector(const json& value, const std::string& path) {
  const json merged = WithDefaults("collector", value);
  ObjectReader fields(merged, path, &error_);
  ParkCollector collector;
  collector.id = fields.Text("id", "");
  if (collector.id.empty()) fields.Fail("PARK_FIELD_MISSING", "id", "a collector needs its id");
  ReadCollectorFields(fields, &collector);
  const json* buses = fields.Child("buses", Type::array);
  if (buses == nullptr || buses->empty()) fields.Fail("PARK_FIELD_MISSING", "buses", "a collector needs a bus");
  fields.Finish();
  for (size_t i = 0; error_.ok() && i < buses->size(); ++i) {
    const std::string bus_path = absl::StrCat(path, "/buses/", i);
    const json bus_value = WithDefaults("bus", (*buses)[i]);
    ObjectReader bus_fields(bus_value, bus_path, &error_);
    ParkBus bus;
    bus.number = static_cast<int>(bus_fields.Int("number", static_cast<int64_t>(i) + 1, 1, 255));
    bus.registration = bus_fields.RawBytes("registration", DefaultRegistration(collector.id, bus.number));
    ReadBusFields(bus_fields, &bus);
    const json* meters = bus_fields.Child("meters", Type::array);
    if (meters == nullptr) bus_fields.Fail("PARK_FIELD_MISSING", "meters", "a list of meters is expected");
    bus_fields.Finish();
    for (size_t m = 0; error_.ok() && m < meters->size(); ++m) {
      bus.meters.push_back(ReadMeter((*meters)[m], absl::StrCat(bus_path, "/meters/", m), true));
    }
    collector.buses.push_back(std::move(bus));
  }
  if (error_.ok()) AddCollector(std::move(collector), path);
}

void ParkParser::ParseTemplate(const json& value, const std::string& path) {
  const json merged = WithDefaults("collector", value);
  ObjectReader fields(merged, path, &error_);
  ParkCollector base_collector;
  ReadCollectorFields(fields, &base_collector);
  TemplateCounts counts;
  counts.collectors = fields.Int("collectors", 1, 1, kMaxLinks);
  counts.buses = fields.Int("buses", 1, 1, 255);
  counts.meters = fields.Int("meters", 1, 0, kMaxMetersOfBus);
  counts.first = fields.Int("first", 1, 0, kMaxLinks);
  TemplatePatterns patterns;
  patterns.id = fields.Text("id", "SIM-{collector:5}");
  patterns.address = fields.Text("address_pattern", "00{collector:5}{bus:2}{meter:3}");
  patterns.name = fields.Text("name_pattern", "");
  patterns.spread = fields.Number("spread", 0.3, 0, 1);
  const json* bus_value = fields.Child("bus", Type::object);
  const json* meter_value = fields.Child("meter", Type::object);
  fields.Finish();
  const json bus_json = WithDefaults("bus", bus_value == nullptr ? json::object() : *bus_value);
  ObjectReader bus_fields(bus_json, path + "/bus", &error_);
  ParkBus base_bus;
  ReadBusFields(bus_fields, &base_bus);
  bus_fields.Finish();
  const ParkMeter base_meter =
      ReadMeter(meter_value == nullptr ? json::object() : *meter_value, path + "/meter", false);
  if (!error_.ok()) return;
  if (park_.links() + counts.collectors * counts.buses > kMaxLinks ||
      park_.meters() + counts.collectors * counts.buses * counts.meters > kMaxMeters) {
    fields.Fail("PARK_FIELD_RANGE", "collectors",
                absl::StrCat("beyond ", kMaxLinks, " buses or ", kMaxMeters, " meters"));
    return;
  }
  auto expanded = ExpandTemplate(counts, patterns, base_collector, base_bus, base_meter, path);
  if (!expanded.ok()) {
    error_ = expanded.status();
    return;
  }
  for (ParkCollector& collector : *expanded) AddCollector(std::move(collector), path);
}

void ParkParser::ParseSites(ObjectReader& fields) {
  const json* sites = fields.Child("sites", Type::array);
  if (sites == nullptr) return;
  for (size_t i = 0; i < sites->size(); ++i) {
    ObjectReader site((*sites)[i], absl::StrCat("/sites/", i), &error_);
    if (!site.Has("id")) site.Fail("PARK_FIELD_MISSING", "id", "a site needs its id");
    park_.sites.push_back({site.Text("id", ""), site.Text("name", ""), site.Text("address", ""),
                           site.Text("time_zone", "Asia/Shanghai")});
    site.Finish();
  }
}

absl::StatusOr<Park> ParkParser::Parse(const json& root) {
  ObjectReader fields(root, "", &error_);
  if (fields.Int("version", 1, 1, 1) != 1) return error_;
  park_.name = fields.Text("name", "");
  park_.tenant = fields.Text("tenant", "");
  park_.seed = static_cast<uint64_t>(fields.Int("seed", 1, 0, INT64_MAX));
  park_.clock_zone_minutes = static_cast<int>(fields.Int("clock_zone_minutes", 480, -720, 840));
  park_.energy_speed = fields.Number("energy_speed", 1, 0, 100'000);
  ParseSites(fields);
  if (const json* defaults = fields.Child("defaults", Type::object)) {
    ObjectReader kinds(*defaults, "/defaults", &error_);
    for (const char* kind : {"collector", "bus", "meter"}) kinds.Child(kind, Type::object);
    kinds.Finish();
    defaults_ = *defaults;
  }
  const json* collectors = fields.Child("collectors", Type::array);
  const json* templates = fields.Child("templates", Type::array);
  if (collectors == nullptr && templates == nullptr) {
    fields.Fail("PARK_FIELD_MISSING", "collectors", "a park needs collectors or templates");
  }
  fields.Finish();
  for (size_t i = 0; error_.ok() && collectors != nullptr && i < collectors->size(); ++i) {
    ParseCollector((*collectors)[i], absl::StrCat("/collectors/", i));
  }
  for (size_t i = 0; error_.ok() && templates != nullptr && i < templates->size(); ++i) {
    ParseTemplate((*templates)[i], absl::StrCat("/templates/", i));
  }
  if (!error_.ok()) return error_;
  return std::move(park_);
}

}  // namespace

absl::StatusOr<Park> ParsePark(absl::string_view text, const FileReader& read_file) {
  json root;
  try {
    root = json::parse(text.begin(), text.end());
  } catch (const json::parse_error& error) {
    return base::InvalidArgument("PARK_NOT_JSON", error.what(), {{"path", ""}});
  }
  return ParkParser(read_file).Parse(root);
}

int64_t Park::links() const {
  int64_t count = 0;
  for (const ParkCollector& collector : collectors) count += static_cast<int64_t>(collector.buses.size());
  return count;
}

int64_t Park::meters() const {
  int64_t count = 0;
  for (const ParkCollector& collector : collectors) {
    for (const ParkBus& bus : collector.buses) count += static_cast<int64_t>(bus.meters.size());
  }
  return count;
}

}  // namespace voltwell::field_sim
