// The load profile of a DL/T 645-2007 meter: a record each full hour of the last two days, with values made up.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "tools/field_sim/meter.h"
#include "tools/field_sim/meter_fields.h"

namespace voltwell::field_sim {
namespace {

constexpr int64_t kHour = 3600;
constexpr int64_t kRecordsKept = 48;
constexpr uint8_t kClassEnd = 0xAA;

// Voltages, currents and frequency; powers; power factors; energies; quadrants; demands.
constexpr absl::string_view kClasses[] = {"3*b2.1:V 3*s3.3:A b2.2:Hz", "4*s3.4:kW 4*s3.4:kvar", "4*s2.3",
                                          "2*b4.2:kWh 2*s4.2:kvarh",   "4*b4.2:kvarh",          "s3.4:kW s3.4:kvar"};

}  // namespace

// 06 class 00 which: class 00 is all of them; which 00 the earliest records, 01 from a given time on, 02 the latest.
bool Meter::ShowProfile(uint32_t di, Bytes how_many_from, Moment now, std::vector<uint8_t>* wire,
                        nlohmann::json* fields) const {
  const uint32_t wanted = di >> 16 & 0xFF, which = di & 0xFF;
  if (wanted > std::size(kClasses) || (di >> 8 & 0xFF) != 0 || which > 2) return false;
  const int64_t count = how_many_from.empty() ? 1 : std::clamp<int64_t>(how_many_from[0], 1, kRecordsKept);
  const int64_t newest = load_.ClockSeconds(now) / kHour;
  const int64_t oldest = newest - kRecordsKept + 1;
  int64_t from = which == 0 ? oldest : newest - count + 1;
  if (which == 1) {
    if (how_many_from.size() != 6) return false;
    std::array<uint8_t, 6> time = {};
    std::copy(how_many_from.begin() + 1, how_many_from.end(), time.begin() + 1);
    const auto seconds = ParseClock(time);
    if (!seconds.has_value()) return false;
    from = std::max(oldest, (*seconds + kHour - 1) / kHour);
  }
  wire->clear();
  for (int64_t hour = from; hour < from + count && hour <= newest; ++hour) {
    Sheet time;
    time.Civil("mhDMY", SecondsToCivil(hour * kHour));
    std::vector<uint8_t> body = time.wire();
    for (size_t i = 0; i < std::size(kClasses); ++i) {
      if (wanted == 0 || wanted == i + 1) {
        Sheet data;
        data.Invent(kClasses[i], config_.address ^ static_cast<uint64_t>(hour) << 16 ^ i);
        body.insert(body.end(), data.wire().begin(), data.wire().end());
        for (nlohmann::json field : data.fields()) {
          field["time"] = time.fields()[0]["text"];
          if (fields != nullptr) fields->push_back(std::move(field));
        }
      }
      body.push_back(kClassEnd);
    }
    std::vector<uint8_t> record = {0xA0, 0xA0, static_cast<uint8_t>(body.size())};
    record.insert(record.end(), body.begin(), body.end());
    uint8_t sum = 0;
    for (const uint8_t byte : record) sum = static_cast<uint8_t>(sum + byte);
    record.push_back(sum);
    record.push_back(0xE5);
    wire->insert(wire->end(), record.begin(), record.end());
  }
  return !wire->empty();
}

}  // namespace voltwell::field_sim
