// Recorded frames of real meters, given back as they were.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "libs/base/bytes.h"
#include "tools/field_sim/meter.h"

namespace voltwell::field_sim {

size_t ReplayMeter::Answer(const Request& request, Moment, std::span<uint8_t, kMaxAnswer> out) {
  if (request.address == kBroadcast) return 0;
  ++counts_.requests;
  if (request.control == 0x1C) ++counts_.relay_commands;
  const std::string asked = base::ToString(request.frame());
  const std::string* reply = nullptr;
  for (const RecordedExchange& exchange : config_.recorded) {
    if (exchange.request == asked) reply = &exchange.reply;
    if (exchange.request.empty() && exchange.function == (request.control & 0x1F) && reply == nullptr) {
      reply = &exchange.reply;
    }
  }
  if (reply != nullptr && reply->size() <= out.size()) {
    ++counts_.reads_served;
    std::copy(reply->begin(), reply->end(), out.begin());
    return reply->size();
  }
  if (config_.unrecorded == Unrecorded::kSilence) return 0;
  ++counts_.errors_served;
  Reply refusal;
  refusal.control = request.control | 0xC0;
  refusal.Put(uint8_t{0x02});
  return BuildFrame(config_.address, refusal, out.data());
}

nlohmann::json ReplayMeter::Truth(Moment) {
  nlohmann::json out = CommonTruth();
  out["kind"] = "replay";
  out["recorded"] = config_.recorded.size();
  return out;
}

}  // namespace voltwell::field_sim
