#include "services/api_gateway/visit.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/rpc/door.h"
#include "libs/rpc/request_id.h"
#include "services/api_gateway/envelope.h"
#include "services/api_gateway/error_json.h"
#include "services/api_gateway/gzip.h"

namespace voltwell::front {

void Visitors::Enter() {
  const std::lock_guard lock(mutex_);
  ++inside_;
}

void Visitors::Leave() {
  const std::lock_guard lock(mutex_);
  --inside_;
  left_.notify_all();
}

bool Visitors::AwaitNone(absl::Duration limit) {
  std::unique_lock lock(mutex_);
  return left_.wait_for(lock, absl::ToChronoMilliseconds(limit), [this] { return inside_ == 0; });
}

Visit::Visit(const House& house_in, http::Request request_in, std::shared_ptr<http::Responder> responder_in)
    : house(house_in),
      request(std::move(request_in)),
      responder(std::move(responder_in)),
      started(house.clock.Monotonic()),
      request_id(rpc::CleanRequestId(request.Header("x-request-id"))) {
  if (request_id.empty()) request_id = rpc::NewRequestId();
  house.visitors.Enter();
}

void Visit::AddCommonFields(http::Headers& headers) const {
  headers.fields.emplace_back("x-request-id", request_id);
  headers.fields.emplace_back("x-content-type-options", "nosniff");
  if (route != nullptr) headers.fields.emplace_back("cache-control", "no-store");
}

void Visit::AnswerPlain(http::Headers headers, std::string body) {
  const int status = headers.status;
  const size_t bytes = body.size();
  AddCommonFields(headers);
  responder->Respond(std::move(headers), std::move(body));
  Done(status, grpc::Status::OK, bytes);
}

void Visit::AnswerError(const Refusal& refusal) { AnswerError(rpc::ToGrpc(refusal.status, kDomain), refusal.http); }

void Visit::AnswerError(const grpc::Status& status, int http) {
  http::Headers headers;
  AddCommonFields(headers);
  for (const auto& field : error_fields) headers.fields.push_back(field);
  std::string body;
  if (call.streaming && http == 0) {
    headers.fields.emplace_back("content-type", ContentType(call.codec, true));
    body = Envelope(kEnvelopeEnd, EndOfStreamJson(status, house.routes));
  } else {
    headers.status = http != 0 ? http : HttpStatus(static_cast<absl::StatusCode>(status.error_code()));
    headers.fields.emplace_back("content-type", "application/json");
    body = ErrorJson(status, house.routes);
  }
  const int sent = headers.status;
  const size_t bytes = body.size();
  responder->Respond(std::move(headers), std::move(body));
  Done(sent, status, bytes);
}

void Visit::AnswerMessage(std::string wire, http::Headers headers) {
  auto body = house.routes.FromWire(*route->method->output_type(), call.codec, std::move(wire));
  if (!body.ok()) return AnswerError({0, body.status()});
  AddCommonFields(headers);
  headers.fields.emplace_back("content-type", ContentType(call.codec, false));
  if (call.accepts_gzip && body->size() > kGzipFrom) {
    *body = Gzip(*body);
    headers.fields.emplace_back("content-encoding", "gzip");
    headers.fields.emplace_back("vary", "accept-encoding");
  }
  const size_t bytes = body->size();
  responder->Respond(std::move(headers), *std::move(body));
  Done(200, grpc::Status::OK, bytes);
}

void Visit::Done(int http_status, const grpc::Status& status, size_t bytes) {
  if (done_.exchange(true)) return;
  const absl::Duration took = house.clock.Monotonic() - started;
  const std::string method = route == nullptr ? "static" : route->name;
  const std::string code(status.ok() ? "ok" : ConnectCodeName(static_cast<absl::StatusCode>(status.error_code())));
  house.metrics
      .Counter("voltwell_front_requests_total", "Requests answered, by method and Connect code.",
               {{"method", method}, {"code", code}})
      .Increment();
  if (!call.streaming) {
    house.metrics.Histogram("voltwell_front_seconds", "Time from a request read to its answer.", {{"method", method}})
        .Observe(absl::ToDoubleSeconds(took));
  }
  if (request.path == "/healthz" && !log::Enabled(log::Level::kDebug)) return;  // Asked every few seconds.
  // The path without its query: queries of GET calls hold whole messages.
  log::Info("request", {{"request_id", request_id},
                        {"http_method", request.method},
                        {"path", request.path.substr(0, 256)},
                        {"status", http_status},
                        {"code", code},
                        {"reason", base::ReasonOf(rpc::FromGrpc(status))},
                        {"error", std::string(status.error_message())},
                        {"ms", absl::ToDoubleMilliseconds(took)},
                        {"bytes", static_cast<uint64_t>(bytes)},
                        {"address", client_address},
                        {"subject", identity.subject}});
}

}  // namespace voltwell::front
