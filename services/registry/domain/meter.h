// A meter: what it is, where it hangs, and how it is spoken to.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace voltwell::registry {

struct Meter {
  std::string id = {};
  std::string tenant = {};
  std::string display_name = {};
  int kind = 0;  // Number of voltwell.registry.v1.Meter.Kind.
  std::string site = {};
  std::string site_path = {};  // Joined.
  std::string collector = {};
  std::string collector_registration_id = {};  // Joined.
  int bus = 0;
  int baud = 0;  // Joined.
  std::string address = {};
  std::string protocol = {};
  std::string profile = {};
  std::string ratio = {};
  int64_t revision = 0;
  absl::Time created_at = absl::UnixEpoch();
  bool archived = false;
};

// Bus 1, ratio 1.
Meter WithDefaults(Meter meter);

// Of a meter with defaults. BAD_DISPLAY_NAME, BAD_KIND, BAD_BUS, UNKNOWN_PROTOCOL, BAD_ADDRESS, BAD_PROFILE, BAD_RATIO.
absl::Status CheckMeter(const Meter& meter);

}  // namespace voltwell::registry
