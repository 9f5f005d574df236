// Calls that know no message type: bytes in, bytes out, by the callback API, so that nobody waits in a thread. For the
// front door, which passes on what it does not understand, and for streams that are followed for long.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/status.h"

namespace voltwell::rpc {

struct BytesRequest {
  std::string path = {};  // "/voltwell.registry.v1.MeterService/GetMeter"
  std::vector<std::pair<std::string, std::string>> metadata = {};
  absl::Duration timeout = absl::InfiniteDuration();
  std::string message = {};  // Wire form.
};

// One call. Start it once; cancel it from any thread, before, during or after.
class BytesCall {
 public:
  virtual ~BytesCall() = default;
  virtual void Start() = 0;
  virtual void Cancel() = 0;
};

// `done` runs once on a thread of gRPC; it must not block.
std::shared_ptr<BytesCall> NewUnaryCall(const std::shared_ptr<grpc::Channel>& channel, const BytesRequest& request,
                                        std::function<void(const grpc::Status& status, std::string answer)> done);

// `message` gets one message at a time and asks for the next by next(true), from any thread, now or later; next(false)
// ends the call. What is not asked for is not read: a slow reader slows the sender.
using NextMessage = std::function<void(bool more)>;
std::shared_ptr<BytesCall> NewStreamCall(const std::shared_ptr<grpc::Channel>& channel, const BytesRequest& request,
                                         std::function<void(std::string message, NextMessage next)> message,
                                         std::function<void(const grpc::Status& status)> done);

}  // namespace voltwell::rpc
