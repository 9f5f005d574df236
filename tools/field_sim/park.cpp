// Parses and expands a park file. Meters inherit from defaults.meter, buses from defaults.bus, collectors from
// defaults.collector; a template writes many collectors at once.
#include "tools/field_sim/park.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "tools/field_sim/object_reader.h"
#include "tools/field_sim/park_meter.h"
#include "tools/field_sim/park_pattern.h"
#include "tools/field_sim/talk.h"

namespace voltwell::field_sim {
namespace {

using nlohmann::json;
using Type = json::value_t;

// By LineFaults::Kind.
constexpr std::array<const char*, 4> kLineFaultNames = {"fin", "rst", "half_open", "slow"};

json WithDefaults(const json& defaults, const char* kind, const json& value) {
  const auto found = defaults.find(kind);
  if (found == defaults.end() || !value.is_object()) return value;
  json merged = *found;
  merged.merge_patch(value);
  return merged;
}

class ParkParser {
 public:
  explicit ParkParser(const FileReader& read_file) : meters_(read_file, &error_) {}

  absl::StatusOr<Park> Parse(const json& root);

 private:
  void ParseSites(ObjectReader& fields);
  void ParseCollector(const json& value, const std::string& path);
  void ParseTemplate(const json& value, const std::string& path);
  void ReadCollectorFields(ObjectReader& fields, ParkCollector* collector);
  void ReadLineFaults(const json& value, const std::string& path, LineFaults* faults);
  void ReadBusFields(ObjectReader& fields, ParkBus* bus);
  void AddCollector(ParkCollector collector, const std::string& path);

