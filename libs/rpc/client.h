// Calls to another service: identity token, request id, inherited deadline, and one retry loop that knows which methods may be
// repeated (IDEMPOTENCY_SAFE and KEYED on UNAVAILABLE; NONE never). A new ClientContext for each attempt.
//
//   rpc::Client<codec::v1::CodecService> codec({.target = "127.0.0.1:9003", .service = "protocol_codec"}, issuer, clock, metrics);
//   absl::StatusOr<EncodeResponse> r = codec.Call(&codec::v1::CodecService::Stub::Encode, request, {.deadline = deadline});
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/rpc/door.h"
#include "libs/rpc/identity.h"

namespace voltwell::rpc {

struct Target {
  std::string target = {};   // "127.0.0.1:9003"
  std::string service = {};  // Audience of the token: "protocol_codec".
};

struct CallOptions {
  absl::Time deadline = absl::InfiniteFuture();  // Bounded by the method's max_deadline and by parent's deadline.
  const Call* parent = nullptr;                  // Request id and deadline are inherited.
  std::string tenant = {};                       // The tenant that a worker acts for.
};

class Caller {
 public:
  Caller(Target target, TokenIssuer& issuer, os::Clock& clock, metrics::Registry& metrics);
  ~Caller();
  std::shared_ptr<grpc::Channel> channel() const;
  // Puts token, request id and deadline into a context, for streams.
  void Prepare(grpc::ClientContext& context, const google::protobuf::Descriptor& request, const CallOptions& options);
  // The retry loop.
  absl::Status Run(const google::protobuf::Descriptor& request, const CallOptions& options,
                   const std::function<grpc::Status(grpc::ClientContext&)>& attempt);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

template <typename Service>
class Client {
 public:
  Client(Target target, TokenIssuer& issuer, os::Clock& clock, metrics::Registry& metrics)
      : caller_(std::move(target), issuer, clock, metrics), stub_(Service::NewStub(caller_.channel())) {}

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request, const CallOptions& options = {}) {
    Response response;
    const absl::Status status = caller_.Run(*Request::descriptor(), options, [&](grpc::ClientContext& context) {
      response.Clear();
      return (stub_.get()->*method)(&context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }

  typename Service::Stub& stub() { return *stub_; }
  Caller& caller() { return caller_; }

 private:
  Caller caller_;
  std::unique_ptr<typename Service::Stub> stub_;
};

}  // namespace voltwell::rpc
