// Status on the wire: canonical code, message, and voltwell.rpc.v1.ErrorInfo in grpc-status-details-bin.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/rpc/door.h"
#include "voltwell/rpc/v1/error.pb.h"

namespace voltwell::rpc {
namespace {

// gRPC's own failures bear no details; these names tell them apart from answers of a service.
const char* ReasonOfTransport(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
      return "SERVICE_DOWN";
    case absl::StatusCode::kDeadlineExceeded:
      return "DEADLINE_PASSED";
    case absl::StatusCode::kCancelled:
      return "CALL_CANCELLED";
    case absl::StatusCode::kResourceExhausted:
      return "SERVICE_BUSY";
    case absl::StatusCode::kUnimplemented:
      return "UNKNOWN_METHOD";
    default:
      return "UNSPECIFIED";
  }
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status, absl::string_view domain) {
  if (status.ok()) return grpc::Status::OK;
  voltwell::rpc::v1::ErrorInfo info;
  const std::string reason = base::ReasonOf(status);
  info.set_reason(reason.empty() ? "UNSPECIFIED" : reason);
  info.set_domain(absl::StartsWith(domain, "voltwell") ? std::string(domain) : absl::StrCat("voltwell.", domain));
  for (const auto& [key, value] : base::MetadataOf(status)) (*info.mutable_metadata())[key] = value;
  voltwell::rpc::v1::Status rich;
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(std::string(status.message()));
  rich.add_details()->PackFrom(info);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      rich.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  voltwell::rpc::v1::Status rich;
  voltwell::rpc::v1::ErrorInfo info;
  if (!status.error_details().empty() && rich.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : rich.details()) {
      if (detail.Is<voltwell::rpc::v1::ErrorInfo>() && detail.UnpackTo(&info) && !info.reason().empty()) {
        return base::Error(code, info.reason(), status.error_message(),
                           {info.metadata().begin(), info.metadata().end()});
      }
    }
  }
  return base::Error(code, ReasonOfTransport(code), status.error_message());
}

}  // namespace voltwell::rpc
