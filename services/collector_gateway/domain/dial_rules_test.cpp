// Whom a gateway may dial, whatever a name resolves to.
#include "services/collector_gateway/domain/dial_rules.h"

#include <catch2/catch.hpp>

#include "services/collector_gateway/core/peer.h"

using namespace voltwell::gateway;  // NOLINT

namespace {

std::string Why(const std::string& address, const DialRules& rules) {
  return std::string(WhyNotDial(ParseNetwork(address)->address, rules));
}

DialRules Rules(std::initializer_list<const char*> allowed, std::initializer_list<const char*> refused = {}) {
  DialRules rules;
  for (const char* const text : allowed) rules.allowed.push_back(*ParseNetwork(text));
  for (const char* const text : refused) rules.refused.push_back(*ParseNetwork(text));
  return rules;
}

}  // namespace

TEST_CASE("nobody is dialled who is not in a network that was named") {
  CHECK_FALSE(Why("10.20.0.7", {}).empty());
  const DialRules rules = Rules({"10.20.0.0/16", "2001:db8::/32"});
  CHECK(Why("10.20.255.255", rules).empty());
  CHECK(Why("2001:db8::7", rules).empty());
  CHECK(Why("10.21.0.0", rules) == "not in a network that may be dialled");
}

TEST_CASE("some are never dialled, however wide the networks are that were named") {
  const DialRules rules = Rules({"0.0.0.0/0", "::/0"}, {"10.96.0.0/12", "fd00::/8"});
  CHECK(Why("8.8.8.8", rules).empty());
  CHECK(Why("2001:db8::7", rules).empty());
  for (const char* const address : {"127.0.0.1", "127.255.0.9", "::1"}) CHECK(Why(address, rules) == "loopback");
  for (const char* const address : {"169.254.169.254", "fe80::1", "febf::1"})
    CHECK(Why(address, rules) == "link-local");
  for (const char* const address : {"224.0.0.1", "239.1.2.3", "ff02::1"}) CHECK(Why(address, rules) == "multicast");
  for (const char* const address : {"0.0.0.0", "0.1.2.3", "::", "::7f00:1"})
    CHECK(Why(address, rules) == "unspecified");
  for (const char* const address : {"255.255.255.255", "240.0.0.1"}) CHECK(Why(address, rules) == "reserved");
  for (const char* const address : {"64:ff9b::7f00:1", "2002:7f00:1::"}) CHECK(Why(address, rules) == "translated");
  for (const char* const address : {"10.96.0.1", "10.111.255.255", "fd12::1"}) {
    CHECK(Why(address, rules) == "a network of the cluster");
  }
}

TEST_CASE("loopback is dialled by tests only, and then only where it was named") {
  DialRules rules = Rules({"127.0.0.0/8"});
  rules.loopback = true;
  CHECK(Why("127.0.0.1", rules).empty());
  CHECK(Why("::1", rules) == "not in a network that may be dialled");
  CHECK(Why("169.254.1.1", rules) == "link-local");
}

TEST_CASE("each failure doubles the pause up to its limit, half of it by chance") {
  CHECK(DialBackoff(1, 0) == kDialBackoffFirst / 2);
  CHECK(DialBackoff(1, 1) == kDialBackoffFirst);
  CHECK(DialBackoff(3, 1) == 4 * kDialBackoffFirst);
  CHECK(DialBackoff(7, 1) == kDialBackoffMax);
  CHECK(DialBackoff(1'000'000, 1) == kDialBackoffMax);
}

TEST_CASE("bus N is dialled N - 1 ports on, and all buses of one connection at the target itself") {
  const auto at = [](const std::string& target, int bus, int port = -1) {
    BusEntry entry;
    entry.dial_target = target;
    entry.bus = bus;
    entry.port = port;
    const DialTarget found = DialTargetOf(entry);
    return found.host + "|" + std::to_string(found.port);
  };
  CHECK(at("moxa:4001", 1) == "moxa|4001");
  CHECK(at("moxa:4001", 16) == "moxa|4016");
  CHECK(at("moxa:4001", 16, 3) == "moxa|4001");
  CHECK(at("[2001:db8::7]:23", 2) == "2001:db8::7|24");
  for (const char* const bad : {"", "moxa", ":1", "moxa:x", "[::1:1", "moxa:65536"}) CHECK(at(bad, 1) == "|0");
  CHECK(at("moxa:65535", 2) == "|0");
}
