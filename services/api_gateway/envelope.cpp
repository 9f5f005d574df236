#include "services/api_gateway/envelope.h"

#include "libs/base/status.h"

namespace voltwell::front {

std::string Envelope(unsigned char flags, absl::string_view payload) {
  std::string bytes;
  bytes.reserve(kEnvelopeHead + payload.size());
  bytes.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>((payload.size() >> shift) & 0xff));
  bytes.append(payload.data(), payload.size());
  return bytes;
}

absl::StatusOr<OpenedEnvelope> OpenSingleEnvelope(absl::string_view body) {
  const auto not_one = [] {
    return base::Error(absl::StatusCode::kUnimplemented, "NOT_ONE_MESSAGE",
                       "a server stream takes exactly one message");
  };
  if (body.empty()) return not_one();
  if (body.size() < kEnvelopeHead) return base::InvalidArgument("BAD_ENVELOPE", "the message is cut");
  const auto flags = static_cast<unsigned char>(body[0]);
  if ((flags & ~kEnvelopeCompressed) != 0) return base::InvalidArgument("BAD_ENVELOPE", "unknown flags");
  size_t length = 0;
  for (size_t i = 1; i < kEnvelopeHead; ++i) length = length << 8 | static_cast<unsigned char>(body[i]);
  body.remove_prefix(kEnvelopeHead);
  if (length > body.size()) return base::InvalidArgument("BAD_ENVELOPE", "the message is cut");
  if (length < body.size()) return not_one();
  return OpenedEnvelope{(flags & kEnvelopeCompressed) != 0, body};
}

}  // namespace voltwell::front
