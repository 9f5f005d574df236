#include "services/api_gateway/live_queue.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "voltwell/scheduler/v1/event.pb.h"

namespace voltwell::front {
namespace {

namespace scheduler = voltwell::scheduler::v1;
namespace registry = voltwell::registry::v1;

template <typename Message>
void UnpackOne(const voltwell::event::v1::Event& event, LiveItem& item) {
  auto message = std::make_shared<Message>();
  if (!message->ParseFromString(event.payload())) return;
  item.resources.emplace_back(event.key(), std::shared_ptr<const Message>(std::move(message)));
}

void UnpackReadings(const voltwell::event::v1::Event& event, LiveItem& item) {
  scheduler::ReadingStored stored;
  if (!stored.ParseFromString(event.payload())) return;
  for (auto& reading : *stored.mutable_readings()) {
    std::string key = absl::StrCat(reading.meter(), "/", reading.register_());
    item.resources.emplace_back(std::move(key), std::make_shared<const scheduler::Reading>(std::move(reading)));
  }
}

struct Put {
  voltwell::front::v1::WatchResponse& response;
  void operator()(const std::shared_ptr<const scheduler::Reading>& reading) { *response.add_readings() = *reading; }
  void operator()(const std::shared_ptr<const scheduler::Run>& run) { *response.add_runs() = *run; }
  void operator()(const std::shared_ptr<const registry::Collector>& collector) {
    *response.add_collectors() = *collector;
  }
  void operator()(const std::shared_ptr<const scheduler::Operation>& operation) {
    *response.add_operations() = *operation;
  }
};

}  // namespace

LiveItem UnpackEvent(const voltwell::event::v1::Event& event) {
  LiveItem item{event.type(), event.tenant(), event.site_path(), event.permission(), event.time(), {}};
  const std::string& payload = event.payload_type();
  if (payload == scheduler::ReadingStored::descriptor()->full_name()) UnpackReadings(event, item);
  if (payload == scheduler::Run::descriptor()->full_name()) UnpackOne<scheduler::Run>(event, item);
  if (payload == scheduler::Operation::descriptor()->full_name()) UnpackOne<scheduler::Operation>(event, item);
  if (payload == registry::Collector::descriptor()->full_name()) UnpackOne<registry::Collector>(event, item);
  return item;
}

bool MaySee(const LiveItem& item, const rpc::Identity& identity, const std::vector<std::string>& topics) {
  if (item.tenant.empty() || item.tenant != identity.tenant) return false;
  // An event that names no permission is for those who may see all.
  if (!identity.Allows(item.permission.empty() ? "*" : item.permission)) return false;
  const auto begins = [](const std::string& text) {
    return [&text](const std::string& prefix) { return absl::StartsWith(text, prefix); };
  };
  const auto& scope = identity.site_scope;
  if (!scope.empty() && std::none_of(scope.begin(), scope.end(), begins(item.site_path))) return false;
  return topics.empty() || std::any_of(topics.begin(), topics.end(), begins(item.type));
}

bool LiveQueue::Add(const LiveItem& item) {
  for (const auto& [key, resource] : item.resources) {
    const auto [place, added] = newest_.insert_or_assign(key, resource);
    if (!added) continue;
    if (order_.size() == kLiveQueueMax) {
      newest_.erase(place);
      return false;
    }
    order_.push_back(key);
  }
  time_ = item.time;
  return true;
}

voltwell::front::v1::WatchResponse LiveQueue::Take() {
  voltwell::front::v1::WatchResponse response;
  *response.mutable_time() = time_;
  const size_t count = std::min(order_.size(), kLiveBatchMax);
  for (size_t i = 0; i < count; ++i) {
    const auto found = newest_.find(order_.front());
    std::visit(Put{response}, found->second);
    newest_.erase(found);
    order_.pop_front();
  }
  return response;
}

}  // namespace voltwell::front
