// An answer as bytes: status line, fields, chunks. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "libs/http/http.h"

namespace voltwell::http {

absl::string_view ReasonPhrase(int status);

// How the end of the body is told.
enum class Framing { kLength, kChunked, kUntilClose };

struct HeadOptions {
  Framing framing = Framing::kLength;
  size_t length = 0;  // For kLength.
  bool keep_alive = true;
  std::string date = {};
};

// Everything up to and with the empty line. Line breaks within a field's value become spaces, so that no value can add
// a field.
std::string ResponseHead(const Headers& headers, const HeadOptions& options);

// Neither body nor length: 1xx, 204, 304.
bool HasNoBody(int status);

std::string Chunk(absl::string_view data);  // Never called with nothing: that would be the end.
inline constexpr absl::string_view kLastChunk = "0\r\n\r\n";

// The server's own refusals, in the form that Connect clients read: {"code":"resource_exhausted","message":"..."}.
std::string RefusalBody(int status);

}  // namespace voltwell::http
