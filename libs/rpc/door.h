// The one door: every call of every service passes Handle (unary) or Admit (streams), which checks identity,
// permission, audience and callers from the method's rules, bounds the deadline, carries the request id, counts, logs
// and maps errors.
//
//   grpc::Status MeterService::GetMeter(grpc::ServerContext* context, const GetMeterRequest* request, Meter* response)
//   {
//     return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status { ... });
//   }
//
// The method is found by its request message, which no two methods share.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/rpc/identity.h"
#include "voltwell/rpc/v1/options.pb.h"

namespace voltwell::rpc {

// One admitted call. Hand it on to whatever the call calls: deadline and request id travel with it.
struct Call {
  std::string method = {};      // "voltwell.registry.v1.MeterService.GetMeter"
  std::string request_id = {};  // Of the trace (metadata x-request-id), made here when absent. Not the idempotency key.
  Identity identity = {};
  absl::Time deadline = absl::InfiniteFuture();
  const voltwell::rpc::v1::MethodRules* rules = nullptr;
  std::string client_address =
      {};  // Of the person's browser, as the front door saw it (metadata x-client-address); else the peer.
};

// Status <-> grpc::Status with voltwell.rpc.v1.ErrorInfo in the details. A Status without reason becomes reason
// UNSPECIFIED, domain from the service's name.
grpc::Status ToGrpc(const absl::Status& status, absl::string_view domain);
absl::Status FromGrpc(const grpc::Status& status);

class Door {
 public:
  // `service`: "registry"; also the audience that tokens must name and the domain of errors ("voltwell.registry").
  Door(std::string service, TokenVerifier& verifier, os::Clock& clock, metrics::Registry& metrics);
  ~Door();

  // For the sync API.
  template <typename Request, typename Response, typename Body>
  grpc::Status Handle(grpc::ServerContext* context, const Request&, Response&, Body&& body) {
    return Run(*context, *Request::descriptor(), [&](const Call& call) { return body(call); });
  }

  // For the callback API: `body` must not block.
  template <typename Request, typename Response, typename Body>
  grpc::ServerUnaryReactor* Handle(grpc::CallbackServerContext* context, const Request&, Response&, Body&& body) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(Run(*context, *Request::descriptor(), [&](const Call& call) { return body(call); }));
    return reactor;
  }

  // For streams and calls that answer later: the caller finishes with ToGrpc and calls Finished once.
  absl::StatusOr<Call> Admit(const grpc::ServerContextBase& context, const google::protobuf::Descriptor& request);
  void Finished(const Call& call, const absl::Status& status, absl::Duration took);

  // Asked at each call before its body: what it answers is the answer (DATABASE_DOWN while migrations have not run).
  // Set it before serving.
  void Require(std::function<absl::Status()> ready);

  const std::string& service() const;

 private:
  grpc::Status Run(const grpc::ServerContextBase& context, const google::protobuf::Descriptor& descriptor,
                   const std::function<absl::Status(const Call&)>& body);
  struct State;
  std::unique_ptr<State> state_;
};

// The method whose request message this is, and its rules; nullptr when the message is no request.
const google::protobuf::MethodDescriptor* MethodOf(const google::protobuf::Descriptor& request);
const voltwell::rpc::v1::MethodRules& RulesOf(const google::protobuf::MethodDescriptor& method);

}  // namespace voltwell::rpc
