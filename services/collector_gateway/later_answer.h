// An admitted unary call that another thread answers, once.
#pragma once

#include <utility>

#include "grpcpp/support/server_callback.h"
#include "libs/os/clock.h"
#include "libs/rpc/door.h"
#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

class LaterAnswer {
 public:
  LaterAnswer(rpc::Door& door, os::Clock& clock, rpc::Call call, grpc::ServerUnaryReactor* reactor)
      : door_(door), clock_(clock), call_(std::move(call)), reactor_(reactor), began_(clock.Monotonic()) {}
  void Finish(const absl::Status& status) {
    door_.Finished(call_, status, clock_.Monotonic() - began_);
    reactor_->Finish(rpc::ToGrpc(status, door_.service()));
  }

 private:
  rpc::Door& door_;
  os::Clock& clock_;
  const rpc::Call call_;
  grpc::ServerUnaryReactor* const reactor_;
  const Instant began_;
};

}  // namespace voltwell::gateway
