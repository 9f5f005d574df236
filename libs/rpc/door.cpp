// The order of the checks: identity (who), rules (may they), deadline (is there time), gate (are we able), then the
// body.
#include "libs/rpc/door.h"

#include <exception>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/rpc/access.h"
#include "libs/rpc/request_id.h"

namespace voltwell::rpc {
namespace {

constexpr absl::Duration kNoDeadline = absl::Hours(24 * 365);  // gRPC tells "none" by a time far away.

std::string MetadataValue(const grpc::ServerContextBase& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : std::string(found->second.data(), found->second.size());
}

absl::StatusOr<std::string> BearerToken(const grpc::ServerContextBase& context) {
  const std::string header = MetadataValue(context, "authorization");
  if (header.empty()) return std::string();
  if (!absl::StartsWithIgnoreCase(header, "bearer ")) {
    return base::Unauthenticated("BAD_TOKEN", "metadata authorization must be: Bearer and the token");
  }
  return header.substr(7);
}

// "ipv4:127.0.0.1:4711" without the scheme.
std::string PeerOf(const grpc::ServerContextBase& context) {
  const std::string peer = context.peer();
  const size_t colon = peer.find(':');
  return colon == std::string::npos ? peer : peer.substr(colon + 1);
}

}  // namespace

const google::protobuf::MethodDescriptor* MethodOf(const google::protobuf::Descriptor& request) {
  const google::protobuf::FileDescriptor* file = request.file();
  for (int i = 0; i < file->service_count(); ++i) {
    const google::protobuf::ServiceDescriptor* service = file->service(i);
    for (int j = 0; j < service->method_count(); ++j) {
      if (service->method(j)->input_type() == &request) return service->method(j);
    }
  }
  return nullptr;
}

const voltwell::rpc::v1::MethodRules& RulesOf(const google::protobuf::MethodDescriptor& method) {
  return method.options().GetExtension(voltwell::rpc::v1::rules);
}

struct Door::State {
  // What is asked for at each call of a method, found once.
  struct Method {
    std::string name;
    const voltwell::rpc::v1::MethodRules* rules = nullptr;
    absl::Duration max_deadline = absl::InfiniteDuration();
    prometheus::Histogram* seconds = nullptr;
    prometheus::Counter* ok = nullptr;
  };

  std::string service;
  TokenVerifier& verifier;
  os::Clock& clock;
  metrics::Registry& metrics;
  std::function<absl::Status()> gate;
  absl::Mutex mutex;
  absl::flat_hash_map<const google::protobuf::Descriptor*, std::unique_ptr<Method>> methods;
  absl::flat_hash_map<std::string, const Method*> by_name;

  State(std::string name, TokenVerifier& the_verifier, os::Clock& the_clock, metrics::Registry& the_metrics)
      : service(std::move(name)), verifier(the_verifier), clock(the_clock), metrics(the_metrics) {}

  prometheus::Counter& Calls(const std::string& method, absl::StatusCode code) {
    return metrics.Counter("voltwell_rpc_calls_total", "Calls answered, by method and canonical code",
                           {{"method", method}, {"code", absl::StatusCodeToString(code)}});
  }

  const Method& Find(const google::protobuf::Descriptor& request) {
    {
      absl::ReaderMutexLock lock(&mutex);
      const auto found = methods.find(&request);
      if (found != methods.end()) return *found->second;
    }
    const google::protobuf::MethodDescriptor* descriptor = MethodOf(request);
    VW_CHECK(descriptor != nullptr);  // A handler was written for a message that is no request.
    auto method = std::make_unique<Method>();
    method->name = descriptor->full_name();
    method->rules = &RulesOf(*descriptor);
    const auto& longest = method->rules->max_deadline();
    if (longest.seconds() > 0 || longest.nanos() > 0) {
      method->max_deadline = absl::Seconds(longest.seconds()) + absl::Nanoseconds(longest.nanos());
    }
    method->seconds = &metrics.Histogram("voltwell_rpc_seconds", "Time from a call's first byte here to its answer",
                                         {{"method", method->name}});
    method->ok = &Calls(method->name, absl::StatusCode::kOk);
    absl::MutexLock lock(&mutex);
    auto& kept = methods[&request];
    if (kept == nullptr) kept = std::move(method);
    by_name[kept->name] = kept.get();
    return *kept;
  }

