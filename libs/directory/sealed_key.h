// A collector's key on its way from the registry, which can only write it, to the gateways, which alone can read it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "libs/base/status.h"
#include "libs/crypto/crypto.h"
#include "libs/crypto/seal.h"

namespace voltwell::directory {

// A key shorter than 128 bits can be guessed; longer than a block of SHA-256 it would only be hashed.
inline constexpr size_t kKeyBytesMin = 16;
inline constexpr size_t kKeyBytesMax = 64;

// Names the use, so that nothing sealed for another one opens as a key.
inline constexpr char kSealedKeyInfo[] = "voltwell collector key 1";

// Text of Entry.sealed_key. The registration id of the collector is bound to it: put under another collector it does
// not open. InvalidArgument BAD_KEY when the sealing key is none.
inline absl::StatusOr<std::string> SealKey(absl::string_view sealing_public_key, absl::string_view collector,
                                           absl::string_view key, os::Random& random) {
  VW_ASSIGN_OR_RETURN(const std::string sealed,
                      crypto::Seal(sealing_public_key, kSealedKeyInfo, collector, key, random));
  return crypto::Base64Url(sealed);
}

// DataLoss NOT_UNSEALED.
inline absl::StatusOr<std::string> UnsealKey(const crypto::UnsealingKey& unsealing, absl::string_view collector,
                                             absl::string_view text) {
  const absl::StatusOr<std::string> sealed = crypto::FromBase64Url(text);
  VW_ASSIGN_OR_RETURN(std::string key, unsealing.Open(kSealedKeyInfo, collector, sealed.ok() ? *sealed : ""));
  if (key.size() >= kKeyBytesMin && key.size() <= kKeyBytesMax) return key;
  return base::DataLoss("NOT_UNSEALED", "what was sealed is no key");
}

}  // namespace voltwell::directory
