// The Connect protocol (connectrpc.com/docs/protocol) without its transport: what an HTTP request asks for, and what
// goes back.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/http/http.h"

namespace voltwell::front {

enum class Codec { kJson, kProto };

// A call as it was sent, unpacked.
struct ConnectCall {
  Codec codec = Codec::kJson;
  bool streaming = false;
  bool accepts_gzip = false;  // Of a unary answer; messages of streams are never packed (connect-web throws).
  std::optional<absl::Duration> timeout = {};
  std::string message = {};  // Bare: no envelope, not compressed.
};

// What the method allows.
struct ConnectRules {
  bool streaming = false;
  bool get_allowed = false;  // option idempotency_level = NO_SIDE_EFFECTS.
  size_t message_max = 4 * 1024 * 1024;
};

// Why a call was refused. Where http is 0 the status' code tells it.
struct Refusal {
  int http = 0;
  absl::Status status = {};
};

// BAD_HTTP_METHOD (405), BAD_CONTENT_TYPE (415), BAD_TIMEOUT, BAD_QUERY, BAD_ENVELOPE, NOT_ONE_MESSAGE, BAD_GZIP,
// UNKNOWN_COMPRESSION, MESSAGE_TOO_LARGE. The codec is set as far as it is known, so that a refusal can be told in its
// form.
std::optional<Refusal> ParseConnect(const http::Request& request, const ConnectRules& rules, ConnectCall& call);
// Its two halves: what the header tells, which costs nothing; then the message, unpacked.
std::optional<Refusal> ParseConnectHead(const http::Request& request, const ConnectRules& rules, ConnectCall& call);
std::optional<Refusal> ParseConnectBody(const http::Request& request, const ConnectRules& rules, ConnectCall& call);

std::string ContentType(Codec codec, bool streaming);

int HttpStatus(absl::StatusCode code);
absl::string_view ConnectCodeName(absl::StatusCode code);

std::string Base64Unpadded(absl::string_view data);
// Standard or URL-safe alphabet, padded or not.
std::optional<std::string> FromAnyBase64(absl::string_view text);

}  // namespace voltwell::front
