// The park file: what it means when it is right, and where it is wrong when it is not.
#include "tools/field_sim/park.h"

#include <cstdlib>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"

namespace voltwell::field_sim {
namespace {

const char kRecorded[] = R"({"exchanges": [
  {"address": "100023669245", "reply": "684592662300106891063334343566556216", "source": "rhilex dlt645 codec test"},
  {"address": "910004920760", "reply": "6860079204009168D101376716", "source": "public source file"},
  {"address": "260305510009", "reply": "68090051050326689C00F416", "source": "public source file"}]})";

absl::StatusOr<std::string> Files(absl::string_view name) {
  if (name == "recorded.json") return std::string(kRecorded);
  if (name == "broken.json") return std::string("{");
  return base::NotFound("PARK_FILE_UNREADABLE", "no such file");
}

absl::StatusOr<Park> Parse(absl::string_view text) { return ParsePark(text, Files); }

// A park of one collector with one bus and this meter.
std::string WithMeter(absl::string_view meter) {
  return absl::StrCat(R"({"collectors": [{"id": "A", "buses": [{"meters": [)", meter, "]}]}]}");
}

TEST_CASE("a collector gives its buses registration packets: its id, and its id with the bus's number") {
  const auto park = Parse(R"({"defaults": {"bus": {"baud": 9600}, "meter": {"power_w": 1200}},
    "collectors": [{"id": "VW-DEMO-0001", "heartbeat": {"hex": "FF 00"}, "buses": [
      {"meters": [{"address": "000000000001", "power_w": 5}, {"address": "000000000002"}]},
      {"meters": [], "baud": 2400},
      {"meters": [], "registration": {"hex": "4C4F47494E"}}]}]})");
  REQUIRE(park.ok());
  const ParkCollector& collector = park->collectors[0];
  CHECK(collector.heartbeat == std::string("\xFF\0", 2));
  CHECK(collector.buses[0].registration == "VW-DEMO-0001");
  CHECK(collector.buses[1].registration == "VW-DEMO-0001/2");
  CHECK(collector.buses[2].registration == "LOGIN");
  CHECK(collector.buses[0].baud == 9600);
  CHECK(collector.buses[1].baud == 2400);
  CHECK(collector.buses[0].meters[0].power_w == 5);
  CHECK(collector.buses[0].meters[1].power_w == 1200);
  CHECK(park->links() == 3);
  CHECK(park->meters() == 2);
}

TEST_CASE("a template writes many collectors, the same in each run") {
  const char kText[] = R"({"templates": [{"id": "VW-{collector:4}", "collectors": 3, "buses": 2, "meters": 4,
    "address_pattern": "26{collector:4}{bus:2}{meter:4}", "name_pattern": "{collector}-{bus}-{meter}",
    "bus": {"wire_time": false}, "meter": {"power_w": 1000}}]})";
  const auto park = Parse(kText);
  REQUIRE(park.ok());
  REQUIRE(park->collectors.size() == 3);
  CHECK(park->collectors[2].id == "VW-0003");
  const ParkBus& bus = park->collectors[2].buses[1];
  CHECK(bus.registration == "VW-0003/2");
  CHECK_FALSE(bus.wire_time);
  REQUIRE(bus.meters.size() == 4);
  CHECK(AddressText(bus.meters[3].address) == "260003020004");
  CHECK(bus.meters[3].name == "3-2-4");
  CHECK(bus.meters[3].power_w != bus.meters[2].power_w);
  CHECK(bus.meters[3].power_w >= 700);
  CHECK(bus.meters[3].power_w <= 1300);
  CHECK(ParkToJson(*park) == ParkToJson(*Parse(kText)));
}

TEST_CASE("a park printed in full is a park file that means the same") {
  const auto park = Parse(R"({"name": "P", "tenant": "T", "seed": 7, "sites": [{"id": "s", "name": "1栋"}],
    "templates": [{"collectors": 2, "meters": 2, "site": "s", "heartbeat": {"hex": "0001"}, "meter":
      {"start_kwh": ["1.25", 2, 3, 4], "remaining_yuan": "9.99", "operator": "11223344", "password": "123456",
       "faults": {"silence_rate": 0.25, "leading_fe": 4}}}],
    "collectors": [{"id": "R", "buses": [{"meters": [
      {"kind": "replay", "address": "100023669245", "recorded": "recorded.json"}]}]}]})");
  REQUIRE(park.ok());
  const nlohmann::json printed = ParkToJson(*park);
  const auto again = Parse(printed.dump());
  REQUIRE(again.ok());
  CHECK(ParkToJson(*again) == printed);
  CHECK(printed["collectors"][1]["buses"][0]["meters"][0]["name"] == "000000101001");
  CHECK(printed["collectors"][1]["heartbeat"]["hex"] == "0001");
}

