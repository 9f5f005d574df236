// What a box must answer to prove that it holds its collector's key, and where that answer stands in what it sends.
// Pure: the nonce comes from outside, and so does the HMAC.
//
// The gateway sends the dialect's `challenge` with a fresh nonce; the box sends its `response` with
//   mac = HMAC-SHA256(key, "VW1:" + nonce + ":" + registration)
// nonce as it was sent (32 hexadecimal digits), registration the bytes that this connection registered with (where the
// dialect has a template: what stands for {id}), mac as 64 hexadecimal digits.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "services/collector_gateway/domain/directory_copy.h"

namespace voltwell::gateway {

inline constexpr size_t kNonceBytes = 16;  // Random; on the wire two digits for each.

// What the MAC is of.
std::string ChallengeText(absl::string_view nonce, absl::string_view registration);

struct ChallengeAnswer {
  enum class Kind {
    kMore,   // Further bytes will tell.
    kNo,     // Something else came.
    kWhole,  // `used` bytes, with `mac` in them.
  };
  Kind kind = Kind::kMore;
  std::string mac = {};  // The bytes that the digits mean.
  size_t used = 0;
};

// Of all bytes since the challenge went out. Keepalives and line ends before the answer are passed over. The entry's
// dialect has a response.
ChallengeAnswer ReadChallengeAnswer(base::ByteView bytes, const BusEntry& entry);

}  // namespace voltwell::gateway
