// The few primitives the suite needs, each a thin call of OpenSSL or libargon2. Nothing here is home-made.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/os/random.h"

namespace voltwell::crypto {

std::string Sha256(absl::string_view data);                             // 32 raw bytes.
std::string HmacSha256(absl::string_view key, absl::string_view data);  // 32 raw bytes.
// Same length and bytes, in time that does not depend on where they differ.
bool EqualConstantTime(absl::string_view a, absl::string_view b);
std::string Base64Url(absl::string_view data);  // RFC 4648 section 5, no padding.
absl::StatusOr<std::string> FromBase64Url(absl::string_view text);

// Ed25519 (RFC 8032). Keys are 32 raw bytes; files hold them base64url encoded, one line.
class SigningKey {
 public:
  static absl::StatusOr<SigningKey> FromSeed(absl::string_view seed);   // 32 bytes.
  static absl::StatusOr<SigningKey> FromFile(const std::string& path);  // Base64url of the seed.
  std::string Sign(absl::string_view message) const;                    // 64 bytes.
  std::string PublicKey() const;                                        // 32 bytes.

 private:
  explicit SigningKey(std::string seed) : seed_(std::move(seed)) {}
  std::string seed_;
};
bool VerifyEd25519(absl::string_view public_key, absl::string_view message, absl::string_view signature);

// Argon2id in PHC format ($argon2id$v=19$m=...). Parameters: OWASP's 19 MiB, 2 passes, 1 lane.
std::string HashPassword(absl::string_view password, os::Random& random);
bool CheckPassword(absl::string_view password, const std::string& phc);

}  // namespace voltwell::crypto
