// RFC 9112 sections 4 to 7.
#include "libs/http/response_text.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace voltwell::http {
namespace {

// These are ours to say, by the framing.
bool IsFramingField(absl::string_view name) {
  return absl::EqualsIgnoreCase(name, "content-length") || absl::EqualsIgnoreCase(name, "transfer-encoding") ||
         absl::EqualsIgnoreCase(name, "connection");
}

void AppendValue(std::string& head, absl::string_view value) {
  for (const char c : value) head.push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
}

absl::string_view ConnectCode(int status) {
  switch (status) {
    case 400:
      return "invalid_argument";
    case 408:
      return "deadline_exceeded";
    case 413:
    case 431:
      return "resource_exhausted";
    case 501:
      return "unimplemented";
    case 503:
      return "unavailable";
    default:
      return "internal";
  }
}

}  // namespace

absl::string_view ReasonPhrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Other";
  }
}

bool HasNoBody(int status) { return status < 200 || status == 204 || status == 304; }

std::string ResponseHead(const Headers& headers, const HeadOptions& options) {
  std::string head;
  head.reserve(512);
  absl::StrAppend(&head, "HTTP/1.1 ", headers.status, " ", ReasonPhrase(headers.status), "\r\n");
  if (!options.date.empty()) absl::StrAppend(&head, "date: ", options.date, "\r\n");
  for (const auto& [name, value] : headers.fields) {
    if (IsFramingField(name)) continue;
    AppendValue(head, name);
    head.append(": ");
    AppendValue(head, value);
    head.append("\r\n");
  }
  if (!HasNoBody(headers.status)) {
    if (options.framing == Framing::kLength) absl::StrAppend(&head, "content-length: ", options.length, "\r\n");
    if (options.framing == Framing::kChunked) head.append("transfer-encoding: chunked\r\n");
  }
  if (!options.keep_alive) head.append("connection: close\r\n");
  head.append("\r\n");
  return head;
}

std::string Chunk(absl::string_view data) { return absl::StrCat(absl::Hex(data.size()), "\r\n", data, "\r\n"); }

std::string RefusalBody(int status) {
  return absl::StrCat("{\"code\":\"", ConnectCode(status), "\",\"message\":\"", ReasonPhrase(status), "\"}\n");
}

}  // namespace voltwell::http
