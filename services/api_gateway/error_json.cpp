#include "services/api_gateway/error_json.h"

#include "absl/strings/str_cat.h"
#include "libs/log/json_text.h"
#include "services/api_gateway/connect.h"
#include "voltwell/rpc/v1/error.pb.h"

namespace voltwell::front {

std::string ErrorJson(const grpc::Status& status, const Routes& routes) {
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  std::string json = absl::StrCat("{\"code\":\"", ConnectCodeName(code), "\"");
  if (!status.error_message().empty()) absl::StrAppend(&json, ",\"message\":", log::JsonText(status.error_message()));
  voltwell::rpc::v1::Status rich;
  if (rich.ParseFromString(status.error_details()) && rich.details_size() > 0) {
    json.append(",\"details\":[");
    for (int i = 0; i < rich.details_size(); ++i) {
      const google::protobuf::Any& detail = rich.details(i);
      const std::string type = detail.type_url().substr(detail.type_url().rfind('/') + 1);
      absl::StrAppend(&json, i == 0 ? "" : ",", "{\"type\":", log::JsonText(type), ",\"value\":\"",
                      Base64Unpadded(detail.value()), "\"");
      const std::string debug = routes.DebugJson(type, detail.value());
      if (!debug.empty()) absl::StrAppend(&json, ",\"debug\":", debug);
      json.push_back('}');
    }
    json.push_back(']');
  }
  json.push_back('}');
  return json;
}

std::string EndOfStreamJson(const grpc::Status& status, const Routes& routes) {
  if (status.ok()) return "{}";
  return absl::StrCat("{\"error\":", ErrorJson(status, routes), "}");
}

}  // namespace voltwell::front
