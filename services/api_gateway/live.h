// LiveService/Watch: what happens, as it happens, to every open page. One subscription for each owner of facts, and
// only while somebody watches.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "services/api_gateway/streams.h"
#include "services/api_gateway/upstreams.h"
#include "voltwell/event/v1/event.pb.h"
#include "voltwell/front/v1/live_service.pb.h"

namespace voltwell::front {

inline constexpr absl::Duration kLiveEvery = absl::Milliseconds(250);  // A page gets at most four messages a second.
inline constexpr absl::Duration kLiveSignOfLife = absl::Seconds(15);   // Proxies cut what is silent for a minute.
inline constexpr absl::Duration kLiveUnsubscribeAfter = absl::Seconds(60);  // Without watchers.
inline constexpr size_t kLiveTopicsMax = 32;

class Live {
 public:
  Live(os::Clock& clock, metrics::Registry& metrics);
  ~Live();
  // Follows the owner's events (of these prefixes) while there are watchers. nullptr is no owner.
  void Follow(Upstream* owner, std::vector<std::string> type_prefixes);
  // Begins the stream. TOO_MANY_TOPICS (INVALID_ARGUMENT) ends it at once.
  void Watch(const std::shared_ptr<Stream>& stream, const voltwell::front::v1::WatchRequest& request);
  // News from an owner.
  void OnEvents(const google::protobuf::RepeatedPtrField<voltwell::event::v1::Event>& events);
  // Every kLiveEvery: tells what has come.
  void Tick();
  // Ends the subscriptions, and waits for their end.
  void Stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace voltwell::front