  const Method* ByName(const std::string& name) {
    absl::ReaderMutexLock lock(&mutex);
    const auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : found->second;
  }

  // Fills what is known even of a call that is refused, so that its log line says who and what.
  absl::Status Enter(const grpc::ServerContextBase& context, const Method& method, Call& call) {
    call.method = method.name;
    call.rules = method.rules;
    call.request_id = CleanRequestId(MetadataValue(context, "x-request-id"));
    if (call.request_id.empty()) call.request_id = NewRequestId();
    call.client_address = MetadataValue(context, "x-client-address");
    if (call.client_address.empty() || call.client_address.size() > 64) call.client_address = PeerOf(context);

    VW_ASSIGN_OR_RETURN(const std::string token, BearerToken(context));
    VW_ASSIGN_OR_RETURN(call.identity, verifier.Verify(token));
    VW_RETURN_IF_ERROR(CheckAccess(*method.rules, call.identity));

    const absl::Duration left = absl::FromChrono(context.deadline()) - absl::Now();
    const absl::Duration granted = std::min(left > kNoDeadline ? absl::InfiniteDuration() : left, method.max_deadline);
    if (granted <= absl::ZeroDuration()) {
      return base::DeadlineExceeded("DEADLINE_PASSED", "the call's deadline had passed before it was begun");
    }
    call.deadline = clock.Now() + granted;
    return gate ? gate() : absl::OkStatus();
  }
};

Door::Door(std::string service, TokenVerifier& verifier, os::Clock& clock, metrics::Registry& metrics)
    : state_(std::make_unique<State>(std::move(service), verifier, clock, metrics)) {}
Door::~Door() = default;

const std::string& Door::service() const { return state_->service; }

void Door::Require(std::function<absl::Status()> ready) { state_->gate = std::move(ready); }

absl::StatusOr<Call> Door::Admit(const grpc::ServerContextBase& context, const google::protobuf::Descriptor& request) {
  Call call;
  const absl::Status entered = state_->Enter(context, state_->Find(request), call);
  if (entered.ok()) return call;
  Finished(call, entered, absl::ZeroDuration());
  return entered;
}

void Door::Finished(const Call& call, const absl::Status& status, absl::Duration took) {
  const State::Method* method = state_->ByName(call.method);
  if (method == nullptr) return;
  method->seconds->Observe(absl::ToDoubleSeconds(took));
  if (status.ok()) {
    method->ok->Increment();
    if (log::Enabled(log::Level::kDebug)) {
      log::Debug("call answered",
                 {{"method", call.method}, {"request_id", call.request_id}, {"ms", absl::ToDoubleMilliseconds(took)}});
    }
    return;
  }
  state_->Calls(call.method, status.code()).Increment();
  const auto line = status.code() == absl::StatusCode::kInternal ? log::Error : log::Info;
  line("call failed", {{"method", call.method},
                       {"request_id", call.request_id},
                       {"code", absl::StatusCodeToString(status.code())},
                       {"reason", base::ReasonOf(status)},
                       {"error", status.message()},
                       {"issuer", call.identity.issuer},
                       {"subject", call.identity.subject},
                       {"ms", absl::ToDoubleMilliseconds(took)}});
}

grpc::Status Door::Run(const grpc::ServerContextBase& context, const google::protobuf::Descriptor& descriptor,
                       const std::function<absl::Status(const Call&)>& body) {
  const absl::Duration begin = state_->clock.Monotonic();
  Call call;
  absl::Status status = state_->Enter(context, state_->Find(descriptor), call);
  if (status.ok()) {
    const log::RequestScope scope(call.request_id);
    try {
      status = body(call);
    } catch (const std::exception& e) {  // Ours never throw; what libraries throw ends here.
      status = base::Internal("FOREIGN_EXCEPTION", absl::StrCat("a library failed: ", e.what()));
    } catch (...) {
      status = base::Internal("FOREIGN_EXCEPTION", "a library failed");
    }
  }
  Finished(call, status, state_->clock.Monotonic() - begin);
  return ToGrpc(status, state_->service);
}

}  // namespace voltwell::rpc
