#include "services/api_gateway/forward.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/rpc/bytes_call.h"
#include "libs/rpc/door.h"

namespace voltwell::front {
namespace {

rpc::BytesRequest ToRequest(const Visit& visit, const Upstream& upstream, rpc::TokenIssuer& issuer, std::string wire) {
  return {.path = visit.route->path,
          .metadata = {{"authorization", absl::StrCat("Bearer ", issuer.Token(upstream.service, visit.identity))},
                       {"x-request-id", visit.request_id},
                       {"x-client-address", visit.client_address}},
          .timeout = std::min(visit.route->max_deadline, visit.call.timeout.value_or(absl::InfiniteDuration())),
          .message = std::move(wire)};
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

}  // namespace

void ForwardUnary(const std::shared_ptr<Visit>& visit, const Upstream& upstream, rpc::TokenIssuer& issuer,
                  std::string wire, std::function<void(const grpc::Status&, std::string)> done) {
  const auto call =
      rpc::NewUnaryCall(upstream.channel(), ToRequest(*visit, upstream, issuer, std::move(wire)),
                        [&upstream, done = std::move(done)](const grpc::Status& status, std::string answer) {
                          done(WithReason(status, upstream), std::move(answer));
                        });
  visit->responder->OnDisconnect([call] { call->Cancel(); });
  call->Start();
}

void ForwardStream(const std::shared_ptr<Stream>& stream, const Upstream& upstream, rpc::TokenIssuer& issuer,
                   std::string wire) {
  const auto call = rpc::NewStreamCall(
      upstream.channel(), ToRequest(stream->visit(), upstream, issuer, std::move(wire)),
      [stream](std::string message, rpc::NextMessage next) { stream->Send(std::move(message), std::move(next)); },
      [stream, &upstream](const grpc::Status& status) { stream->End(WithReason(status, upstream)); });
  stream->OnStop([call] { call->Cancel(); });
  stream->Begin();
  call->Start();
}

}  // namespace voltwell::front
