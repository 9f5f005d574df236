#include "services/api_gateway/connect.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"
#include "libs/http/uri.h"
#include "services/api_gateway/envelope.h"
#include "services/api_gateway/gzip.h"

namespace voltwell::front {
namespace {

constexpr size_t kTimeoutDigitsMax = 10;  // By the protocol.

std::optional<Codec> CodecNamed(absl::string_view name) {
  if (name == "json") return Codec::kJson;
  if (name == "proto") return Codec::kProto;
  return std::nullopt;
}

// "application/json; charset=utf-8" without its parameters.
std::string MediaType(const http::Request& request) {
  const std::string header = request.Header("content-type");
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(absl::string_view(header).substr(0, header.find(';'))));
}

// "br;q=1.0, gzip;q=0.5"; q=0 is a refusal.
bool ListHolds(const std::string& list, absl::string_view wanted) {
  for (const absl::string_view part : absl::StrSplit(list, ',')) {
    const std::pair<absl::string_view, absl::string_view> halves = absl::StrSplit(part, absl::MaxSplits(';', 1));
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(halves.first), wanted)) continue;
    absl::string_view weight = absl::StripAsciiWhitespace(halves.second);
    double q = 1;
    return !absl::ConsumePrefix(&weight, "q=") || !absl::SimpleAtod(weight, &q) || q > 0;
  }
  return false;
}

std::optional<Refusal> ParseTimeout(const http::Request& request, ConnectCall& call) {
  const std::string text = request.Header("connect-timeout-ms");
  if (text.empty()) return std::nullopt;
  int64_t ms = 0;
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || text.size() > kTimeoutDigitsMax || !absl::SimpleAtoi(text, &ms)) {
    return Refusal{0, base::InvalidArgument("BAD_TIMEOUT", "connect-timeout-ms must be 1 to 10 digits")};
  }
  call.timeout = absl::Milliseconds(ms);
  return std::nullopt;
}

// `coding`: of the body or message; empty or identity: none.
absl::Status Unpack(const std::string& coding, size_t max, std::string& message) {
  if (!coding.empty() && coding != "identity" && coding != "gzip") {
    return base::Error(absl::StatusCode::kUnimplemented, "UNKNOWN_COMPRESSION",
                       absl::StrCat("compression ", coding.substr(0, 32), " is not supported; gzip and identity are"));
  }
  if (coding == "gzip" && !message.empty()) {
    VW_ASSIGN_OR_RETURN(message, Gunzip(message, max));
  }
  if (message.size() > max) {
    return base::ResourceExhausted("MESSAGE_TOO_LARGE", absl::StrCat("the message has more than ", max, " bytes"),
                                   {{"limit", absl::StrCat(max)}});
  }
  return absl::OkStatus();
}

std::optional<Refusal> ParseGet(const http::Request& request, const ConnectRules& rules, ConnectCall& call) {
  const auto bad = [](absl::string_view message) { return Refusal{0, base::InvalidArgument("BAD_QUERY", message)}; };
  const auto query = http::ParseQuery(request.query);
  if (!query.has_value()) return bad("the query does not parse");
  std::optional<Codec> codec;
  std::string compression;
  std::optional<std::string> message;
  bool base64 = false;
  for (const auto& [name, value] : *query) {
    if (name == "connect" && value != "v1") return bad("connect must be v1");
    if (name == "encoding") codec = CodecNamed(value);
    if (name == "message") message = value;
    if (name == "base64") base64 = value == "1";
    if (name == "compression") compression = value;
  }
  if (!codec.has_value()) {
    return Refusal{415, base::InvalidArgument("BAD_CONTENT_TYPE", "encoding must be json or proto")};
  }
  call.codec = *codec;
  if (!message.has_value()) return bad("message is missing");
  if (base64) {
    message = FromAnyBase64(*message);
    if (!message.has_value()) return bad("message is not base64");
  }
  call.message = std::move(*message);
  const absl::Status unpacked = Unpack(compression, rules.message_max, call.message);
  if (!unpacked.ok()) return Refusal{0, unpacked};
  return std::nullopt;
}