  json defaults_ = json::object();
  std::set<std::string> collector_ids_, registrations_;
  absl::Status error_;
  MeterReader meters_;
  Park park_;
};

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
  collector->dialect = fields.Text("dialect", "transparent");
  if (FindTalk(collector->dialect) == nullptr) fields.Fail("PARK_FIELD_RANGE", "dialect", "no box speaks so");
  collector->key = fields.RawBytes("key", "");
  if (!collector->key.empty() && FindTalk(collector->dialect) != nullptr && !FindTalk(collector->dialect)->proves_key) {
    fields.Fail("PARK_FIELD_RANGE", "key", "a box of this dialect cannot prove one");
  }
  collector->heartbeat = fields.RawBytes("heartbeat", "");
  collector->answer_timeout_ms = static_cast<int>(fields.Int("answer_timeout_ms", 3'000, 10, 600'000));
  collector->heartbeat_period_ms = static_cast<int>(fields.Int("heartbeat_period_ms", 30'000, 10, 86'400'000));
  collector->reconnect_delay_ms = static_cast<int>(fields.Int("reconnect_delay_ms", 1'000, 0, 3'600'000));
  collector->reconnect_jitter_ms = static_cast<int>(fields.Int("reconnect_jitter_ms", 500, 0, 3'600'000));
  collector->listen_port = static_cast<int>(fields.Int("listen_port", -1, -1, 65'520));
  const json* const faults = fields.Child("line_faults", Type::object);
  if (faults != nullptr) ReadLineFaults(*faults, fields.PathOf("line_faults"), &collector->line_faults);
}

void ParkParser::ReadLineFaults(const json& value, const std::string& path, LineFaults* faults) {
  ObjectReader fields(value, path, &error_);
  faults->every_ms = static_cast<int>(fields.Int("every_ms", 0, 10, 86'400'000));
  faults->pause_ms = static_cast<int>(fields.Int("pause_ms", 1'000, 1, 600'000));
  const json* kinds = fields.Child("kinds", Type::array);
  for (const json& kind : kinds == nullptr ? json::array() : *kinds) {
    const auto found = std::find(kLineFaultNames.begin(), kLineFaultNames.end(), kind);
    if (found == kLineFaultNames.end()) {
      fields.Fail("PARK_FIELD_RANGE", "kinds", "fin, rst, half_open and slow are known");
      return;
    }
    faults->kinds.push_back(static_cast<LineFaults::Kind>(found - kLineFaultNames.begin()));
  }
  if (faults->kinds.empty() || faults->every_ms == 0) {
    fields.Fail("PARK_FIELD_MISSING", "kinds", "kinds and every_ms are needed");
  }
  fields.Finish();
}

void ParkParser::AddCollector(ParkCollector collector, const std::string& path) {
  const auto fail = [&](absl::string_view reason, const std::string& where, absl::string_view message) {
    if (error_.ok()) error_ = base::InvalidArgument(reason, absl::StrCat(where, ": ", message), {{"path", where}});
  };
  if (!collector_ids_.insert(collector.id).second) fail("PARK_DUPLICATE", path + "/id", "this id is taken");
  for (size_t b = 0; b < collector.buses.size(); ++b) {
    ParkBus& bus = collector.buses[b];
    const std::string where = absl::StrCat(path, "/buses/", b);
    Speak(collector, &bus);
    const bool shared = bus.ports != PortHeader::kNone && b > 0;  // One connection, one packet.
    if (!shared && !registrations_.insert(bus.registration).second) {
      fail("PARK_DUPLICATE", where + "/registration", "this registration packet is taken");
    }
    std::set<std::string> seen;
    for (size_t m = 0; m < bus.meters.size(); ++m) {
      if (seen.insert(bus.meters[m].address_text).second) continue;
      fail("PARK_DUPLICATE", absl::StrCat(where, "/meters/", m, "/address"), "this bus has a meter of this address");
    }
    if (static_cast<int64_t>(seen.size()) > kMaxMetersOfBus) {
      fail("PARK_FIELD_RANGE", where + "/meters", absl::StrCat("more than ", kMaxMetersOfBus, " meters on one bus"));
    }
  }
  park_.collectors.push_back(std::move(collector));
}

void ParkParser::ParseCollector(const json& value, const std::string& path) {
  const json merged = WithDefaults(defaults_, "collector", value);
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
    const json bus_value = WithDefaults(defaults_, "bus", (*buses)[i]);
    ObjectReader bus_fields(bus_value, bus_path, &error_);
    ParkBus bus;
    bus.number = static_cast<int>(bus_fields.Int("number", static_cast<int64_t>(i) + 1, 1, 255));
    bus.registration_id = bus_fields.Text("registration_id", "");
    bus.registration = bus_fields.RawBytes("registration", "");
    bus.port = static_cast<int>(bus_fields.Int("port", bus.number, 0, 255));
    ReadBusFields(bus_fields, &bus);
    const json* meters = bus_fields.Child("meters", Type::array);
    if (meters == nullptr) bus_fields.Fail("PARK_FIELD_MISSING", "meters", "a list of meters is expected");
    bus_fields.Finish();
    for (size_t m = 0; error_.ok() && m < meters->size(); ++m) {
      bus.meters.push_back(
          meters_.Read(WithDefaults(defaults_, "meter", (*meters)[m]), absl::StrCat(bus_path, "/meters/", m), true));
    }
    collector.buses.push_back(std::move(bus));
  }
  if (error_.ok()) AddCollector(std::move(collector), path);
}

void ParkParser::ParseTemplate(const json& value, const std::string& path) {
  const json merged = WithDefaults(defaults_, "collector", value);
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
  const json bus_json = WithDefaults(defaults_, "bus", bus_value == nullptr ? json::object() : *bus_value);
  ObjectReader bus_fields(bus_json, path + "/bus", &error_);
  ParkBus base_bus;
  ReadBusFields(bus_fields, &base_bus);
  bus_fields.Finish();
  const ParkMeter base_meter = meters_.Read(
      WithDefaults(defaults_, "meter", meter_value == nullptr ? json::object() : *meter_value), path + "/meter", false);
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
  park_.steady = fields.Flag("steady", false);
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
