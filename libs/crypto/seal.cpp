// HPKE over OpenSSL; see seal.h. Names of steps and labels are those of RFC 9180.
#include "libs/crypto/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/crypto/crypto.h"

namespace voltwell::crypto {
namespace {

constexpr size_t kKeyBytes = 32;                                             // X25519, public and private.
constexpr size_t kSecretBytes = 32;                                          // Nsecret, and Nh of SHA-256.
constexpr size_t kAesKeyBytes = 16;                                          // Nk
constexpr size_t kNonceBytes = 12;                                           // Nn
constexpr size_t kTagBytes = 16;                                             // Nt
constexpr absl::string_view kKemSuite("KEM\x00\x20", 5);                     // DHKEM(X25519, HKDF-SHA256)
constexpr absl::string_view kHpkeSuite("HPKE\x00\x20\x00\x01\x00\x01", 10);  // with HKDF-SHA256, AES-128-GCM
constexpr absl::string_view kVersion = "HPKE-v1";

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* what) const {
    Free(what);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;

const unsigned char* Data(absl::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Data(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
int Size(absl::string_view text) { return static_cast<int>(text.size()); }

std::string LabeledExtract(absl::string_view suite, absl::string_view salt, absl::string_view label,
                           absl::string_view ikm) {
  return HmacSha256(salt, absl::StrCat(kVersion, suite, label, ikm));
}

// Of at most one block of HMAC, which is all that is asked for here.
std::string LabeledExpand(absl::string_view suite, absl::string_view prk, absl::string_view label,
                          absl::string_view info, size_t length) {
  VW_CHECK(length <= kSecretBytes);
  const std::string size = {'\0', static_cast<char>(length)};
  return HmacSha256(prk, absl::StrCat(size, kVersion, suite, label, info, "\x01")).substr(0, length);
}

Key PrivateKey(absl::string_view seed) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, Data(seed), seed.size()));
  VW_CHECK(key != nullptr);
  return key;
}

std::string PublicOf(const Key& key) {
  std::string raw(kKeyBytes, '\0');
  size_t length = raw.size();
  VW_CHECK(EVP_PKEY_get_raw_public_key(key.get(), Data(raw), &length) == 1);
  return raw;
}

// X25519; empty for a public key that is none, or whose product is zero (RFC 7748, section 6.1).
std::string Agree(const Key& own, absl::string_view public_key) {
  const Key other(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, Data(public_key), public_key.size()));
  const KeyContext context(EVP_PKEY_CTX_new(own.get(), nullptr));
  VW_CHECK(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  std::string secret(kKeyBytes, '\0');
  size_t length = secret.size();
  if (other == nullptr || EVP_PKEY_derive_set_peer(context.get(), other.get()) != 1 ||
      EVP_PKEY_derive(context.get(), Data(secret), &length) != 1) {
    return "";
  }
  return secret;
}

struct Secrets {
  std::string key;
  std::string nonce;
};

// ExtractAndExpand of the KEM, then KeySchedule of mode_base.
Secrets Schedule(absl::string_view dh, absl::string_view enc, absl::string_view recipient, absl::string_view info) {
  const std::string prk = LabeledExtract(kKemSuite, "", "eae_prk", dh);
  const std::string shared = LabeledExpand(kKemSuite, prk, "shared_secret", absl::StrCat(enc, recipient), kSecretBytes);
  const std::string context =
      absl::StrCat(absl::string_view("\0", 1), LabeledExtract(kHpkeSuite, "", "psk_id_hash", ""),
                   LabeledExtract(kHpkeSuite, "", "info_hash", info));
  const std::string secret = LabeledExtract(kHpkeSuite, shared, "secret", "");
  return {LabeledExpand(kHpkeSuite, secret, "key", context, kAesKeyBytes),
          LabeledExpand(kHpkeSuite, secret, "base_nonce", context, kNonceBytes)};
}

Cipher NewCipher() {
  Cipher cipher(EVP_CIPHER_CTX_new());
  VW_CHECK(cipher != nullptr);
  return cipher;
}

}  // namespace

absl::StatusOr<std::string> Seal(absl::string_view public_key, absl::string_view info, absl::string_view aad,
                                 absl::string_view plain, os::Random& random) {
  const Key ephemeral = PrivateKey(random.Bytes(kKeyBytes));
  const std::string dh = public_key.size() == kKeyBytes ? Agree(ephemeral, public_key) : "";
  if (dh.empty()) return base::InvalidArgument("BAD_KEY", "not a public key of X25519");
  const std::string enc = PublicOf(ephemeral);
  const Secrets secrets = Schedule(dh, enc, public_key, info);
  const Cipher cipher = NewCipher();
  VW_CHECK(EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, Data(secrets.key), Data(secrets.nonce)) == 1);
  int length = 0;
  VW_CHECK(EVP_EncryptUpdate(cipher.get(), nullptr, &length, Data(aad), Size(aad)) == 1);
  std::string sealed(plain.size(), '\0');
  VW_CHECK(EVP_EncryptUpdate(cipher.get(), Data(sealed), &length, Data(plain), Size(plain)) == 1);
  std::string tag(kTagBytes, '\0');
  VW_CHECK(EVP_EncryptFinal_ex(cipher.get(), Data(tag), &length) == 1);  // GCM writes nothing more here.
  VW_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1);
  return absl::StrCat(enc, sealed, tag);
}

absl::StatusOr<UnsealingKey> UnsealingKey::FromSeed(absl::string_view seed) {
  if (seed.size() != kKeyBytes) {
    return base::InvalidArgument("BAD_KEY", absl::StrCat("a key of X25519 has 32 bytes, this one ", seed.size()));
  }
  return UnsealingKey(std::string(seed));
}

UnsealingKey::UnsealingKey(std::string seed) : seed_(std::move(seed)), public_(PublicOf(PrivateKey(seed_))) {}

absl::StatusOr<std::string> UnsealingKey::Open(absl::string_view info, absl::string_view aad,
                                               absl::string_view sealed) const {
  const absl::Status failed =
      base::DataLoss("NOT_UNSEALED", "sealed for another key, another use or another owner, or damaged");
  if (sealed.size() < kSealBytes) return failed;
  const absl::string_view enc = sealed.substr(0, kKeyBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const absl::string_view body = sealed.substr(kKeyBytes, sealed.size() - kSealBytes);
  const Key own = PrivateKey(seed_);
  const std::string dh = Agree(own, enc);
  if (dh.empty()) return failed;
  const Secrets secrets = Schedule(dh, enc, public_, info);
  const Cipher cipher = NewCipher();
  VW_CHECK(EVP_DecryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, Data(secrets.key), Data(secrets.nonce)) == 1);
  int length = 0;
  VW_CHECK(EVP_DecryptUpdate(cipher.get(), nullptr, &length, Data(aad), Size(aad)) == 1);
  std::string plain(body.size(), '\0');
  VW_CHECK(EVP_DecryptUpdate(cipher.get(), Data(plain), &length, Data(body), Size(body)) == 1);
  VW_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(cipher.get(), Data(tag), &length) == 1) return plain;
  OPENSSL_cleanse(plain.data(), plain.size());
  return failed;
}

}  // namespace voltwell::crypto
