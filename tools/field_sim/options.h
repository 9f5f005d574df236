// The command line of voltwell-field-sim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace voltwell::field_sim {

struct Options {
  std::string park;
  std::vector<std::string> targets = {"127.0.0.1:7645"};
  std::optional<uint16_t> admin_port;
  std::optional<uint64_t> seed;
  int dial_per_second = 2'000;
  bool print_park = false;
  bool help = false;
};

extern const char kUsage[];

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& arguments);

}  // namespace voltwell::field_sim
