// Turns one template of a park file into many collectors.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/field_sim/park.h"

namespace voltwell::field_sim {

struct TemplateCounts {
  int64_t collectors = 1, buses = 1, meters = 1;
  int64_t first = 1;  // The number of the first collector.
};

// In a pattern {collector}, {bus} and {meter} stand for numbers; {meter:4} has at least four digits.
struct TemplatePatterns {
  std::string id, address, name;
  double spread = 0.3;  // Powers and start energies differ from meter to meter by up to this share.
};

absl::StatusOr<std::vector<ParkCollector>> ExpandTemplate(const TemplateCounts& counts,
                                                          const TemplatePatterns& patterns,
                                                          const ParkCollector& collector, const ParkBus& bus,
                                                          const ParkMeter& meter, const std::string& path);

// The collector's id for bus 1, id/N for bus N.
std::string DefaultRegistration(absl::string_view id, int bus);

// path stands in front of the mistake's JSON pointer.
absl::StatusOr<Faults> FaultsFromJson(const nlohmann::json& value, const std::string& path);
nlohmann::json FaultsToJson(const Faults& faults);

}  // namespace voltwell::field_sim
