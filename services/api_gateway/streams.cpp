#include "services/api_gateway/streams.h"

#include <utility>
#include <vector>

#include "libs/base/status.h"
#include "libs/rpc/door.h"
#include "services/api_gateway/envelope.h"
#include "services/api_gateway/error_json.h"

namespace voltwell::front {

void Stream::OnStop(std::function<void()> stopped) {
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      stopped_ = std::move(stopped);
      return;
    }
  }
  stopped();
}

void Stream::Begin() {
  http::Headers headers;
  visit_->AddCommonFields(headers);
  headers.fields.emplace_back("content-type", ContentType(visit_->call.codec, true));
  headers.fields.emplace_back("x-accel-buffering", "no");  // nginx would hold back what is small.
  visit_->responder->OnDisconnect([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->End(grpc::Status(grpc::StatusCode::CANCELLED, "the client went away"));
  });
  visit_->responder->Begin(std::move(headers));
}

void Stream::Send(std::string wire, std::function<void(bool)> written) {
  auto message =
      visit_->house.routes.FromWire(*visit_->route->method->output_type(), visit_->call.codec, std::move(wire));
  if (!message.ok()) {
    End(rpc::ToGrpc(message.status(), kDomain));
    return written(false);
  }
  bool ended = false;
  {
    const std::lock_guard lock(mutex_);
    ended = ended_;
    bytes_ += message->size();
  }
  // Without the lock: `written` may run at once and end us. A message behind the end is dropped by the responder.
  if (ended) return written(false);
  visit_->responder->Write(Envelope(0, *message), std::move(written));
}

void Stream::End(const grpc::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    visit_->responder->Write(Envelope(kEnvelopeEnd, EndOfStreamJson(status, visit_->house.routes)), nullptr);
    visit_->responder->End();
  }
  visit_->Done(200, status, bytes_);
  const auto self = shared_from_this();  // Leave lets go of the last owner.
  streams_.Leave(*this);
  Stop();
}

void Stream::Stop() {
  std::function<void()> stopped;
  std::function<void()> left;
  {
    const std::lock_guard lock(mutex_);
    stopped = std::exchange(stopped_, nullptr);
    left = std::exchange(left_, nullptr);
  }
  if (stopped != nullptr) stopped();
  if (left != nullptr) left();
}

Streams::Streams(metrics::Registry& metrics)
    : open_gauge_(metrics.Gauge("voltwell_front_streams", "Open streams to clients.")),
      refused_(metrics.Counter("voltwell_front_streams_refused_total", "Streams refused since too many are open.")) {}

absl::StatusOr<std::shared_ptr<Stream>> Streams::Open(std::shared_ptr<Visit> visit) {
  const std::lock_guard lock(mutex_);
  if (draining_) return base::Unavailable("FRONT_DRAINING", "this front door is closing; connect again");
  size_t& of_session = per_session_[visit->identity.session];
  if (open_.size() >= kStreamsMax || of_session >= kStreamsPerSessionMax) {
    refused_.Increment();
    if (of_session == 0) per_session_.erase(visit->identity.session);
    return base::ResourceExhausted("TOO_MANY_STREAMS", "too many streams are open; close one");
  }
  ++of_session;
  auto stream = std::make_shared<Stream>(std::move(visit), *this);
  open_.emplace(stream.get(), stream);
  open_gauge_.Set(static_cast<double>(open_.size()));
  return stream;
}

void Streams::SetLeft(Stream& stream, std::function<void()> left) {
  bool ended = false;
  {
    const std::lock_guard lock(stream.mutex_);
    ended = stream.ended_;
    if (!ended) stream.left_ = std::move(left);
  }
  if (ended) left();
}

void Streams::Leave(Stream& stream) {
  const std::lock_guard lock(mutex_);
  if (open_.erase(&stream) == 0) return;
  const auto of_session = per_session_.find(stream.visit().identity.session);
  if (of_session != per_session_.end() && --of_session->second == 0) per_session_.erase(of_session);
  open_gauge_.Set(static_cast<double>(open_.size()));
}

void Streams::Drain() {
  std::vector<std::shared_ptr<Stream>> all;
  {
    const std::lock_guard lock(mutex_);
    draining_ = true;
    for (const auto& [address, stream] : open_) all.push_back(stream);
  }
  const grpc::Status status =
      rpc::ToGrpc(base::Unavailable("FRONT_DRAINING", "this front door is closing; connect again"), kDomain);
  for (const auto& stream : all) stream->End(status);
}

size_t Streams::size() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

}  // namespace voltwell::front