TEST_CASE("a recorded answer without its request is given to the read of its own data identifier") {
  const auto park = Parse(WithMeter(R"({"kind": "replay", "address": "100023669245", "recorded": "recorded.json"})"));
  REQUIRE(park.ok());
  const RecordedExchange& exchange = park->collectors[0].buses[0].meters[0].recorded.at(0);
  // The request that stands in the same recording.
  CHECK(base::ToHex(base::AsBytes(exchange.request)) == "68459266230010681104333434352516");
  const auto refusal =
      Parse(WithMeter(R"({"kind": "replay", "address": "910004920760", "recorded": "recorded.json"})"));
  REQUIRE(refusal.ok());
  CHECK(refusal->collectors[0].buses[0].meters[0].recorded.at(0).request.empty());
}

TEST_CASE("a mistake in a park file is named with its place") {
  struct Row {
    std::string text;
    std::string reason, path;
  };
  const std::string meters = "/collectors/0/buses/0/meters/0";
  const std::string good = R"({"id": "A", "buses": [{"meters": []}]})";
  const Row rows[] = {
      {"{", "PARK_NOT_JSON", ""},
      {"[]", "PARK_FIELD_TYPE", ""},
      {"{}", "PARK_FIELD_MISSING", "/collectors"},
      {R"({"version": 2, "collectors": []})", "PARK_FIELD_RANGE", "/version"},
      {R"({"collectors": {}})", "PARK_FIELD_TYPE", "/collectors"},
      {R"({"colectors": []})", "PARK_FIELD_MISSING", "/collectors"},
      {R"({"collectors": [], "sed": 1})", "PARK_FIELD_UNKNOWN", "/sed"},
      {R"({"collectors": [7]})", "PARK_FIELD_TYPE", "/collectors/0"},
      {R"({"collectors": [{"buses": []}]})", "PARK_FIELD_MISSING", "/collectors/0/id"},
      {R"({"collectors": [{"id": "A"}]})", "PARK_FIELD_MISSING", "/collectors/0/buses"},
      {R"({"collectors": [{"id": "A", "buses": [{"baud": 1, "meters": []}]}]})", "PARK_FIELD_RANGE",
       "/collectors/0/buses/0/baud"},
      {R"({"collectors": [{"id": "A", "buses": [{}]}]})", "PARK_FIELD_MISSING", "/collectors/0/buses/0/meters"},
      {R"({"collectors": [{"id": "A", "heartbeat": {"hex": "0"}, "buses": [{"meters": []}]}]})", "PARK_BAD_HEX",
       "/collectors/0/heartbeat"},
      {absl::StrCat(R"({"collectors": [)", good, ",", good, "]}"), "PARK_DUPLICATE", "/collectors/1/id"},
      {WithMeter("{}"), "PARK_FIELD_MISSING", meters + "/address"},
      {WithMeter(R"({"address": "12"})"), "PARK_BAD_ADDRESS", meters + "/address"},
      {WithMeter(R"({"address": "AAAAAAAAAA01"})"), "PARK_BAD_ADDRESS", meters + "/address"},
      {WithMeter(R"({"address": "999999999999"})"), "PARK_BAD_ADDRESS", meters + "/address"},
      {WithMeter(R"({"address": "000000000001"}, {"address": "000000000001"})"), "PARK_DUPLICATE",
       "/collectors/0/buses/0/meters/1/address"},
      {WithMeter(R"({"address": "000000000001", "phases": 2})"), "PARK_FIELD_RANGE", meters + "/phases"},
      {WithMeter(R"({"address": "000000000001", "power_w": "many"})"), "PARK_FIELD_TYPE", meters + "/power_w"},
      {WithMeter(R"({"address": "000000000001", "start_kwh": [1, 2, 3]})"), "PARK_FIELD_RANGE", meters + "/start_kwh"},
      {WithMeter(R"({"address": "000000000001", "start_kwh": [1, 2, 3, 4.123]})"), "PARK_FIELD_RANGE",
       meters + "/start_kwh/3"},
      {WithMeter(R"({"address": "000000000001", "faults": {"silence": 1}})"), "PARK_FIELD_UNKNOWN",
       meters + "/faults/silence"},
      {WithMeter(R"({"address": "000000000001", "faults": {"silence_rate": 2}})"), "PARK_FIELD_RANGE",
       meters + "/faults/silence_rate"},
      {WithMeter(R"({"kind": "replay", "address": "000000000001", "recorded": "recorded.json"})"), "PARK_BAD_ADDRESS",
       meters + "/address"},
      {WithMeter(R"({"kind": "replay", "address": "000000000001", "recorded": "gone.json"})"), "PARK_FILE_UNREADABLE",
       meters + "/recorded"},
      {WithMeter(R"({"kind": "replay", "address": "000000000001", "recorded": "broken.json"})"), "PARK_NOT_JSON",
       meters + "/recorded"},
      {WithMeter(R"({"kind": "replay", "address": "260305510009", "recorded": "recorded.json"})"), "PARK_BAD_HEX",
       "recorded.json#/exchanges/2/request"},
      {R"({"templates": [{"address_pattern": "{meter:4}"}]})", "PARK_BAD_PATTERN", "/templates/0/address_pattern"},
      {R"({"templates": [{"id": "{colector}"}]})", "PARK_BAD_PATTERN", "/templates/0/id"},
      {R"({"templates": [{"id": "{collector"}]})", "PARK_BAD_PATTERN", "/templates/0/id"},
      {R"({"templates": [{"id": "same", "collectors": 2}]})", "PARK_DUPLICATE", "/templates/0/id"},
      {R"({"templates": [{"meter": {"address": "000000000001"}}]})", "PARK_FIELD_UNKNOWN",
       "/templates/0/meter/address"},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto park = Parse(row.text);
    REQUIRE_FALSE(park.ok());
    CHECK(base::ReasonOf(park.status()) == row.reason);
    CHECK(base::MetadataOf(park.status())["path"] == row.path);
  }
}

TEST_CASE("a park beyond the limits of meters on a bus, buses or meters is refused") {
  const auto reason = [](const std::string& text) { return base::ReasonOf(Parse(text).status()); };
  const auto counts = [](int64_t collectors, int64_t buses, int64_t meters) {
    return absl::StrCat(R"({"templates": [{"collectors": )", collectors, R"(, "buses": )", buses, R"(, "meters": )",
                        meters, "}]}");
  };
  CHECK(Parse(counts(1, 1, kMaxMetersOfBus)).ok());
  CHECK(reason(counts(1, 1, kMaxMetersOfBus + 1)) == "PARK_FIELD_RANGE");
  CHECK(reason(counts(kMaxLinks + 1, 1, 0)) == "PARK_FIELD_RANGE");
  CHECK(reason(counts(kMaxLinks / 2 + 1, 2, 0)) == "PARK_FIELD_RANGE");
  CHECK(reason(counts(kMaxMeters / 200 + 1, 1, 200)) == "PARK_FIELD_RANGE");
}

TEST_CASE("names that start with an underscore are comments") {
  CHECK(Parse(R"({"_about": "why", "collectors": []})").ok());
}

TEST_CASE("the parks of deploy/demo load, and the demo is one that can be shown") {
  const char* root = std::getenv("VOLTWELL_SOURCE_DIR");
  REQUIRE(root != nullptr);
  const auto load = [&](const char* name) { return LoadPark(absl::StrCat(root, "/deploy/demo/", name)); };
  const auto demo = load("park.json");
  REQUIRE(demo.ok());
  CHECK(demo->collectors.size() == 7);
  CHECK(demo->meters() >= 60);
  for (const ParkCollector& collector : demo->collectors) {
    for (const ParkBus& bus : collector.buses) {
      for (const ParkMeter& meter : bus.meters) {
        CHECK_FALSE(meter.name.empty());
        CHECK_FALSE(meter.model.empty());
        CHECK(std::any_of(demo->sites.begin(), demo->sites.end(),
                          [&](const ParkSite& site) { return site.id == meter.site; }));
      }
    }
  }
  const auto small = load("bench-512.json");
  REQUIRE(small.ok());
  CHECK(small->links() == 8);
  CHECK(small->meters() == 512);
  const auto large = load("bench-10k.json");
  REQUIRE(large.ok());
  CHECK(large->links() == 200);
  CHECK(large->meters() == 10'000);
}

}  // namespace
}  // namespace voltwell::field_sim
