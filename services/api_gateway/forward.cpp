#include "services/api_gateway/forward.h"

#include <algorithm>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "libs/rpc/door.h"

namespace voltwell::front {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& wire) {
  const grpc::Slice slice(wire);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::string wire;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return wire;
  wire.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) wire.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return wire;
}

void Prepare(grpc::ClientContext& context, const Visit& visit, const Upstream& upstream, rpc::TokenIssuer& issuer) {
  context.AddMetadata("authorization", absl::StrCat("Bearer ", issuer.Token(upstream.service, visit.identity)));
  context.AddMetadata("x-request-id", visit.request_id);
  context.AddMetadata("x-client-address", visit.client_address);
  const absl::Duration left =
      std::min(visit.route->max_deadline, visit.call.timeout.value_or(absl::InfiniteDuration()));
  if (left != absl::InfiniteDuration()) context.set_deadline(absl::ToChronoTime(visit.house.clock.Now() + left));
}

// gRPC's own failures (nobody there, deadline) get a reason like those of services, and words that tell clients nothing
// of our network.
grpc::Status WithReason(const grpc::Status& status, const Upstream& upstream) {
  if (status.ok() || !status.error_details().empty()) return status;
  std::string words = status.error_message();
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE)
    words = upstream.service + " cannot be reached at the moment";
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) words = upstream.service + " did not answer in time";
  return rpc::ToGrpc(rpc::FromGrpc(grpc::Status(status.error_code(), words)), upstream.service);
}

struct UnaryCall {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
};

// Lives from Start to OnDone.
class Pump final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Pump(std::shared_ptr<Stream> stream, const Upstream& upstream) : stream_(std::move(stream)), upstream_(upstream) {}

  void Start(rpc::TokenIssuer& issuer, Upstream& upstream, const std::string& wire) {
    Prepare(*context_, stream_->visit(), upstream, issuer);
    request_ = ToBuffer(wire);
    stream_->OnStop([context = context_] { context->TryCancel(); });
    upstream.stub->PrepareBidiStreamingCall(context_.get(), stream_->visit().route->path, {}, this);
    StartWriteLast(&request_, grpc::WriteOptions());
    StartRead(&response_);
    AddHold();  // The next read is started from the HTTP server's thread.
    stream_->Begin();
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();
    stream_->Send(ToString(response_), [this](bool alive) {
      if (alive) {
        StartRead(&response_);
      } else {
        context_->TryCancel();
        RemoveHold();
      }
    });
  }

  void OnDone(const grpc::Status& status) override {
    stream_->End(WithReason(status, upstream_));
    delete this;
  }

 private:
  const std::shared_ptr<Stream> stream_;
  const Upstream& upstream_;
  const std::shared_ptr<grpc::ClientContext> context_ = std::make_shared<grpc::ClientContext>();
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

}  // namespace

void ForwardUnary(const std::shared_ptr<Visit>& visit, Upstream& upstream, rpc::TokenIssuer& issuer,
                  const std::string& wire, std::function<void(const grpc::Status&, std::string)> done) {
  const auto call = std::make_shared<UnaryCall>();
  Prepare(call->context, *visit, upstream, issuer);
  call->request = ToBuffer(wire);
  // Weak: an answered call must not live as long as its connection.
  visit->responder->OnDisconnect([weak = std::weak_ptr<UnaryCall>(call)] {
    if (const auto pending = weak.lock()) pending->context.TryCancel();
  });
  upstream.stub->UnaryCall(&call->context, visit->route->path, {}, &call->request, &call->response,
                           [call, &upstream, done = std::move(done)](const grpc::Status& status) {
                             done(WithReason(status, upstream), status.ok() ? ToString(call->response) : std::string());
                           });
}

void ForwardStream(const std::shared_ptr<Stream>& stream, Upstream& upstream, rpc::TokenIssuer& issuer,
                   const std::string& wire) {
  (new Pump(stream, upstream))->Start(issuer, upstream, wire);
}

}  // namespace voltwell::front
