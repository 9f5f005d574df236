// What the registry writes is what the gateway reads, and nothing else is.
#include "libs/directory/directory.h"

#include <catch2/catch.hpp>

#include "libs/directory/route.h"
#include "libs/testing/status.h"

namespace voltwell::directory {
namespace {

const Entry kEntry{.registration_id = "VW-DEMO-0001/2",
                   .collector = "VW-DEMO-0001",
                   .collector_id = "01j9",
                   .tenant = "demo",
                   .bus = 2,
                   .baud = 9600,
                   .link_time_ms = 200,
                   .dialect = "transparent",
                   .heartbeat_hex = "56574842",
                   .source_network = "10.8.0.0/16",
                   .port = 3,
                   .dial_target = "10.20.0.7:4001",
                   .assurance = "network",
                   .sealed_key = "c2VhbGVk"};

crypto::SigningKey Key(char seed) { return *crypto::SigningKey::FromSeed(std::string(32, seed)); }

TEST_CASE("an entry comes back as it was signed") {
  const auto back = Decode(Encode(kEntry, Key('a')), Key('a').PublicKey());
  REQUIRE_OK(back);
  CHECK(*back == kEntry);
}

TEST_CASE("an entry of another key, changed, cut or senseless is refused") {
  const std::string text = Encode(kEntry, Key('a'));
  const std::string key = Key('a').PublicKey();
  CHECK_REASON(Decode(text, Key('b').PublicKey()), "BAD_DIRECTORY_ENTRY");
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == text) continue;
    // The last character of a signature holds two bits only: another character may mean the same bytes.
    if (i + 1 == text.size() && Decode(changed, key).ok()) continue;
    CHECK_REASON(Decode(changed, key), "BAD_DIRECTORY_ENTRY");
    CHECK_REASON(Decode(text.substr(0, i), key), "BAD_DIRECTORY_ENTRY");
  }
  const auto signed_text = [&](const std::string& plain) {
    const std::string content = crypto::Base64Url(plain);
    return content + "." + crypto::Base64Url(Key('a').Sign(content));
  };
  CHECK_REASON(Decode(signed_text("not JSON"), key), "BAD_DIRECTORY_ENTRY");
  CHECK_REASON(Decode(signed_text("[]"), key), "BAD_DIRECTORY_ENTRY");
  CHECK_REASON(Decode(signed_text("{}"), key), "BAD_DIRECTORY_ENTRY");
}

TEST_CASE("a field that a later version adds is passed over") {
  const std::string content = crypto::Base64Url(
      R"({"registration_id":"A","collector":"A","collector_id":"1","tenant":"t","later":[1],"baud":"fast"})");
  const auto entry = Decode(content + "." + crypto::Base64Url(Key('a').Sign(content)), Key('a').PublicKey());
  REQUIRE_OK(entry);
  CHECK(entry->registration_id == "A");
  CHECK(entry->baud == 2400);
}

TEST_CASE("an id is shown as people can bear it") {
  CHECK(PrintableId("VW-DEMO-0001") == "VW-DEMO-0001");
  CHECK(PrintableId(std::string("\x01\xff", 2)) == "hex:01FF");
  CHECK(PrintableId("a b") == "hex:612062");
  CHECK(PrintableId("") == "hex:");
}

TEST_CASE("a route comes back as it was written, and other text is none") {
  const Route route{
      .pod = "gateway-0", .generation = 3, .counter = 1'767'225'600'000'001, .since_ms = 1'767'225'600'000};
  const auto back = DecodeRoute(EncodeRoute(route));
  REQUIRE(back.has_value());
  CHECK(back->pod == "gateway-0");
  CHECK(back->generation == 3);
  CHECK(back->counter == route.counter);
  for (const char* bad : {"", "gateway-0", "gateway-0 3 1", " 3.1 1", "gateway-0 3.x 1", "a 3.1 1 more"}) {
    CHECK_FALSE(DecodeRoute(bad).has_value());
  }
}

}  // namespace
}  // namespace voltwell::directory
