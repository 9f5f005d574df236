// CodecService over libs/codec. Stateless; nothing here blocks, so it runs on the callback API's own threads.
#pragma once

#include "libs/codec/profile.h"
#include "libs/metrics/metrics.h"
#include "libs/rpc/door.h"
#include "services/protocol_codec/arena.h"
#include "voltwell/codec/v1/codec_service.grpc.pb.h"

namespace voltwell::codec_service {

class CodecService final : public voltwell::codec::v1::CodecService::CallbackService {
 public:
  CodecService(rpc::Door& door, metrics::Registry& metrics, codec::ProfileBook profiles);

  grpc::ServerUnaryReactor* Encode(grpc::CallbackServerContext* context,
                                   const voltwell::codec::v1::EncodeRequest* request,
                                   voltwell::codec::v1::EncodeResponse* response) override;
  grpc::ServerUnaryReactor* Decode(grpc::CallbackServerContext* context,
                                   const voltwell::codec::v1::DecodeRequest* request,
                                   voltwell::codec::v1::DecodeResponse* response) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const voltwell::codec::v1::ExplainRequest* request,
                                    voltwell::codec::v1::ExplainResponse* response) override;
  grpc::ServerUnaryReactor* PlanScan(grpc::CallbackServerContext* context,
                                     const voltwell::codec::v1::PlanScanRequest* request,
                                     voltwell::codec::v1::PlanScanResponse* response) override;
  grpc::ServerUnaryReactor* ListProtocols(grpc::CallbackServerContext* context,
                                          const voltwell::codec::v1::ListProtocolsRequest* request,
                                          voltwell::codec::v1::ListProtocolsResponse* response) override;
  grpc::ServerUnaryReactor* ListRegisters(grpc::CallbackServerContext* context,
                                          const voltwell::codec::v1::ListRegistersRequest* request,
                                          voltwell::codec::v1::ListRegistersResponse* response) override;

 private:
  void CountError(const absl::Status& error);

  ArenaMessages<voltwell::codec::v1::EncodeRequest, voltwell::codec::v1::EncodeResponse> encode_messages_;
  ArenaMessages<voltwell::codec::v1::DecodeRequest, voltwell::codec::v1::DecodeResponse> decode_messages_;

  rpc::Door& door_;
  const codec::ProfileBook profiles_;
  metrics::Registry& metrics_;
  prometheus::Counter& encoded_;
  prometheus::Counter& decoded_;
};

}  // namespace voltwell::codec_service
