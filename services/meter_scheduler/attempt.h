// One claimed item on its way to the meter and back, as it passes from hand to hand: encoder, line, gatherer, store.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/meter_scheduler/domain/item.h"
#include "services/meter_scheduler/domain/retry.h"
#include "voltwell/codec/v1/codec.pb.h"
#include "voltwell/gateway/v1/gateway_service.pb.h"

namespace voltwell::scheduler {

struct Attempt {
  domain::Item item = {};
  int64_t epoch = 0;  // Of the lease that it was claimed under.
  voltwell::codec::v1::Command command = {};
  voltwell::codec::v1::ExchangeGroup group = {};
  absl::Time not_after = absl::InfiniteFuture();   // For the first byte.
  absl::Time permit_end = absl::InfiniteFuture();  // Of an item that opens.
  std::string moved_to = {};                       // Pod that is said to hold the session.
  bool rerouted = false;                           // Once only.
  int continuations = 0;

  domain::Outcome outcome = domain::Outcome::kOk;
  std::string reason = {};  // More exact than the outcome's, where the codec told one.
  absl::Time ended = absl::UnixEpoch();
  google::protobuf::RepeatedPtrField<voltwell::codec::v1::ReplyFrames> replies = {};
  std::string noise = {};
  std::vector<voltwell::codec::v1::RegisterValue> values = {};
  domain::Relay seen = domain::Relay::kUnknown;
  std::string request_bytes = {};
  std::string reply_bytes = {};
};

using AttemptPtr = std::unique_ptr<Attempt>;
using AttemptsEnded = std::function<void(std::vector<AttemptPtr>)>;

}  // namespace voltwell::scheduler