std::optional<Refusal> ParseStreamBody(const http::Request& request, const ConnectRules& rules, ConnectCall& call) {
  const auto envelope = OpenSingleEnvelope(request.body);
  if (!envelope.ok()) return Refusal{0, envelope.status()};
  const std::string coding = request.Header("connect-content-encoding");
  if (envelope->compressed && (coding.empty() || coding == "identity")) {
    return Refusal{0, base::Internal("BAD_ENVELOPE", "a compressed message without connect-content-encoding")};
  }
  call.message = std::string(envelope->payload);
  const absl::Status unpacked = Unpack(envelope->compressed ? coding : "", rules.message_max, call.message);
  if (!unpacked.ok()) return Refusal{0, unpacked};
  return std::nullopt;
}

bool IsGet(const http::Request& request, const ConnectRules& rules) {
  return request.method == "GET" && rules.get_allowed && !rules.streaming;
}

}  // namespace

std::optional<Refusal> ParseConnectHead(const http::Request& request, const ConnectRules& rules, ConnectCall& call) {
  call.streaming = rules.streaming;
  const bool get = IsGet(request, rules);
  if (request.method != "POST" && !get) {
    return Refusal{405, base::Error(absl::StatusCode::kUnimplemented, "BAD_HTTP_METHOD", "call it by POST")};
  }
  if (!get) {
    std::string type = MediaType(request);
    const absl::string_view prefix = rules.streaming ? "application/connect+" : "application/";
    const auto codec = absl::StartsWith(type, prefix) ? CodecNamed(type.substr(prefix.size())) : std::nullopt;
    if (!codec.has_value()) {
      return Refusal{415, base::InvalidArgument("BAD_CONTENT_TYPE", absl::StrCat("content-type must be ", prefix,
                                                                                 "json or ", prefix, "proto"))};
    }
    call.codec = *codec;
  }
  if (auto refusal = ParseTimeout(request, call)) return refusal;
  call.accepts_gzip = !rules.streaming && ListHolds(request.Header("accept-encoding"), "gzip");
  return std::nullopt;
}

std::optional<Refusal> ParseConnectBody(const http::Request& request, const ConnectRules& rules, ConnectCall& call) {
  if (IsGet(request, rules)) return ParseGet(request, rules, call);
  if (rules.streaming) return ParseStreamBody(request, rules, call);
  call.message = request.body;
  const absl::Status unpacked = Unpack(request.Header("content-encoding"), rules.message_max, call.message);
  if (!unpacked.ok()) return Refusal{0, unpacked};
  return std::nullopt;
}

std::optional<Refusal> ParseConnect(const http::Request& request, const ConnectRules& rules, ConnectCall& call) {
  if (auto refusal = ParseConnectHead(request, rules, call)) return refusal;
  return ParseConnectBody(request, rules, call);
}

std::string ContentType(Codec codec, bool streaming) {
  return absl::StrCat("application/", streaming ? "connect+" : "", codec == Codec::kJson ? "json" : "proto");
}

int HttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    default:
      return 500;
  }
}

absl::string_view ConnectCodeName(absl::StatusCode code) {
  static constexpr absl::string_view kNames[] = {
      "unknown",   "canceled",       "unknown",           "invalid_argument",   "deadline_exceeded",
      "not_found", "already_exists", "permission_denied", "resource_exhausted", "failed_precondition",
      "aborted",   "out_of_range",   "unimplemented",     "internal",           "unavailable",
      "data_loss", "unauthenticated"};
  const auto index = static_cast<size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

std::string Base64Unpadded(absl::string_view data) {
  std::string text = absl::Base64Escape(data);
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

std::optional<std::string> FromAnyBase64(absl::string_view text) {
  std::string url = absl::StrReplaceAll(text, {{"+", "-"}, {"/", "_"}});
  url.erase(url.find_last_not_of('=') + 1);
  std::string data;
  if (!absl::WebSafeBase64Unescape(url, &data)) return std::nullopt;
  return data;
}

}  // namespace voltwell::front
