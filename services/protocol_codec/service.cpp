// The five methods; see service.h.
#include "services/protocol_codec/service.h"

#include "libs/base/status.h"
#include "libs/codec/codec.h"
#include "services/protocol_codec/convert.h"

namespace voltwell::codec_service {
namespace {

constexpr char kItems[] = "voltwell_codec_items_total";
constexpr char kItemsHelp[] = "Commands encoded and answers decoded";

}  // namespace

CodecService::CodecService(rpc::Door& door, metrics::Registry& metrics)
    : door_(door),
      metrics_(metrics),
      encoded_(metrics.Counter(kItems, kItemsHelp, {{"call", "encode"}})),
      decoded_(metrics.Counter(kItems, kItemsHelp, {{"call", "decode"}})) {}

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
    response->mutable_items()->Reserve(request->commands_size());
    for (const v1::Command& command : request->commands()) {
      const auto group = codec::Encode(FromProto(command));
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
    response->mutable_results()->Reserve(request->items_size());
    for (const v1::DecodeItem& item : request->items()) {
      const codec::Decoded decoded = codec::Decode(FromProto(item));
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
    const auto explained =
        codec::Explain(base::AsBytes(request->frame()), FromProto(request->protocol()), request->show_secrets());
    CountError(explained.status());
    VW_RETURN_IF_ERROR(explained.status());
    ToProto(*explained, *response);
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
    VW_ASSIGN_OR_RETURN(const auto registers, codec::ListRegisters(FromProto(request->protocol())));
    for (const codec::RegisterInfo& info : registers) ToProto(info, *response->add_registers());
    return absl::OkStatus();
  });
}

}  // namespace voltwell::codec_service
