// The methods; see service.h.
#include "services/protocol_codec/service.h"

#include "libs/base/status.h"
#include "libs/codec/codec.h"
#include "services/protocol_codec/convert.h"
#include "services/protocol_codec/convert_scan.h"
#include "services/protocol_codec/profiles.h"

namespace voltwell::codec_service {
namespace {

constexpr char kItems[] = "voltwell_codec_items_total";
constexpr char kItemsHelp[] = "Commands encoded and answers decoded";

}  // namespace

CodecService::CodecService(rpc::Door& door, metrics::Registry& metrics, codec::ProfileBook profiles)
    : door_(door),
      profiles_(std::move(profiles)),
      metrics_(metrics),
      encoded_(metrics.Counter(kItems, kItemsHelp, {{"call", "encode"}})),
      decoded_(metrics.Counter(kItems, kItemsHelp, {{"call", "decode"}})) {
  SetMessageAllocatorFor_Encode(&encode_messages_);
  SetMessageAllocatorFor_Decode(&decode_messages_);
}

// Reasons are a closed list (docs/errors.md), so the label cannot grow.
void CodecService::CountError(const absl::Status& error) {
  if (error.ok()) return;
  metrics_
      .Counter("voltwell_codec_errors_total", "Items that could not be encoded or understood, by reason",
               {{"reason", base::ReasonOf(error)}})
      .Increment();
}

grpc::ServerUnaryReactor* CodecService::Encode(grpc::CallbackServerContext* context, const v1::EncodeRequest* request,
                                               v1::EncodeResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call&) -> absl::Status {
    VW_RETURN_IF_ERROR(codec::CheckBatch(static_cast<size_t>(request->commands_size())));
    codec::ProfileBook merged;
    VW_ASSIGN_OR_RETURN(const codec::ProfileBook* const profiles, Merge(profiles_, request->profiles(), merged));
    response->mutable_items()->Reserve(request->commands_size());
    for (const v1::Command& command : request->commands()) {
      const auto group = codec::Encode(FromProto(command), *profiles);
      CountError(group.status());
      ToProto(group, *response->add_items());
    }
    encoded_.Increment(request->commands_size());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* CodecService::Decode(grpc::CallbackServerContext* context, const v1::DecodeRequest* request,
                                               v1::DecodeResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call&) -> absl::Status {
    VW_RETURN_IF_ERROR(codec::CheckBatch(static_cast<size_t>(request->items_size())));
    codec::ProfileBook merged;
    VW_ASSIGN_OR_RETURN(const codec::ProfileBook* const profiles, Merge(profiles_, request->profiles(), merged));
    response->mutable_results()->Reserve(request->items_size());
    for (const v1::DecodeItem& item : request->items()) {
      const codec::Decoded decoded = codec::Decode(FromProto(item), *profiles);
      CountError(decoded.error);
      ToProto(decoded, *response->add_results());
    }
    decoded_.Increment(request->items_size());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* CodecService::Explain(grpc::CallbackServerContext* context, const v1::ExplainRequest* request,
                                                v1::ExplainResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call&) -> absl::Status {
    const auto explained = codec::Explain(base::AsBytes(request->frame()), FromProto(*request));
    CountError(explained.status());
    VW_RETURN_IF_ERROR(explained.status());
    ToProto(*explained, *response);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* CodecService::PlanScan(grpc::CallbackServerContext* context,
                                                 const v1::PlanScanRequest* request, v1::PlanScanResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call&) -> absl::Status {
    const auto step = request->state().empty() ? codec::BeginScan(FromProto(request->rules()))
                      : request->has_answer()  ? codec::ContinueScan(request->state(), FromProto(request->answer()))
                                               : codec::ResumeScan(request->state());
    CountError(step.status());
    VW_RETURN_IF_ERROR(step.status());
    ToProto(*step, *response);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* CodecService::ListProtocols(grpc::CallbackServerContext* context,
                                                      const v1::ListProtocolsRequest* request,
                                                      v1::ListProtocolsResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call&) -> absl::Status {
    for (const codec::Protocol protocol : codec::ListProtocols()) {
      response->add_protocols(static_cast<v1::Protocol>(protocol));
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* CodecService::ListRegisters(grpc::CallbackServerContext* context,
                                                      const v1::ListRegistersRequest* request,
                                                      v1::ListRegistersResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call&) -> absl::Status {
    const codec::Protocol protocol = FromProto(request->protocol());
    VW_RETURN_IF_ERROR(codec::CheckBatch(static_cast<size_t>(request->registers_size())));
    for (const std::string& id : request->registers()) {
      const auto found = codec::FindRegister(protocol, id);
      if (found.ok()) ToProto(*found, *response->add_registers());
      if (base::ReasonOf(found.status()) == "PROTOCOL_NOT_SUPPORTED") return found.status();
    }
    if (!request->registers().empty()) return absl::OkStatus();
    VW_ASSIGN_OR_RETURN(const auto registers, codec::ListRegisters(protocol));
    for (const codec::RegisterInfo& info : registers) ToProto(info, *response->add_registers());
    return absl::OkStatus();
  });
}

}  // namespace voltwell::codec_service
