// What the field tells about itself.
#include <nlohmann/json.hpp>

#include "tools/field_sim/field.h"

namespace voltwell::field_sim {

BusCounts Field::BusTotals() const {
  BusCounts sum;
  for (const Link& link : links_) {
    const BusCounts& one = link.bus->counts();
    sum.requests += one.requests;
    sum.replies += one.replies;
    sum.collisions += one.collisions;
    sum.unanswered += one.unanswered;
  }
  return sum;
}

uint64_t Field::BadFrames() const {
  uint64_t sum = 0;
  for (const Link& link : links_) sum += link.bus->bad_frames();
  return sum;
}

Device* Field::FindDevice(const std::string& address, size_t* link) const {
  for (size_t i = 0; i < links_.size(); ++i) {
    if (Device* device = links_[i].bus->Find(address)) {
      *link = i;
      return device;
    }
  }
  return nullptr;
}

nlohmann::json Field::LinkJson(size_t index) const {
  const Link& link = links_[index];
  const BusCounts& counts = link.bus->counts();
  return {{"collector", park_.collectors[link.collector].id},
          {"bus", link.bus->config().number},
          {"connected", link.state == State::kConnected && !links_[link.carrier].mute},
          {"target", options_.targets[link.target].text},
          {"listens", link.listener ? PortOf(link.listener.get()) : 0},
          {"connects", link.connects},
          {"requests", counts.requests},
          {"replies", counts.replies},
          {"unanswered", counts.unanswered},
          {"collisions", counts.collisions}};
}

nlohmann::json Field::CollectorsJson() const {
  nlohmann::json out = nlohmann::json::array();
  for (size_t i = 0; i < links_.size(); ++i) out.push_back(LinkJson(i));
  return out;
}

}  // namespace voltwell::field_sim
