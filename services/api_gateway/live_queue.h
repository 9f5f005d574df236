// What one page has still to be told. Of each resource only the newest state: a page that reads slowly skips, it does
// not lag. Pure but for its messages.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "libs/rpc/identity.h"
#include "voltwell/event/v1/event.pb.h"
#include "voltwell/front/v1/live_service.pb.h"

namespace voltwell::front {

inline constexpr size_t kLiveQueueMax = 16'384;  // Resources a watcher may lag behind; beyond it LIVE_TOO_SLOW.
inline constexpr size_t kLiveBatchMax = 1'024;   // Resources in one message.

using LiveResource = std::variant<std::shared_ptr<const voltwell::scheduler::v1::Reading>,
                                  std::shared_ptr<const voltwell::scheduler::v1::Run>,
                                  std::shared_ptr<const voltwell::registry::v1::Collector>,
                                  std::shared_ptr<const voltwell::scheduler::v1::Operation>>;

// An event, unpacked once for all watchers.
struct LiveItem {
  std::string type = {};
  std::string tenant = {};
  std::string site_path = {};
  std::string permission = {};
  google::protobuf::Timestamp time = {};
  std::vector<std::pair<std::string, LiveResource>> resources = {};  // By key.
};

// Nothing to show in it: no resources.
LiveItem UnpackEvent(const voltwell::event::v1::Event& event);

// Tenant, permission and sites as the caller's identity has them, topics as asked for.
bool MaySee(const LiveItem& item, const rpc::Identity& identity, const std::vector<std::string>& topics);

class LiveQueue {
 public:
  // False: full.
  bool Add(const LiveItem& item);
  bool empty() const { return order_.empty(); }
  size_t size() const { return order_.size(); }
  // At most kLiveBatchMax, oldest first.
  voltwell::front::v1::WatchResponse Take();

 private:
  std::deque<std::string> order_;
  std::unordered_map<std::string, LiveResource> newest_;
  google::protobuf::Timestamp time_;
};

}  // namespace voltwell::front
