// One subscription to an owner's events, taken up again where it broke.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/os/clock.h"
#include "services/api_gateway/upstreams.h"
#include "voltwell/event/v1/event_service.pb.h"

namespace voltwell::front {

inline constexpr absl::Duration kFeedBackOffMin = absl::Milliseconds(250);
inline constexpr absl::Duration kFeedBackOffMax = absl::Seconds(5);

class EventFeed {
 public:
  using News = std::function<void(const voltwell::event::v1::SubscribeResponse&)>;
  EventFeed(const Upstream& owner, std::vector<std::string> type_prefixes, News news, os::Clock& clock);
  ~EventFeed();  // Cancels, and waits until gRPC lets go.
  // From now on: subscribes, or takes up again when it is time. Call it regularly while news are wanted.
  void Want();
  // Ends the subscription; the next Want begins from then.
  void Leave();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace voltwell::front
