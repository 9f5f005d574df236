#include "libs/rpc/bytes_call.h"

#include "grpc/support/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/client_callback.h"

namespace voltwell::rpc {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToBytes(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

// What both kinds hold until gRPC is done with it. A cancel after the end is harmless as long as the context lives.
struct Wire {
  Wire(const std::shared_ptr<grpc::Channel>& channel, const BytesRequest& request_in)
      : stub(channel), path(request_in.path), timeout(request_in.timeout), request(ToBuffer(request_in.message)) {
    for (const auto& [name, value] : request_in.metadata) context.AddMetadata(name, value);
  }
  void SetDeadline() {
    if (timeout == absl::InfiniteDuration()) return;
    // By the monotonic clock: a clock that is stepped must not end calls.
    const auto span = gpr_time_from_millis(absl::ToInt64Milliseconds(timeout), GPR_TIMESPAN);
    context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), span));
  }
  grpc::GenericStub stub;
  const std::string path;
  const absl::Duration timeout;
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
};

class UnaryCall final : public BytesCall {
 public:
  UnaryCall(std::shared_ptr<Wire> wire, std::function<void(const grpc::Status&, std::string)> done)
      : wire_(std::move(wire)), done_(std::move(done)) {}
  void Start() override {
    wire_->SetDeadline();
    wire_->stub.UnaryCall(&wire_->context, wire_->path, {}, &wire_->request, &wire_->response,
                          [wire = wire_, done = std::move(done_)](const grpc::Status& status) {
                            done(status, status.ok() ? ToBytes(wire->response) : std::string());
                          });
  }
  void Cancel() override { wire_->context.TryCancel(); }

 private:
  const std::shared_ptr<Wire> wire_;
  std::function<void(const grpc::Status&, std::string)> done_;
};

// Lives from Start to OnDone.
class Reader final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Reader(std::shared_ptr<Wire> wire, std::function<void(std::string, NextMessage)> message,
         std::function<void(const grpc::Status&)> done)
      : wire_(std::move(wire)), message_(std::move(message)), done_(std::move(done)) {}

  void Start() {
    wire_->stub.PrepareBidiStreamingCall(&wire_->context, wire_->path, {}, this);
    StartWriteLast(&wire_->request, grpc::WriteOptions());
    StartRead(&wire_->response);
    AddHold();  // Reads are started from outside of reactions.
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();
    message_(ToBytes(wire_->response), [this](bool more) {
      if (more) return StartRead(&wire_->response);
      wire_->context.TryCancel();
      RemoveHold();
    });
  }
  void OnDone(const grpc::Status& status) override {
    done_(status);
    delete this;
  }

 private:
  const std::shared_ptr<Wire> wire_;
  const std::function<void(std::string, NextMessage)> message_;
  const std::function<void(const grpc::Status&)> done_;
};

class StreamCall final : public BytesCall {
 public:
  StreamCall(std::shared_ptr<Wire> wire, std::function<void(std::string, NextMessage)> message,
             std::function<void(const grpc::Status&)> done)
      : wire_(std::move(wire)), message_(std::move(message)), done_(std::move(done)) {}
  void Start() override {
    wire_->SetDeadline();
    (new Reader(wire_, std::move(message_), std::move(done_)))->Start();
  }
  void Cancel() override { wire_->context.TryCancel(); }

 private:
  const std::shared_ptr<Wire> wire_;
  std::function<void(std::string, NextMessage)> message_;
  std::function<void(const grpc::Status&)> done_;
};

}  // namespace

std::shared_ptr<BytesCall> NewUnaryCall(const std::shared_ptr<grpc::Channel>& channel, const BytesRequest& request,
                                        std::function<void(const grpc::Status&, std::string)> done) {
  return std::make_shared<UnaryCall>(std::make_shared<Wire>(channel, request), std::move(done));
}

std::shared_ptr<BytesCall> NewStreamCall(const std::shared_ptr<grpc::Channel>& channel, const BytesRequest& request,
                                         std::function<void(std::string, NextMessage)> message,
                                         std::function<void(const grpc::Status&)> done) {
  return std::make_shared<StreamCall>(std::make_shared<Wire>(channel, request), std::move(message), std::move(done));
}

}  // namespace voltwell::rpc
