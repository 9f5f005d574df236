#include "tools/field_sim/park_pattern.h"

#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/status.h"
#include "tools/field_sim/object_reader.h"

namespace voltwell::field_sim {
namespace {

struct Numbers {
  int64_t collector, bus, meter;
};

absl::Status BadPattern(const std::string& path, absl::string_view message) {
  return base::InvalidArgument("PARK_BAD_PATTERN", absl::StrCat(path, ": ", message), {{"path", path}});
}

absl::StatusOr<std::string> Fill(absl::string_view pattern, const Numbers& numbers, const std::string& path) {
  std::string out;
  while (!pattern.empty()) {
    const size_t open = pattern.find('{');
    out.append(pattern.data(), std::min(open, pattern.size()));
    if (open == absl::string_view::npos) break;
    const size_t close = pattern.find('}', open);
    if (close == absl::string_view::npos) return BadPattern(path, "a brace is not closed");
    absl::string_view word = pattern.substr(open + 1, close - open - 1);
    int width = 1;
    if (const size_t colon = word.find(':'); colon != absl::string_view::npos) {
      if (!absl::SimpleAtoi(word.substr(colon + 1), &width) || width < 1 || width > 12) {
        return BadPattern(path, "the width after ':' is 1 to 12");
      }
      word = word.substr(0, colon);
    }
    int64_t number = 0;
    if (word == "collector") {
      number = numbers.collector;
    } else if (word == "bus") {
      number = numbers.bus;
    } else if (word == "meter") {
      number = numbers.meter;
    } else {
      return BadPattern(path, absl::StrCat("{", word, "} is none of {collector}, {bus}, {meter}"));
    }
    out += absl::StrFormat("%0*d", width, number);
    pattern.remove_prefix(close + 1);
  }
  return out;
}

// Differs from address to address, the same in each run.
void Vary(double spread, ParkMeter* meter) {
  Random random(meter->address);
  const auto varied = [&](int64_t value) {
    return std::llround(static_cast<double>(value) * (1 + spread * (2 * random.Unit() - 1)));
  };
  meter->power_w = varied(meter->power_w);
  for (int64_t& energy : meter->forward_centi_kwh) energy = varied(energy);
}

}  // namespace

std::string DefaultRegistration(absl::string_view id, int bus) {
  return bus == 1 ? std::string(id) : absl::StrCat(id, "/", bus);
}

absl::StatusOr<std::vector<ParkCollector>> ExpandTemplate(const TemplateCounts& counts,
                                                          const TemplatePatterns& patterns,
                                                          const ParkCollector& collector, const ParkBus& bus,
                                                          const ParkMeter& meter, const std::string& path) {
  std::vector<ParkCollector> out;
  out.reserve(static_cast<size_t>(counts.collectors));
  for (int64_t c = counts.first; c < counts.first + counts.collectors; ++c) {
    ParkCollector one = collector;
    VW_ASSIGN_OR_RETURN(one.id, Fill(patterns.id, {c, 1, 1}, path + "/id"));
    for (int64_t b = 1; b <= counts.buses; ++b) {
      ParkBus line = bus;
      line.number = static_cast<int>(b);
      line.port = line.number;
      for (int64_t m = 1; m <= counts.meters; ++m) {
        ParkMeter unit = meter;
        VW_ASSIGN_OR_RETURN(const std::string digits, Fill(patterns.address, {c, b, m}, path + "/address_pattern"));
        const auto address = ParseAddress(digits);
        if (!address.has_value() || HasWildcard(*address) || *address == kBroadcast) {
          return BadPattern(path + "/address_pattern", absl::StrCat("gives '", digits, "', not twelve digits"));
        }
        unit.address = *address;
        unit.address_text = AddressText(*address);
        VW_ASSIGN_OR_RETURN(unit.name, Fill(patterns.name, {c, b, m}, path + "/name_pattern"));
        if (unit.name.empty()) unit.name = digits;
        Vary(patterns.spread, &unit);
        line.meters.push_back(std::move(unit));
      }
      one.buses.push_back(std::move(line));
    }
    out.push_back(std::move(one));
  }
  return out;
}

absl::StatusOr<Faults> FaultsFromJson(const nlohmann::json& value, const std::string& path) {
  absl::Status error;
  ObjectReader fields(value, path, &error);
  Faults faults;
  faults.silence_rate = fields.Rate("silence_rate");
  faults.drop_reply_rate = fields.Rate("drop_reply_rate");
  faults.late_rate = fields.Rate("late_rate");
  faults.late_ms = static_cast<int>(fields.Int("late_ms", faults.late_ms, 0, 600'000));
  faults.noise_before_rate = fields.Rate("noise_before_rate");
  faults.noise_bytes = static_cast<int>(fields.Int("noise_bytes", faults.noise_bytes, 1, 200));
  faults.noise_inside_rate = fields.Rate("noise_inside_rate");
  faults.bad_checksum_rate = fields.Rate("bad_checksum_rate");
  faults.garbage_rate = fields.Rate("garbage_rate");
  faults.wrong_address_rate = fields.Rate("wrong_address_rate");
  faults.double_rate = fields.Rate("double_rate");
  faults.noise_after_rate = fields.Rate("noise_after_rate");
  faults.late_exchange_rate = fields.Rate("late_exchange_rate");
  faults.glue_rate = fields.Rate("glue_rate");
  faults.heartbeat_glue_rate = fields.Rate("heartbeat_glue_rate");
  faults.split_segments = static_cast<int>(fields.Int("split_segments", 1, 1, 300));
  faults.split_gap_ms = static_cast<int>(fields.Int("split_gap_ms", faults.split_gap_ms, 1, 10'000));
  faults.leading_fe = static_cast<int>(fields.Int("leading_fe", 0, 0, 16));
  faults.relay_stuck = fields.Flag("relay_stuck", false);
  fields.Finish();
  if (!error.ok()) return error;
  return faults;
}

nlohmann::json FaultsToJson(const Faults& faults) {
  return {{"silence_rate", faults.silence_rate},
          {"drop_reply_rate", faults.drop_reply_rate},
          {"late_rate", faults.late_rate},
          {"late_ms", faults.late_ms},
          {"noise_before_rate", faults.noise_before_rate},
          {"noise_bytes", faults.noise_bytes},
          {"noise_inside_rate", faults.noise_inside_rate},
          {"bad_checksum_rate", faults.bad_checksum_rate},
          {"garbage_rate", faults.garbage_rate},
          {"wrong_address_rate", faults.wrong_address_rate},
          {"double_rate", faults.double_rate},
          {"noise_after_rate", faults.noise_after_rate},
          {"late_exchange_rate", faults.late_exchange_rate},
          {"glue_rate", faults.glue_rate},
          {"heartbeat_glue_rate", faults.heartbeat_glue_rate},
          {"split_segments", faults.split_segments},
          {"split_gap_ms", faults.split_gap_ms},
          {"leading_fe", faults.leading_fe},
          {"relay_stuck", faults.relay_stuck}};
}

}  // namespace voltwell::field_sim
