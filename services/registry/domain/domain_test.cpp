// What the registry takes and refuses.
#include <catch2/catch.hpp>
#include <functional>

#include "libs/base/status.h"
#include "services/registry/domain/collector.h"
#include "services/registry/domain/login_backoff.h"
#include "services/registry/domain/meter.h"
#include "services/registry/domain/names.h"
#include "services/registry/domain/site.h"

namespace voltwell::registry {
namespace {

std::string Reason(const absl::Status& status) { return status.ok() ? "OK" : base::ReasonOf(status); }

Collector Box() {
  Collector collector;
  collector.registration_id = "VW-DEMO-0001";
  collector.display_name = "1栋集中器";
  collector.site = "s1";
  collector.buses = {Bus{.number = 2}, Bus{.number = 1}};
  return collector;
}

Meter ElectricityMeter() {
  Meter meter;
  meter.display_name = "1-2-301";
  meter.kind = 1;
  meter.address = "260300000001";
  meter.protocol = "DLT645_2007";
  return WithDefaults(meter);
}

TEST_CASE("a name must be of its collection") {
  CHECK(*IdOf("meters", "meters/01j9abc", "name") == "01j9abc");
  for (const char* bad : {"", "meters", "meters/", "sites/01j9", "meters/a/b", "meters/A", "meters/../x"}) {
    CHECK(Reason(IdOf("meters", bad, "name").status()) == "BAD_NAME");
  }
  CHECK(base::MetadataOf(IdOf("sites", "x", "parent").status())["field"] == "parent");
}

TEST_CASE("a display name has 1 to 100 characters, counted as people count them") {
  CHECK(CheckDisplayName("1栋2单元").ok());
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += "栋";
  CHECK(CheckDisplayName(hundred).ok());
  CHECK(Reason(CheckDisplayName(hundred + "x")) == "BAD_DISPLAY_NAME");
  CHECK(Reason(CheckDisplayName("")) == "BAD_DISPLAY_NAME");
  CHECK(Reason(CheckDisplayName("a\nb")) == "BAD_DISPLAY_NAME");
  CHECK(Reason(CheckDisplayName("\xff\xfe")) == "BAD_DISPLAY_NAME");
}

TEST_CASE("a page has at most a thousand rows") {
  CHECK(*PageSize(0) == 100);
  CHECK(*PageSize(1000) == 1000);
  CHECK(*PageSize(1001) == 1000);
  CHECK(Reason(PageSize(-1).status()) == "BAD_PAGE_SIZE");
}

TEST_CASE("a tree of sites is 16 levels deep, not 17") {
  std::string path;
  for (int i = 0; i < kSiteDepthMax; ++i) {
    const auto below = PathBelow(path, "s");
    REQUIRE(below.ok());
    path = *below;
  }
  CHECK(path == "/s/s/s/s/s/s/s/s/s/s/s/s/s/s/s/s/");
  CHECK(Reason(PathBelow(path, "s").status()) == "SITE_TOO_DEEP");
}

TEST_CASE("a scope holds its site and what is below, nothing beside") {
  CHECK(InScope({}, "/a/"));
  CHECK(InScope({"/a/"}, "/a/b/"));
  CHECK_FALSE(InScope({"/a/"}, "/ab/"));
  CHECK_FALSE(InScope({"/a/b/"}, "/a/"));
}

TEST_CASE("a collector's empty fields get their meaning") {
  const Collector collector = WithDefaults(Box());
  CHECK(collector.dialect == "transparent");
  REQUIRE(collector.buses.size() == 2);
  CHECK(collector.buses[0] == Bus{1, "VW-DEMO-0001", 2400, 500, kNoPort});
  CHECK(collector.buses[1] == Bus{2, "VW-DEMO-0001/2", 2400, 500, kNoPort});
  CHECK(CheckCollector(collector).ok());
}

TEST_CASE("a collector that cannot be is refused by name") {
  const auto reason = [](const std::function<void(Collector&)>& spoil) {
    Collector collector = Box();
    spoil(collector);
    return Reason(CheckCollector(WithDefaults(collector)));
  };
  CHECK(reason([](Collector&) {}) == "OK");
  CHECK(reason([](Collector& c) { c.registration_id = "hex:00FF"; }) ==
        "BAD_REGISTRATION_ID");  // Bus 2 would be hex:00FF/2.
  CHECK(reason([](Collector& c) {
          c.registration_id = "hex:00FF";
          c.buses = {Bus{.number = 1}};
        }) == "OK");
  CHECK(reason([](Collector& c) {
          c.registration_id = "hex:0";
          c.buses = {Bus{.number = 1}};
        }) == "BAD_REGISTRATION_ID");
  CHECK(reason([](Collector& c) { c.registration_id = std::string(65, 'x'); }) == "BAD_REGISTRATION_ID");
  CHECK(reason([](Collector& c) { c.registration_id = "a b"; }) == "BAD_REGISTRATION_ID");
  CHECK(reason([](Collector& c) { c.dialect = "Morse"; }) == "UNKNOWN_DIALECT");
  CHECK(reason([](Collector& c) { c.dialect = std::string(40, 'm'); }) == "OK");
  CHECK(reason([](Collector& c) { c.dialect = std::string(41, 'm'); }) == "UNKNOWN_DIALECT");
  CHECK(reason([](Collector& c) { c.heartbeat_hex = "5"; }) == "BAD_HEARTBEAT");
  CHECK(reason([](Collector& c) { c.heartbeat_hex = std::string(130, '0'); }) == "BAD_HEARTBEAT");
  CHECK(reason([](Collector& c) { c.source_network = "10.8.0.0"; }) == "BAD_NETWORK");
  CHECK(reason([](Collector& c) { c.source_network = "10.8.0.256/8"; }) == "BAD_NETWORK");
  CHECK(reason([](Collector& c) { c.source_network = "10.8.0.0/16"; }) == "OK");
  CHECK(reason([](Collector& c) { c.buses.clear(); }) == "BAD_BUS");
  CHECK(reason([](Collector& c) { c.buses[0].number = 1; }) == "BAD_BUS");
  CHECK(reason([](Collector& c) { c.buses[0].number = 17; }) == "BAD_BUS");
  CHECK(reason([](Collector& c) { c.buses[0].baud = 2401; }) == "BAD_BUS");
  CHECK(reason([](Collector& c) { c.buses[0].link_time_ms = 30'001; }) == "BAD_BUS");
  CHECK(reason([](Collector& c) { c.buses[0].registration_id = "VW-DEMO-0001"; }) == "BAD_BUS");
}

TEST_CASE("ports within one connection are a byte each, no two alike, and of all buses or none") {
  const auto reason = [](int first, int second) {
    Collector collector = Box();
    collector.buses[0].port = first;
    collector.buses[1].port = second;
    return Reason(CheckCollector(WithDefaults(collector)));
  };
  CHECK(reason(0, 255) == "OK");
  CHECK(reason(0, 256) == "BAD_BUS");
  CHECK(reason(-2, 1) == "BAD_BUS");
  CHECK(reason(3, 3) == "BAD_BUS");
  CHECK(reason(3, kNoPort) == "BAD_BUS");
  CHECK(reason(kNoPort, 3) == "BAD_BUS");
}

TEST_CASE("a dial target is a host and a port, with room for the ports of sixteen buses") {
  const auto reason = [](const std::string& target) {
    Collector collector = Box();
    collector.dial_target = target;
    return Reason(CheckCollector(WithDefaults(collector)));
  };
  for (const char* const good : {"10.20.0.7:4001", "moxa-3.field.example:65520", "[2001:db8::7]:23", ""}) {
    CHECK(reason(good) == "OK");
  }
  for (const char* const bad : {"10.20.0.7", ":4001", "10.20.0.7:0", "10.20.0.7:65521", "10.20.0.7:04001", "a b:1",
                                "host:4001/x", "[2001:db8::7:23", "[host]:23", "-x:1", "user@host:1"}) {
    CHECK(reason(bad) == "BAD_DIAL_TARGET");
  }
  CHECK(reason(std::string(253, 'h') + ":1") == "OK");
  CHECK(reason(std::string(254, 'h') + ":1") == "BAD_DIAL_TARGET");
}

TEST_CASE("what makes gateways dial somewhere else is told from what does not") {
  const Collector dialling = WithDefaults(Box());
  Collector dialled = dialling;
  dialled.dial_target = "10.20.0.7:4001";
  CHECK(DialsElsewhere(Collector(), dialled));
  CHECK(DialsElsewhere(dialling, dialled));
  CHECK_FALSE(DialsElsewhere(dialled, dialling));
  CHECK_FALSE(DialsElsewhere(dialled, dialled));
  Collector renamed = dialled;
  renamed.display_name = "another";
  renamed.buses[0].baud = 9600;
  CHECK_FALSE(DialsElsewhere(dialled, renamed));
  // Another bus is another port of the same host.
  Collector larger = dialled;
  larger.buses.push_back(Bus{.number = 3, .registration_id = "VW-DEMO-0001/3"});
  CHECK(DialsElsewhere(dialled, larger));
}

TEST_CASE("a collector's key has 16 to 64 bytes, in hexadecimal") {
  for (const size_t bytes : {size_t{16}, size_t{64}}) CHECK(KeyOfHex(std::string(2 * bytes, 'a'))->size() == bytes);
  for (const size_t bytes : {size_t{0}, size_t{15}, size_t{65}}) {
    CHECK(Reason(KeyOfHex(std::string(2 * bytes, 'a')).status()) == "BAD_COLLECTOR_KEY");
  }
  CHECK(Reason(KeyOfHex(std::string(33, 'a')).status()) == "BAD_COLLECTOR_KEY");
  CHECK(Reason(KeyOfHex(std::string(32, 'x')).status()) == "BAD_COLLECTOR_KEY");
}

TEST_CASE("a level of assurance is demanded only where it can be reached") {
  const auto reason = [](Assurance assurance, const std::string& network, bool has_key) {
    Collector collector = Box();
    collector.assurance = assurance;
    collector.source_network = network;
    collector.sealed_key = has_key ? "sealed" : "";
    return Reason(CheckCollector(WithDefaults(collector)));
  };
  CHECK(WithDefaults(Box()).assurance == Assurance::kId);
  CHECK(reason(Assurance::kId, "", false) == "OK");
  CHECK(reason(Assurance::kTlsCertificate, "", false) == "OK");
  CHECK(reason(Assurance::kNetwork, "10.8.0.0/16", false) == "OK");
  CHECK(reason(Assurance::kNetwork, "", true) == "ASSURANCE_NEEDS_NETWORK");
  for (const Assurance level : {Assurance::kKey, Assurance::kTlsPsk}) {
    CHECK(reason(level, "", true) == "OK");
    CHECK(reason(level, "10.8.0.0/16", false) == "ASSURANCE_NEEDS_KEY");
  }
  CHECK(reason(static_cast<Assurance>(6), "", true) == "BAD_ASSURANCE");
}

TEST_CASE("bytes that can be printed have one spelling, so that no hex: id is a second owner of a box") {
  const auto reason = [](const std::string& id) {
    Collector collector = Box();
    collector.registration_id = id;
    collector.buses = {Bus{.number = 1}};
    return Reason(CheckCollector(WithDefaults(collector)));
  };
  CHECK(reason("hex:56572D44454D4F2D30303031") == "BAD_REGISTRATION_ID");  // VW-DEMO-0001
  CHECK(reason("hex:41") == "BAD_REGISTRATION_ID");
  CHECK(reason("hex:4120") == "OK");  // A space has no other spelling.
  CHECK(reason("hex:417F") == "OK");
  std::string longest = "hex:";
  for (int i = 0; i < 64; ++i) longest += "41";
  CHECK(reason(longest) == "BAD_REGISTRATION_ID");
  Collector second = Box();
  second.buses[0].registration_id = "hex:56572D31";
  CHECK(Reason(CheckCollector(WithDefaults(second))) == "BAD_REGISTRATION_ID");
}

TEST_CASE("a network is written in the one way that gateways read") {
  const auto reason = [](const std::string& network) {
    Collector collector = Box();
    collector.source_network = network;
    return Reason(CheckCollector(WithDefaults(collector)));
  };
  for (const char* good : {"0.0.0.0/0", "10.8.0.4/32", "255.255.255.255/8"}) CHECK(reason(good) == "OK");
  for (const char* bad : {"010.8.0.0/16", "+10.8.0.0/16", " 10.8.0.0/16", "10.8.0.0/016", "10.8.0.0/+16",
                          "10.8.0.0/ 16", "10.8.00.0/16", "10.8..0/16", "10.8.0.0/", "10.8.0.0/33", "10.8.0.256/16"}) {
    CHECK(reason(bad) == "BAD_NETWORK");
  }
}

TEST_CASE("a collector is online while one of its buses is") {
  const absl::Time t = absl::FromUnixSeconds(1000);
  const Presence up{.online = true, .since = t, .pod = "gateway-0"};
  const Presence down{.online = false, .since = t + absl::Seconds(5), .reason = "silent"};
  CHECK_FALSE(Fold({}).online);
  CHECK_FALSE(Fold({}).since.has_value());
  CHECK(Fold({up, down}).online);
  CHECK(Fold({down, up}).pod == "gateway-0");
  CHECK(Fold({down, Presence{.online = false, .since = t, .reason = "older"}}).reason == "silent");
}

TEST_CASE("a meter that cannot be is refused by name") {
  const auto reason = [](const std::function<void(Meter&)>& spoil) {
    Meter meter = ElectricityMeter();
    spoil(meter);
    return Reason(CheckMeter(meter));
  };
  CHECK(reason([](Meter&) {}) == "OK");
  CHECK(reason([](Meter& m) { m.kind = 0; }) == "BAD_KIND");
  CHECK(reason([](Meter& m) { m.bus = 17; }) == "BAD_BUS");
  CHECK(reason([](Meter& m) { m.address = "26030000001"; }) == "BAD_ADDRESS");
  CHECK(reason([](Meter& m) { m.address = "26030000000A"; }) == "BAD_ADDRESS");
  CHECK(reason([](Meter& m) { m.protocol = "SML"; }) == "UNKNOWN_PROTOCOL");
  CHECK(reason([](Meter& m) { m.ratio = "0"; }) == "BAD_RATIO");
  CHECK(reason([](Meter& m) { m.ratio = "1e3"; }) == "BAD_RATIO");
  CHECK(reason([](Meter& m) { m.ratio = "12.5"; }) == "OK");
}

TEST_CASE("each protocol has its own shape of an address") {
  const auto reason = [](const char* protocol, const char* address, int kind = 2) {
    Meter meter = ElectricityMeter();
    meter.protocol = protocol;
    meter.address = address;
    meter.kind = kind;
    return Reason(CheckMeter(meter));
  };
  CHECK(reason("DLT645_1997", "260300000001", 1) == "OK");
  // Everyone's address is no meter's.
  for (const char* protocol : {"DLT645_2007", "DLT645_1997"}) {
    CHECK(reason(protocol, "999999999999", 1) == "BAD_ADDRESS");
    CHECK(reason(protocol, "999999999998", 1) == "OK");
  }
  for (const char* good : {"p0", "p5", "p250", "12345678", "12345678A5150107"}) CHECK(reason("MBUS", good) == "OK");
  for (const char* bad :
       {"", "p", "p251", "p05", "p-1", "p+1", "250", "1234567", "1234567F", "123456789A5150107", "12345678a5150107",
        "F2345678A5150107", "12345678FFFF0107", "12345678A515FF07", "12345678A51501FF"}) {
    CHECK(reason("MBUS", bad) == "BAD_ADDRESS");
  }
  CHECK(reason("CJT188", "1000112233445566") == "OK");
  for (const char* bad :
       {"00112233445566", "10001122334455667", "100011223344556A", "AA00112233445566", "1099999999999999"}) {
    CHECK(reason("CJT188", bad) == "BAD_ADDRESS");
  }
}

TEST_CASE("the type in a CJ/T 188 address and the kind of the meter agree") {
  const auto reason = [](const char* address, int kind) {
    Meter meter = ElectricityMeter();
    meter.protocol = "CJT188";
    meter.address = address;
    meter.kind = kind;
    return Reason(CheckMeter(meter));
  };
  CHECK(reason("1000112233445566", 2) == "OK");
  CHECK(reason("1100112233445566", 1) == "BAD_KIND");
  CHECK(reason("2000112233445566", 3) == "OK");
  CHECK(reason("2000112233445566", 2) == "BAD_KIND");
  CHECK(reason("3000112233445566", 4) == "OK");
  CHECK(reason("4000112233445566", 1) == "OK");
  CHECK(reason("4000112233445566", 2) == "OK");
  CHECK(reason("4000112233445566", 5) == "BAD_KIND");
}

TEST_CASE("a profile is named like a file") {
  Meter meter = ElectricityMeter();
  meter.profile = "dlt645_kede-2.1";
  CHECK(Reason(CheckMeter(meter)) == "OK");
  for (const char* bad : {"../x", "a b", "A"}) {
    meter.profile = bad;
    CHECK(Reason(CheckMeter(meter)) == "BAD_PROFILE");
  }
}

TEST_CASE("failed sign-ins slow the next one down, within bounds") {
  const absl::Time last = absl::FromUnixSeconds(10'000);
  CHECK(WaitBeforeLogin(2, last, last) == absl::ZeroDuration());
  CHECK(WaitBeforeLogin(3, last, last) == absl::Seconds(1));
  CHECK(WaitBeforeLogin(4, last, last) == absl::Seconds(2));
  CHECK(WaitBeforeLogin(4, last, last + absl::Seconds(2)) == absl::ZeroDuration());
  CHECK(WaitBeforeLogin(1'000'000, last, last) == kBackOffMax);
  CHECK(WaitBeforeLogin(50, last, last + kFailuresForgotten) == absl::ZeroDuration());
  CHECK(WaitBeforeLogin(50, last, last - absl::Hours(5)) == kBackOffMax);
}

}  // namespace
}  // namespace voltwell::registry
