// Who dials: the first bytes of a connection.
#include "services/collector_gateway/domain/directory_copy.h"

#include <catch2/catch.hpp>

#include "services/collector_gateway/core/peer.h"
#include "services/collector_gateway/testing/frames.h"

using namespace voltwell::gateway;  // NOLINT
namespace base = voltwell::base;

namespace {

BusEntryPtr Bus(const std::string& registration, const std::string& heartbeat = "") {
  BusEntry entry;
  entry.registration = registration;
  entry.registration_id = registration;
  entry.collector = registration;
  entry.tenant = "t1";
  entry.heartbeat = heartbeat;
  return std::make_shared<const BusEntry>(entry);
}

const DirectoryCopy& Known() {
  static const DirectoryCopy kCopy(1,
                                   {Bus("VW-1", "ping"), Bus("VW-1/2"), Bus("VW-20"), Bus(std::string("\x01\x02", 2))});
  return kCopy;
}

// Id that registers, "?" while it must wait, "unknown", or "may grow".
std::string Who(const std::string& bytes, bool quiet) {
  const Identified identified = Known().Identify(base::AsBytes(bytes), quiet);
  switch (identified.kind) {
    case Identified::Kind::kWait:
      return "?";
    case Identified::Kind::kUnknown:
      return identified.may_grow ? "may grow" : "unknown";
    case Identified::Kind::kKnown:
      return identified.entry->registration + "+" + bytes.substr(identified.used);
    case Identified::Kind::kClash:
      return "clash";
  }
  return "";
}

}  // namespace

TEST_CASE("an id registers when its sender has paused, since it may be the beginning of another") {
  CHECK(Who("VW-1", false) == "?");
  CHECK(Who("VW-1", true) == "VW-1+");
  CHECK(Who("VW-1/2", false) == "?");
  CHECK(Who("VW-1/2", true) == "VW-1/2+");
  CHECK(Who("VW-20", true) == "VW-20+");
  CHECK(Who("\x01\x02", true) == "\x01\x02+");
}

TEST_CASE("an id that begins with a known one is not taken for it") {
  CHECK(Who("VW-12", true) == "unknown");
  CHECK(Who("VW-1/", true) == "may grow");
  CHECK(Who("VW-1/3", true) == "unknown");
  CHECK(Who("VW-200", true) == "unknown");
  CHECK(Who("VW-1h", true) == "unknown");  // 'h' is 68H, but no frame begins there.
}

TEST_CASE("half an id waits for the rest and is not unknown yet") {
  CHECK(Who("VW", false) == "?");
  CHECK(Who("VW", true) == "may grow");
  CHECK(Who("VX", true) == "unknown");
  CHECK(Who("xVW-1", true) == "unknown");
}

TEST_CASE("a line end or the box's heartbeat proves that the id is complete") {
  CHECK(Who("VW-1\r\n", false) == "VW-1+");
  CHECK(Who(std::string("VW-1\0", 5), false) == "VW-1+");
  CHECK(Who("VW-1ping", false) == "VW-1+ping");
  CHECK(Who("VW-20ping", false) == "?");
  CHECK(Who("VW-20ping", true) == "unknown");  // Not its own heartbeat.
}

TEST_CASE("a heartbeat proves an id only if what may follow an id follows it too") {
  // Somebody took the short id VW with the heartbeat "-"; VW-9 is a box that nobody has claimed yet.
  const DirectoryCopy copy(1, {Bus("VW", "-"), Bus("GW", "\xFE")});
  const auto who = [&](const std::string& bytes, bool quiet) {
    const Identified identified = copy.Identify(base::AsBytes(bytes), quiet);
    return identified.kind == Identified::Kind::kKnown ? identified.entry->registration : "";
  };
  for (const bool quiet : {false, true}) {
    CHECK(who("VW-9", quiet) == "");
    CHECK(who("VW--9", quiet) == "");
    CHECK(who("VW-", quiet) == "VW");
    CHECK(who("VW---", quiet) == "VW");
    CHECK(who("VW-\r\n", quiet) == "VW");
    CHECK(who("VW--" + voltwell::gateway::testing::Reply(7), quiet) == "VW");
  }
  CHECK(who("GW\xFE" + voltwell::gateway::testing::Reply(7), true) == "GW");
}

TEST_CASE(
    "of two spellings of the same bytes the plain one is taken in, whichever comes first, and the other counted") {
  BusEntry other = *Bus("VW-1");
  other.registration_id = "hex:56572D31";
  other.tenant = "t2";
  const BusEntryPtr second = std::make_shared<const BusEntry>(other);
  for (const auto& entries : {std::vector{Bus("VW-1"), second}, std::vector{second, Bus("VW-1")}}) {
    const DirectoryCopy copy(1, entries);
    CHECK(copy.Find("VW-1")->tenant == "t1");
    CHECK(copy.clashes() == 1);
  }
  const DirectoryCopy followed = Known().With({second}, {"hex:56572D31"});
  CHECK(followed.Find("VW-1") == Known().Find("VW-1"));
  CHECK(followed.clashes() == 1);
  CHECK(Known().With({Bus("VW-1", "pong")}, {}).clashes() == 0);
}

TEST_CASE("a frame glued to the id is what follows it") {
  const std::string frame = voltwell::gateway::testing::Reply(7);
  CHECK(Who("VW-1" + frame, true) == "VW-1+" + frame);
  CHECK(Who("VW-1\xFE\xFE" + frame, true) == "VW-1+\xFE\xFE" + frame);
}

TEST_CASE("changes write and remove entries and leave the others as they are") {
  const DirectoryCopy changed = Known().With({Bus("VW-1", "pong"), Bus("VW-3")}, {"VW-20", "VW-1"});
  CHECK(changed.Find("VW-1")->heartbeat == "pong");
  CHECK(changed.Find("VW-3") != nullptr);
  CHECK(changed.Find("VW-20") == nullptr);
  CHECK(changed.Find("VW-1/2") == Known().Find("VW-1/2"));
  CHECK(changed.generation() == 1);
}

TEST_CASE("a source network lets its own addresses in and no others") {
  const auto address = [](const char* text) { return ParseNetwork(text)->address; };
  CHECK(ParseNetwork("10.8.0.0/16")->Contains(address("10.8.255.1")));
  CHECK_FALSE(ParseNetwork("10.8.0.0/16")->Contains(address("10.9.0.1")));
  CHECK(ParseNetwork("10.8.0.4/30")->Contains(address("10.8.0.7")));
  CHECK_FALSE(ParseNetwork("10.8.0.4/30")->Contains(address("10.8.0.8")));
  CHECK(ParseNetwork("10.8.0.4")->Contains(address("10.8.0.4")));
  CHECK(ParseNetwork("")->Contains(address("192.0.2.1")));
  CHECK(ParseNetwork("2001:db8::/32")->Contains(address("2001:db8:1::5")));
  CHECK_FALSE(ParseNetwork("2001:db8::/32")->Contains(address("10.8.0.4")));
  for (const char* wrong : {"10.8.0.0/33", "10.8.0.0/", "10.8", "x", "10.8.0.0/-1"}) CHECK_FALSE(ParseNetwork(wrong));
}
