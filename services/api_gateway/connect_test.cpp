// The Connect protocol to the letter: what is understood, and how what is not is refused.
#include "services/api_gateway/connect.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/testing/status.h"
#include "services/api_gateway/envelope.h"
#include "services/api_gateway/gzip.h"

namespace voltwell::front {
namespace {

http::Request Request(const std::string& type, const std::string& body,
                      std::multimap<std::string, std::string> headers = {}) {
  http::Request request;
  request.method = "POST";
  request.headers = std::move(headers);
  if (!type.empty()) request.headers.emplace("content-type", type);
  request.body = body;
  return request;
}

constexpr ConnectRules kUnary = {.streaming = false, .get_allowed = false};
constexpr ConnectRules kReadOnly = {.streaming = false, .get_allowed = true};
constexpr ConnectRules kStream = {.streaming = true, .get_allowed = false};

std::string ReasonOf(const std::optional<Refusal>& refusal) {
  return refusal.has_value() ? base::ReasonOf(refusal->status) : "";
}

}  // namespace

TEST_CASE("a unary body is the bare message, in the codec that its type names") {
  ConnectCall call;
  REQUIRE_FALSE(ParseConnect(Request("application/json; charset=utf-8", "{}"), kUnary, call).has_value());
  CHECK(call.codec == Codec::kJson);
  CHECK(call.message == "{}");
  REQUIRE_FALSE(ParseConnect(Request("Application/Proto", ""), kUnary, call).has_value());
  CHECK(call.codec == Codec::kProto);
  CHECK(call.message.empty());
}

TEST_CASE("another content type is 415, another HTTP method 405") {
  for (const char* type : {"text/plain", "application/grpc", "application/connect+json", "application/jsonx", ""}) {
    INFO(type);
    ConnectCall call;
    const auto refusal = ParseConnect(Request(type, "{}"), kUnary, call);
    REQUIRE(refusal.has_value());
    CHECK(refusal->http == 415);
  }
  ConnectCall call;
  CHECK(ParseConnect(Request("application/json", "{}"), kStream, call)->http == 415);
  http::Request get = Request("", "");
  get.method = "GET";
  CHECK(ParseConnect(get, kUnary, call)->http == 405);
  get.method = "PUT";
  CHECK(ParseConnect(get, kReadOnly, call)->http == 405);
}

TEST_CASE("a timeout is 1 to 10 digits of milliseconds") {
  ConnectCall call;
  REQUIRE_FALSE(ParseConnect(Request("application/json", "{}", {{"connect-timeout-ms", "9999999999"}}), kUnary, call));
  CHECK(call.timeout == absl::Milliseconds(9'999'999'999));
  for (const char* bad : {"10000000000", "-1", "1s", " 1", "1.5"}) {
    INFO(bad);
    CHECK(ReasonOf(ParseConnect(Request("application/json", "{}", {{"connect-timeout-ms", bad}}), kUnary, call)) ==
          "BAD_TIMEOUT");
  }
}

TEST_CASE("a packed body is unfolded, an unknown packing named in the refusal") {
  ConnectCall call;
  REQUIRE_FALSE(
      ParseConnect(Request("application/json", Gzip("{\"a\":1}"), {{"content-encoding", "gzip"}}), kUnary, call));
  CHECK(call.message == "{\"a\":1}");
  REQUIRE_FALSE(ParseConnect(Request("application/proto", "", {{"content-encoding", "gzip"}}), kUnary, call));
  CHECK(call.message.empty());  // Nothing to unfold in nothing.
  const auto refusal = ParseConnect(Request("application/json", "{}", {{"content-encoding", "br"}}), kUnary, call);
  CHECK(ReasonOf(refusal) == "UNKNOWN_COMPRESSION");
  CHECK(refusal->status.code() == absl::StatusCode::kUnimplemented);
  CHECK(ReasonOf(ParseConnect(Request("application/json", "{}", {{"content-encoding", "gzip"}}), kUnary, call)) ==
        "BAD_GZIP");
}

TEST_CASE("a message one byte beyond the limit is refused, packed or not") {
  ConnectRules small = kUnary;
  small.message_max = 1000;
  ConnectCall call;
  const std::string fits(1000, 'x');
  CHECK_FALSE(ParseConnect(Request("application/proto", fits), small, call));
  CHECK_FALSE(ParseConnect(Request("application/proto", Gzip(fits), {{"content-encoding", "gzip"}}), small, call));
  CHECK(ReasonOf(ParseConnect(Request("application/proto", fits + "x"), small, call)) == "MESSAGE_TOO_LARGE");
  CHECK(ReasonOf(ParseConnect(Request("application/proto", Gzip(fits + "x"), {{"content-encoding", "gzip"}}), small,
                              call)) == "MESSAGE_TOO_LARGE");
  // A bomb: 64 MiB in a few bytes are not unfolded to their end.
  const std::string bomb = Gzip(std::string(64 << 20, 'x'));
  CHECK_REASON(Gunzip(bomb, 1 << 20), "MESSAGE_TOO_LARGE");
}

TEST_CASE("a read-only method may be called by GET") {
  http::Request get;
  get.method = "GET";
  get.query = "connect=v1&encoding=json&message=%7B%22a%22%3A1%7D&other=1";
  ConnectCall call;
  REQUIRE_FALSE(ParseConnect(get, kReadOnly, call));
  CHECK(call.message == "{\"a\":1}");
  get.query = "connect=v1&base64=1&encoding=proto&message=-_8";
  REQUIRE_FALSE(ParseConnect(get, kReadOnly, call));
  CHECK(call.codec == Codec::kProto);
  CHECK(call.message == "\xfb\xff");
  get.query = absl::StrCat("compression=gzip&base64=1&encoding=json&message=", Base64Unpadded(Gzip("{}")));
  for (char& c : get.query) c = c == '+' ? '-' : c == '/' ? '_' : c;
  REQUIRE_FALSE(ParseConnect(get, kReadOnly, call));
  CHECK(call.message == "{}");
  for (const char* bad : {"encoding=json", "connect=v2&encoding=json&message={}", "encoding=json&message=%",
                          "encoding=proto&base64=1&message=~"}) {
    INFO(bad);
    get.query = bad;
    CHECK(ReasonOf(ParseConnect(get, kReadOnly, call)) == "BAD_QUERY");
  }
  get.query = "encoding=xml&message=";
  CHECK(ParseConnect(get, kReadOnly, call)->http == 415);
}

TEST_CASE("a stream's request is exactly one envelope") {
  ConnectCall call;
  const auto parse = [&](const std::string& body, std::multimap<std::string, std::string> headers = {}) {
    return ReasonOf(ParseConnect(Request("application/connect+json", body, std::move(headers)), kStream, call));
  };
  CHECK(parse(Envelope(0, "{}")) == "");
  CHECK(call.message == "{}");
  CHECK(parse("") == "NOT_ONE_MESSAGE");
  CHECK(parse(Envelope(0, "{}") + Envelope(0, "{}")) == "NOT_ONE_MESSAGE");
  CHECK(parse(Envelope(0, "{}").substr(0, 6)) == "BAD_ENVELOPE");
  CHECK(parse("\1\2") == "BAD_ENVELOPE");
  CHECK(parse(Envelope(kEnvelopeEnd, "{}")) == "BAD_ENVELOPE");
  CHECK(parse(Envelope(kEnvelopeCompressed, Gzip("{\"b\":2}")), {{"connect-content-encoding", "gzip"}}) == "");
  CHECK(call.message == "{\"b\":2}");
  // By the protocol: packed without a packing is an internal error.
  CHECK(parse(Envelope(kEnvelopeCompressed, "x")) == "BAD_ENVELOPE");
  CHECK(ParseConnect(Request("application/connect+json", Envelope(kEnvelopeCompressed, "x")), kStream, call)
            ->status.code() == absl::StatusCode::kInternal);
}

TEST_CASE("every cut of an envelope is refused and none is read beyond its end") {
  const std::string whole = Envelope(0, "0123456789");
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    const std::string part = whole.substr(0, cut);
    CHECK_FALSE(OpenSingleEnvelope(part).ok());
  }
  CHECK(OpenSingleEnvelope(whole)->payload == "0123456789");
  CHECK_FALSE(OpenSingleEnvelope(absl::string_view("\0\xff\xff\xff\xff", 5)).ok());
}

TEST_CASE("only who accepts gzip gets it, and never in a stream") {
  ConnectCall call;
  const auto accepts = [&](const std::string& coding, const ConnectRules& rules = kUnary) {
    const std::string type = rules.streaming ? "application/connect+json" : "application/json";
    REQUIRE_FALSE(ParseConnect(Request(type, rules.streaming ? Envelope(0, "{}") : "{}", {{"accept-encoding", coding}}),
                               rules, call));
    return call.accepts_gzip;
  };
  CHECK(accepts("gzip, deflate, br"));
  CHECK(accepts("br;q=1.0, GZIP;q=0.5"));
  CHECK_FALSE(accepts("br"));
  CHECK_FALSE(accepts("gzip; q=0"));
  CHECK_FALSE(accepts("gzip", kStream));
}

TEST_CASE("each canonical code has its name and HTTP status") {
  struct Row {
    absl::StatusCode code;
    const char* name;
    int http;
  };
  for (const Row& row :
       {Row{absl::StatusCode::kCancelled, "canceled", 499}, Row{absl::StatusCode::kUnknown, "unknown", 500},
        Row{absl::StatusCode::kInvalidArgument, "invalid_argument", 400},
        Row{absl::StatusCode::kDeadlineExceeded, "deadline_exceeded", 504},
        Row{absl::StatusCode::kNotFound, "not_found", 404},
        Row{absl::StatusCode::kAlreadyExists, "already_exists", 409},
        Row{absl::StatusCode::kPermissionDenied, "permission_denied", 403},
        Row{absl::StatusCode::kResourceExhausted, "resource_exhausted", 429},
        Row{absl::StatusCode::kFailedPrecondition, "failed_precondition", 400},
        Row{absl::StatusCode::kAborted, "aborted", 409}, Row{absl::StatusCode::kOutOfRange, "out_of_range", 400},
        Row{absl::StatusCode::kUnimplemented, "unimplemented", 501}, Row{absl::StatusCode::kInternal, "internal", 500},
        Row{absl::StatusCode::kUnavailable, "unavailable", 503}, Row{absl::StatusCode::kDataLoss, "data_loss", 500},
        Row{absl::StatusCode::kUnauthenticated, "unauthenticated", 401}}) {
    CHECK(ConnectCodeName(row.code) == row.name);
    CHECK(HttpStatus(row.code) == row.http);
  }
}

}  // namespace voltwell::front
