// The frames of a Connect stream: one byte of flags, four of length (big endian), the message. Pure, and fuzzed.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::front {

inline constexpr unsigned char kEnvelopeCompressed = 1;
inline constexpr unsigned char kEnvelopeEnd = 2;
inline constexpr size_t kEnvelopeHead = 5;

std::string Envelope(unsigned char flags, absl::string_view payload);

struct OpenedEnvelope {
  bool compressed = false;
  absl::string_view payload = {};  // Into the body.
};

// The one envelope of a server-streaming request. BAD_ENVELOPE (INVALID_ARGUMENT) when it is cut or has flags of an
// answer; NOT_ONE_MESSAGE (UNIMPLEMENTED, as the protocol asks) when there is none, or another behind it.
absl::StatusOr<OpenedEnvelope> OpenSingleEnvelope(absl::string_view body);

}  // namespace voltwell::front
