// For tests: what stands behind the front door. A registry whose sessions a test ends, an owner of events, and a
// service that no code of ours knows, made of descriptors here.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/wrappers.pb.h"
#include "grpcpp/generic/async_generic_service.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/os/files.h"
#include "libs/rpc/door.h"
#include "voltwell/event/v1/event_service.grpc.pb.h"
#include "voltwell/registry/v1/session_service.grpc.pb.h"
#include "voltwell/rpc/v1/options.pb.h"

namespace voltwell::front::testing_suite {

namespace pb = google::protobuf;
namespace registry = voltwell::registry::v1;
namespace event = voltwell::event::v1;

// A service that no code of ours knows: its descriptors are made here and travel like all others.
inline pb::FileDescriptorProto ProbeFile() {
  pb::FileDescriptorProto file;
  file.set_name("voltwell/probe/v1/probe_service.proto");
  file.set_package("voltwell.probe.v1");
  file.set_syntax("proto3");
  file.add_dependency("google/protobuf/wrappers.proto");
  file.add_dependency("voltwell/rpc/v1/options.proto");
  auto* service = file.add_service();
  service->set_name("ProbeService");
  for (const char* name : {"Echo", "Read", "Count", "Fail", "Hang", "Hidden"}) {
    auto* method = service->add_method();
    method->set_name(name);
    method->set_input_type(".google.protobuf.StringValue");
    method->set_output_type(".google.protobuf.StringValue");
    method->set_server_streaming(method->name() == "Count");
    auto* rules = method->mutable_options()->MutableExtension(voltwell::rpc::v1::rules);
    rules->add_audience(method->name() == "Hidden" ? voltwell::rpc::v1::AUDIENCE_INTERNAL
                                                   : voltwell::rpc::v1::AUDIENCE_OPERATOR);
    rules->set_permission("probe.use");
    rules->set_idempotency(voltwell::rpc::v1::IDEMPOTENCY_SAFE);
    if (!method->server_streaming()) rules->mutable_max_deadline()->set_seconds(5);
    if (method->name() == "Read") method->mutable_options()->set_idempotency_level(pb::MethodOptions::NO_SIDE_EFFECTS);
  }
  return file;
}

inline std::string Descriptors() {
  pb::FileDescriptorSet files;
  VW_CHECK(files.ParseFromString(*os::ReadFile(VOLTWELL_DESCRIPTORS)));
  bool has_wrappers = false;
  for (const auto& file : files.file()) has_wrappers |= file.name() == "google/protobuf/wrappers.proto";
  if (!has_wrappers) pb::StringValue::descriptor()->file()->CopyTo(files.add_file());
  *files.add_file() = ProbeFile();
  return files.SerializeAsString();
}

inline std::string TextOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  VW_CHECK(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const auto& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  pb::StringValue value;
  VW_CHECK(value.ParseFromString(bytes));
  return value.value();
}

inline grpc::ByteBuffer BufferOf(const std::string& text) {
  pb::StringValue value;
  value.set_value(text);
  const grpc::Slice slice(value.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

// What the service behind saw and did.
struct Behind {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::string> metadata;  // Of the last call.
  absl::Duration deadline_left = {};
  int cancelled = 0;
  int messages_wanted = 0;  // Count sends this many, then waits for the cancel when negative one follows.
  bool endless = false;

  void Saw(const grpc::GenericCallbackServerContext& context) {
    const std::lock_guard lock(mutex);
    metadata.clear();
    for (const auto& [name, value] : context.client_metadata()) {
      metadata[std::string(name.data(), name.size())] = std::string(value.data(), value.size());
    }
    deadline_left = absl::FromChrono(context.deadline()) - absl::Now();
  }
};

class ProbeReactor final : public grpc::ServerGenericBidiReactor {
 public:
  ProbeReactor(Behind& behind, std::string method, bool endless, int messages)
      : behind_(behind), method_(std::move(method)), endless_(endless), messages_(messages) {
    StartRead(&request_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    const std::string text = TextOf(request_);
    if (method_ == "Hang") return;
    if (method_ == "Fail") {
      return Finish(
          rpc::ToGrpc(base::FailedPrecondition("PROBE_FAILED", "坏了: " + text, {{"position", "3"}}), "probe"));
    }
    if (method_ == "Count") return Next();
    answer_ = BufferOf(text);
    StartWriteAndFinish(&answer_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void OnWriteDone(bool ok) override {
    if (ok && method_ == "Count") Next();
  }
  void OnCancel() override {
    {
      const std::lock_guard lock(behind_.mutex);
      ++behind_.cancelled;
      behind_.changed.notify_all();
    }
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (sent_ == messages_) {
      if (!endless_) Finish(grpc::Status::OK);
      return;
    }
    answer_ = BufferOf(absl::StrCat("n", sent_++));
    StartWrite(&answer_);
  }

  Behind& behind_;
  const std::string method_;
  const bool endless_;
  const int messages_;
  int sent_ = 0;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer answer_;
};

class ProbeService final : public grpc::CallbackGenericService {
 public:
  explicit ProbeService(Behind& behind) : behind_(behind) {}
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    behind_.Saw(*context);
    const std::string path = context->method();
    const std::lock_guard lock(behind_.mutex);
    return new ProbeReactor(behind_, path.substr(path.rfind('/') + 1), behind_.endless, behind_.messages_wanted);
  }

 private:
  Behind& behind_;
};

class FakeSessions final : public registry::SessionService::Service {
 public:
  grpc::Status Login(grpc::ServerContext*, const registry::LoginRequest* request,
                     registry::LoginResponse* response) override {
    if (request->password() != "right") {
      return rpc::ToGrpc(base::Unauthenticated("LOGIN_FAILED", "wrong name or password"), "registry");
    }
    response->set_token("good");
    response->set_user("users/1");
    response->mutable_expire_time()->set_seconds(absl::ToUnixSeconds(absl::Now() + absl::Hours(8)));
    return grpc::Status::OK;
  }
  grpc::Status Logout(grpc::ServerContext*, const registry::LogoutRequest*, registry::LogoutResponse*) override {
    ended = true;
    return grpc::Status::OK;
  }
  grpc::Status Authenticate(grpc::ServerContext* context, const registry::AuthenticateRequest* request,
                            registry::AuthenticateResponse* response) override {
    ++asked;
    if (context->client_metadata().count("authorization") == 0)
      return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "");
    for (const std::string& token : request->tokens()) {
      auto* identity = response->add_identities();
      if (ended || (token != "good" && token != "poor" && token != "resident")) continue;
      identity->set_valid(true);
      identity->set_subject("users/1");
      identity->set_tenant("t1");
      identity->set_session("sessions/" + token);
      identity->set_caller_kind(token == "resident" ? "RESIDENT" : "OPERATOR");
      identity->add_permissions(token == "poor" ? "meter.read" : "*");
    }
    return grpc::Status::OK;
  }
  std::atomic<bool> ended{false};
  std::atomic<int> asked{0};
};

class FakeEvents final : public event::EventService::CallbackService {
 public:
  class Reactor final : public grpc::ServerWriteReactor<event::SubscribeResponse> {
   public:
    explicit Reactor(FakeEvents& owner) : owner_(owner) {}
    void Send(const event::Event& news) {
      *response_.mutable_events()->Add() = news;
      StartWrite(&response_);
    }
    void OnWriteDone(bool) override {}
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override {
      const std::lock_guard lock(owner_.mutex);
      if (owner_.open == this) owner_.open = nullptr;
      delete this;
    }

   private:
    FakeEvents& owner_;
    event::SubscribeResponse response_;
  };
  grpc::ServerWriteReactor<event::SubscribeResponse>* Subscribe(grpc::CallbackServerContext*,
                                                                const event::SubscribeRequest* request) override {
    const std::lock_guard lock(mutex);
    from_now = request->from_now();
    open = new Reactor(*this);
    return open;
  }
  bool Tell(const event::Event& news) {
    const std::lock_guard lock(mutex);
    if (open == nullptr) return false;
    open->Send(news);
    return true;
  }
  bool Subscribed() {
    const std::lock_guard lock(mutex);
    return open != nullptr;
  }
  std::mutex mutex;
  Reactor* open = nullptr;
  bool from_now = false;
};

}  // namespace voltwell::front::testing_suite
