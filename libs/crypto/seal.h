// Sealing to a public key: whoever has it can write a secret, only the holder of the private half can read it. HPKE
// (RFC 9180), base mode, one message: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. The primitives are
// OpenSSL's, which has no HPKE of its own before 3.2; the few lines that join them are proven by the RFC's vector.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/os/random.h"

namespace voltwell::crypto {

// What a sealed text is longer than its plain one: the ephemeral public key and the tag.
inline constexpr size_t kSealBytes = 32 + 16;

// `info` names the use, `aad` what the secret belongs to; both must be said again to open it. InvalidArgument BAD_KEY
// when the public key is not one of X25519 (32 bytes).
absl::StatusOr<std::string> Seal(absl::string_view public_key, absl::string_view info, absl::string_view aad,
                                 absl::string_view plain, os::Random& random);

// The private half, 32 raw bytes; files hold them base64url encoded, one line.
class UnsealingKey {
 public:
  static absl::StatusOr<UnsealingKey> FromSeed(absl::string_view seed);  // InvalidArgument BAD_KEY.
  const std::string& PublicKey() const { return public_; }               // 32 bytes.
  // DataLoss NOT_UNSEALED: sealed for another key, another use or owner, or damaged.
  absl::StatusOr<std::string> Open(absl::string_view info, absl::string_view aad, absl::string_view sealed) const;

 private:
  explicit UnsealingKey(std::string seed);
  std::string seed_;
  std::string public_;
};

}  // namespace voltwell::crypto
