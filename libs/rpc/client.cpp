#include "libs/rpc/client.h"

#include <algorithm>
#include <map>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/os/random.h"
#include "libs/rpc/callback_queue.h"
#include "libs/rpc/limits.h"
#include "libs/rpc/request_id.h"

namespace voltwell::rpc {
namespace {

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target) {
  HoldCallbackQueue();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  // A killed service is back within seconds; gRPC's default back-off of up to two minutes would hide that.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A peer that vanished without a FIN is noticed within 15 s, also on streams that are silent for long.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Several replicas: ipv4:127.0.0.1:9002,127.0.0.1:9012 or a name with several addresses.
  arguments.SetLoadBalancingPolicyName("round_robin");
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

// Whether the same call may be sent again: the answer must say that it may not have been done, and the method that
// twice is once.
bool MayRepeat(const voltwell::rpc::v1::MethodRules& rules, const absl::Status& status) {
  const bool repeatable = rules.idempotency() == voltwell::rpc::v1::IDEMPOTENCY_SAFE ||
                          rules.idempotency() == voltwell::rpc::v1::IDEMPOTENCY_KEYED;
  // SERVICE_BUSY is gRPC's own refusal for want of a thread: nothing was begun.
  return repeatable && (status.code() == absl::StatusCode::kUnavailable || base::ReasonOf(status) == "SERVICE_BUSY");
}

}  // namespace

void Cancellation::Cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

bool Cancellation::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

bool Cancellation::Attach(grpc::ClientContext& context) {
  const std::lock_guard lock(mutex_);
  if (!cancelled_) context_ = &context;
  return !cancelled_;
}

void Cancellation::Detach() {
  const std::lock_guard lock(mutex_);
  context_ = nullptr;
}

struct Caller::State {
  State(Target the_target, TokenIssuer& the_issuer, os::Clock& the_clock, metrics::Registry& the_metrics)
      : target(std::move(the_target)),
        issuer(the_issuer),
        clock(the_clock),
        metrics(the_metrics),
        channel(MakeChannel(target.target)),
        sleep([](absl::Duration time) { absl::SleepFor(time); }) {}

  Target target;
  TokenIssuer& issuer;
  os::Clock& clock;
  metrics::Registry& metrics;
  std::shared_ptr<grpc::Channel> channel;
  std::function<void(absl::Duration)> sleep;

  absl::Time Deadline(const voltwell::rpc::v1::MethodRules& rules, const CallOptions& options) const {
    absl::Time deadline = options.deadline;
    if (options.parent != nullptr) deadline = std::min(deadline, options.parent->deadline);
    const auto& longest = rules.max_deadline();
    if (longest.seconds() > 0 || longest.nanos() > 0) {
      deadline =
          std::min(deadline, clock.Now() + absl::Seconds(longest.seconds()) + absl::Nanoseconds(longest.nanos()));
    }
    return deadline;
  }

  // A worker's subject is its service, not its replica: the scope of idempotency depends on it. A call made on behalf
  // of somebody else's call carries who that was.
  Identity IdentityFor(const CallOptions& options) const {
    Identity identity{.subject = issuer.issuer(), .caller_kind = "INTERNAL"};
    if (options.parent != nullptr) {
      identity = options.parent->identity;
      identity.caller_kind = "INTERNAL";
    }
    if (!options.tenant.empty()) identity.tenant = options.tenant;
    return identity;
  }

  void Count(const google::protobuf::MethodDescriptor& method, const absl::Status& status) {
    metrics
        .Counter("voltwell_rpc_client_calls_total",
                 "Calls made to other services (each try), by method and canonical code",
                 {{"method", method.full_name()}, {"code", absl::StatusCodeToString(status.code())}})
        .Increment();
  }
};

Caller::Caller(Target target, TokenIssuer& issuer, os::Clock& clock, metrics::Registry& metrics)
    : state_(std::make_unique<State>(std::move(target), issuer, clock, metrics)) {}
Caller::~Caller() = default;

std::shared_ptr<grpc::Channel> Caller::channel() const { return state_->channel; }

void Caller::SetSleeper(std::function<void(absl::Duration)> sleep) { state_->sleep = std::move(sleep); }

void Caller::Prepare(grpc::ClientContext& context, const google::protobuf::Descriptor& request,
                     const CallOptions& options) {
  const google::protobuf::MethodDescriptor* method = MethodOf(request);
  VW_CHECK(method != nullptr);
  const absl::Time deadline = state_->Deadline(RulesOf(*method), options);
  if (deadline != absl::InfiniteFuture()) {
    // By what is left, since gRPC's clock need not be ours (tests).
    context.set_deadline(absl::ToChronoTime(absl::Now() + (deadline - state_->clock.Now())));
  }
  const std::string token = state_->issuer.Token(state_->target.service, state_->IdentityFor(options));
  context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
  std::string request_id = options.parent != nullptr ? options.parent->request_id : log::CurrentRequestId();
  if (request_id.empty()) request_id = NewRequestId();
  context.AddMetadata("x-request-id", request_id);
}

absl::Status Caller::Run(const google::protobuf::Descriptor& request, const CallOptions& options,
                         const std::function<grpc::Status(grpc::ClientContext&)>& attempt) {
  const google::protobuf::MethodDescriptor* method = MethodOf(request);
  VW_CHECK(method != nullptr);
  const voltwell::rpc::v1::MethodRules& rules = RulesOf(*method);
  CallOptions bounded = options;
  bounded.deadline = state_->Deadline(rules, options);  // One deadline for all tries.
  os::SystemRandom random;
  absl::Duration back_off = kFirstBackOff;
  for (int tries = 1;; ++tries) {
    grpc::ClientContext context;  // One context serves one try only.
    Prepare(context, request, bounded);
    const absl::Status status = FromGrpc(attempt(context));
    state_->Count(*method, status);
    if (status.ok() || tries >= kTriesMax || !MayRepeat(rules, status)) return status;
    const absl::Duration wait = back_off * (0.5 + 0.5 * os::Fraction(random));
    if (state_->clock.Now() + wait >= bounded.deadline) return status;
    state_->sleep(wait);
    back_off = std::min(back_off * 2, kBackOffMax);
  }
}

absl::Status Caller::StreamEnded(const google::protobuf::Descriptor& request, const grpc::Status& status) {
  const absl::Status ended = FromGrpc(status);
  if (const auto* method = MethodOf(request); method != nullptr) state_->Count(*method, ended);
  return ended;
}

}  // namespace voltwell::rpc
