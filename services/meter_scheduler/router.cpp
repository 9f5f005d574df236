#include "services/meter_scheduler/router.h"

#include <set>

#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/directory/directory.h"
#include "libs/directory/route.h"

namespace voltwell::scheduler {

// Fills known_ for these pods by one MGET.
absl::Status Router::Learn(const std::vector<std::string>& pods) {
  redis::Command command = {"MGET"};
  for (const std::string& pod : pods) command.push_back(directory::GatewayKey(pod));
  VW_ASSIGN_OR_RETURN(const redis::Reply reply, redis_.Call(command));
  const absl::Duration until = clock_.Monotonic() + kPodAddressFor;
  const std::lock_guard lock(mutex_);
  if (known_.size() > kPodsMax) known_.clear();
  for (size_t i = 0; i < pods.size() && i < reply.items.size(); ++i) {
    known_[pods[i]] = {reply.items[i].nil() ? std::string() : reply.items[i].text, until};
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Router::Route(const std::vector<BusName>& buses) {
  std::vector<std::string> addresses(buses.size());
  redis::Command command = {"MGET"};
  for (const BusName& bus : buses) command.push_back(directory::SessionKey(bus.registration_id, bus.bus));
  VW_ASSIGN_OR_RETURN(const redis::Reply reply, redis_.Call(command));
  if (reply.items.size() != buses.size())
    return base::Internal("REDIS_ERROR", "MGET answered another number of values");
  std::vector<std::string> pods(buses.size());
  std::set<std::string> unknown;
  const absl::Duration now = clock_.Monotonic();
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < buses.size(); ++i) {
      if (reply.items[i].nil()) continue;
      const std::optional<directory::Route> route = directory::DecodeRoute(reply.items[i].text);
      if (!route.has_value()) continue;
      pods[i] = route->pod;
      const auto found = known_.find(route->pod);
      if (found == known_.end() || found->second.until <= now) unknown.insert(route->pod);
    }
  }
  if (!unknown.empty()) VW_RETURN_IF_ERROR(Learn({unknown.begin(), unknown.end()}));
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < buses.size(); ++i) {
    if (const auto found = known_.find(pods[i]); found != known_.end()) addresses[i] = found->second.address;
  }
  return addresses;
}

absl::StatusOr<std::string> Router::AddressOf(const std::string& pod) {
  VW_RETURN_IF_ERROR(Learn({pod}));
  const std::lock_guard lock(mutex_);
  return known_[pod].address;
}

absl::StatusOr<std::map<std::string, std::string>> Router::Pods() {
  std::set<std::string> keys;
  std::string cursor = "0";
  do {
    VW_ASSIGN_OR_RETURN(const redis::Reply reply,
                        redis_.Call({"SCAN", cursor, "MATCH", directory::GatewayKey("*"), "COUNT", "1000"}));
    if (reply.items.size() != 2) return base::Internal("REDIS_ERROR", "SCAN answered something else");
    cursor = reply.items[0].text;
    for (const redis::Reply& key : reply.items[1].items) keys.insert(key.text);
  } while (cursor != "0" && keys.size() < kPodsMax);
  std::map<std::string, std::string> pods;
  for (const std::string& key : keys) {
    absl::string_view pod = key;
    absl::ConsumePrefix(&pod, directory::GatewayKey(""));
    VW_ASSIGN_OR_RETURN(const std::string address, AddressOf(std::string(pod)));
    if (!address.empty()) pods[std::string(pod)] = address;
  }
  return pods;
}

}  // namespace voltwell::scheduler
