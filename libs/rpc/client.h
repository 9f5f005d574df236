// Calls to another service: identity token, request id, inherited deadline, and one retry loop that knows which methods
// may be repeated (IDEMPOTENCY_SAFE and KEYED on UNAVAILABLE; NONE never). A new ClientContext for each attempt.
//
//   rpc::Client<codec::v1::CodecService> codec({.target = "127.0.0.1:9003", .service = "protocol_codec"}, issuer,
//   clock, metrics); absl::StatusOr<EncodeResponse> r = codec.Call(&codec::v1::CodecService::Stub::Encode, request,
//   {.deadline = deadline});
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/sync_stream.h"
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

// Limits of the retry loop: four tries, 50 ms doubled each time and jittered, never past the deadline.
inline constexpr int kTriesMax = 4;
inline constexpr absl::Duration kFirstBackOff = absl::Milliseconds(50);
inline constexpr absl::Duration kBackOffMax = absl::Seconds(1);

// Ends a stream from another thread, also one that has not begun yet. Thread-safe; once only.
class Cancellation {
 public:
  void Cancel();
  bool cancelled() const;
  // For the reader of the stream: false when cancelled already.
  bool Attach(grpc::ClientContext& context);
  void Detach();

 private:
  mutable std::mutex mutex_;
  grpc::ClientContext* context_ = nullptr;
  bool cancelled_ = false;
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
  // Counts a stream's end; streams are not repeated here, since only their reader knows where to go on.
  absl::Status StreamEnded(const google::protobuf::Descriptor& request, const grpc::Status& status);
  // For tests: how to wait between tries.
  void SetSleeper(std::function<void(absl::Duration)> sleep);

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

  // Reads a server stream on this thread until it ends, `on_message` answers false, or it is cancelled.
  template <typename Request, typename Response>
  absl::Status Read(std::unique_ptr<grpc::ClientReader<Response>> (Service::Stub::*method)(grpc::ClientContext*,
                                                                                           const Request&),
                    const Request& request, const CallOptions& options, Cancellation& cancellation,
                    const std::function<bool(const Response&)>& on_message) {
    grpc::ClientContext context;
    caller_.Prepare(context, *Request::descriptor(), options);
    if (!cancellation.Attach(context)) return caller_.StreamEnded(*Request::descriptor(), grpc::Status::CANCELLED);
    auto reader = (stub_.get()->*method)(&context, request);
    Response message;
    bool wanted = true;
    while (wanted && reader->Read(&message)) wanted = on_message(message);
    if (!wanted) context.TryCancel();
    const grpc::Status status = reader->Finish();
    cancellation.Detach();
    return caller_.StreamEnded(*Request::descriptor(), wanted ? status : grpc::Status::OK);
  }

  typename Service::Stub& stub() { return *stub_; }
  Caller& caller() { return caller_; }

 private:
  Caller caller_;
  std::unique_ptr<typename Service::Stub> stub_;
};

}  // namespace voltwell::rpc
