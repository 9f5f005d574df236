// Messages of voltwell.codec.v1 to and from the plain structs of libs/codec. Protobuf stops here.
#pragma once

#include "libs/codec/codec.h"
#include "voltwell/codec/v1/codec.pb.h"
#include "voltwell/codec/v1/codec_service.pb.h"
#include "voltwell/rpc/v1/error.pb.h"

namespace voltwell::codec_service {

namespace v1 = voltwell::codec::v1;

// Numbers that we do not know become kUnspecified, which the codec refuses by name.
codec::Protocol FromProto(v1::Protocol protocol);
codec::Command FromProto(const v1::Command& command);
codec::ExplainOptions FromProto(const v1::ExplainRequest& request);
codec::Answer FromProto(const v1::DecodeItem& item);

void ToProto(const codec::ExchangeGroup& group, v1::ExchangeGroup& out);
void ToProto(const absl::StatusOr<codec::ExchangeGroup>& group, v1::EncodeItem& out);
void ToProto(const codec::Decoded& decoded, v1::DecodeResult& out);
void ToProto(const codec::ExplainedBytes& explained, v1::ExplainResponse& out);
void ToProto(const codec::RegisterInfo& info, v1::Register& out);
void ToProto(const absl::Status& error, voltwell::rpc::v1::ErrorInfo& out);

}  // namespace voltwell::codec_service
