// What the tests of DL/T 645's commands share: the profiles that the project ships, a meter, frames by their data.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/codec/codec.h"
#include "libs/codec/dlt645/frame.h"

namespace voltwell::codec {

inline constexpr char kTestMeter[] = "111111111111";

// A profile of deploy/profiles by its file's name; the test ends when it is not there.
inline Profile Shipped(const std::string& file) {
  const char* const source = std::getenv("VOLTWELL_SOURCE_DIR");
  std::ifstream in(std::string(source == nullptr ? "." : source) + "/deploy/profiles/" + file + ".profile");
  REQUIRE(in.is_open());
  const auto profile = ParseProfile(std::string(std::istreambuf_iterator<char>(in), {}), file);
  REQUIRE(profile.ok());
  return *profile;
}

inline const ProfileBook& ShippedBook() {
  static const auto* const book = [] {
    auto* const made = new ProfileBook();
    for (const char* const file : {"dlt645_single", "dlt645_single_1997", "dlt645_classes", "dlt645_sealed",
                                   "dlt645_button", "dlt645_channel1", "dlt645_water_relay", "dlt645_order_wallet",
                                   "dlt645_kede", "dlt645_card", "dlt645_energy_wallet", "dlt645_slow"}) {
      Profile profile = Shipped(file);
      const std::string name = profile.name;
      made->emplace(name, std::move(profile));
    }
    return made;
  }();
  return *book;
}

template <typename Action>
Command Do(Action action, const std::string& profile = "", const std::string& address = kTestMeter,
           Protocol protocol = Protocol::kDlt645_2007) {
  return {protocol, address, profile, 0, std::move(action)};
}

// A frame from or to the meter; data without 33H, as on the wire.
inline std::string FrameOf(uint8_t control, const std::string& plain_hex, const std::string& address = kTestMeter) {
  const auto meter = dlt645::ParseAddress(address);
  REQUIRE(meter.ok());
  const auto data = base::FromHex(plain_hex);
  REQUIRE(data.ok());
  return dlt645::BuildFrame(*meter, control, base::AsBytes(*data));
}

inline std::string Hex(const std::string& bytes) { return base::ToHex(base::AsBytes(bytes)); }
inline std::string Unhex(const std::string& hex) { return *base::FromHex(hex); }

// The requests of the exchanges; the reason instead when there are none.
inline std::vector<std::string> Requests(const Command& command) {
  const auto group = Encode(command, ShippedBook());
  if (!group.ok()) return {base::ReasonOf(group.status())};
  std::vector<std::string> requests;
  for (const Exchange& exchange : group->exchanges) requests.push_back(exchange.request);
  return requests;
}
inline std::string Reason(const Command& command) { return base::ReasonOf(Encode(command, ShippedBook()).status()); }
inline Decoded Heard(const Command& command, const std::vector<ReplyFrames>& replies) {
  return Decode({command, replies}, ShippedBook());
}

}  // namespace voltwell::codec
