// Thin calls of OpenSSL 3 and libargon2. A failure of theirs on input of the right size is a bug or an exhausted
// machine, and stops the process (VW_CHECK): no signature is better than a wrong one.
#include "libs/crypto/crypto.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/os/files.h"

namespace voltwell::crypto {
namespace {

// OWASP Password Storage Cheat Sheet, Argon2id: 19 MiB, 2 passes, 1 lane.
constexpr uint32_t kArgonPasses = 2;
constexpr uint32_t kArgonKibibytes = 19 * 1024;
constexpr uint32_t kArgonLanes = 1;
constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;
// A hash from elsewhere may not make a login cost more than this: 64 MiB, 10 passes.
constexpr uint32_t kArgonKibibytesMax = 64 * 1024;
constexpr uint32_t kArgonPassesMax = 10;
constexpr size_t kPasswordMax = 1024;  // Bytes; beyond it a password is wrong, not slow.

constexpr size_t kEd25519KeyBytes = 32;
constexpr size_t kEd25519SignatureBytes = 64;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Digest = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

const unsigned char* Data(absl::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Data(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Key PrivateKey(const std::string& seed) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Data(seed), seed.size()));
  VW_CHECK(key != nullptr);
  return key;
}

// The cost that a PHC string asks for: m=..., t=... between its third and fourth dollar.
bool CostIsBearable(const std::string& phc) {
  unsigned memory = 0;
  unsigned passes = 0;
  unsigned lanes = 0;
  if (std::sscanf(phc.c_str(), "$argon2id$v=19$m=%u,t=%u,p=%u$", &memory, &passes, &lanes) != 3) return false;
  return memory <= kArgonKibibytesMax && passes <= kArgonPassesMax && lanes <= 4;
}

}  // namespace

std::string Sha256(absl::string_view data) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  VW_CHECK(EVP_Digest(data.data(), data.size(), Data(digest), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

std::string HmacSha256(absl::string_view key, absl::string_view data) {
  std::string mac(SHA256_DIGEST_LENGTH, '\0');
  unsigned length = 0;
  VW_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Data(data), data.size(), Data(mac), &length) !=
           nullptr);
  return mac;
}

bool EqualConstantTime(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string Base64Url(absl::string_view data) { return absl::WebSafeBase64Escape(data); }

absl::StatusOr<std::string> FromBase64Url(absl::string_view text) {
  std::string data;
  // Unescape also takes the ordinary alphabet and stray padding; one value must have one spelling.
  if (!absl::WebSafeBase64Unescape(text, &data) || absl::WebSafeBase64Escape(data) != text) {
    return base::InvalidArgument("BAD_BASE64", "not base64url without padding");
  }
  return data;
}

absl::StatusOr<SigningKey> SigningKey::FromSeed(absl::string_view seed) {
  if (seed.size() != kEd25519KeyBytes) {
    return base::InvalidArgument("BAD_KEY", absl::StrCat("an Ed25519 seed has 32 bytes, this one ", seed.size()));
  }
  return SigningKey(std::string(seed));
}

absl::StatusOr<SigningKey> SigningKey::FromFile(const std::string& path) {
  VW_ASSIGN_OR_RETURN(const std::string content, os::ReadFile(path));
  const auto seed = FromBase64Url(absl::StripAsciiWhitespace(content));
  if (!seed.ok()) return base::InvalidArgument("BAD_KEY", absl::StrCat(path, " is not base64url"), {{"path", path}});
  return FromSeed(*seed);
}

std::string SigningKey::Sign(absl::string_view message) const {
  const Key key = PrivateKey(seed_);
  const Digest context(EVP_MD_CTX_new());
  VW_CHECK(context != nullptr);
  VW_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  std::string signature(kEd25519SignatureBytes, '\0');
  size_t length = signature.size();
  VW_CHECK(EVP_DigestSign(context.get(), Data(signature), &length, Data(message), message.size()) == 1);
  return signature;
}

std::string SigningKey::PublicKey() const {
  const Key key = PrivateKey(seed_);
  std::string raw(kEd25519KeyBytes, '\0');
  size_t length = raw.size();
  VW_CHECK(EVP_PKEY_get_raw_public_key(key.get(), Data(raw), &length) == 1);
  return raw;
}

bool VerifyEd25519(absl::string_view public_key, absl::string_view message, absl::string_view signature) {
  if (public_key.size() != kEd25519KeyBytes || signature.size() != kEd25519SignatureBytes) return false;
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Data(public_key), public_key.size()));
  const Digest context(EVP_MD_CTX_new());
  if (key == nullptr || context == nullptr) return false;
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1) return false;
  return EVP_DigestVerify(context.get(), Data(signature), signature.size(), Data(message), message.size()) == 1;
}

std::string HashPassword(absl::string_view password, os::Random& random) {
  const std::string salt = random.Bytes(kSaltBytes);
  std::array<char, 256> phc = {};
  VW_CHECK(argon2id_hash_encoded(kArgonPasses, kArgonKibibytes, kArgonLanes, password.data(), password.size(),
                                 salt.data(), salt.size(), kHashBytes, phc.data(), phc.size()) == ARGON2_OK);
  return phc.data();
}

bool CheckPassword(absl::string_view password, const std::string& phc) {
  if (password.size() > kPasswordMax || !CostIsBearable(phc)) return false;
  return argon2id_verify(phc.c_str(), password.data(), password.size()) == ARGON2_OK;
}

}  // namespace voltwell::crypto
