#include "services/registry/collector_keys.h"

#include "absl/strings/ascii.h"
#include "libs/base/status.h"
#include "libs/directory/sealed_key.h"
#include "libs/log/log.h"
#include "libs/os/files.h"

namespace voltwell::registry {

static_assert(kCollectorKeyBytesMin == directory::kKeyBytesMin && kCollectorKeyBytesMax == directory::kKeyBytesMax);

absl::Status CollectorKeys::Take(Collector& collector, absl::Time now) {
  if (!collector.new_key_hex.has_value()) return absl::OkStatus();
  const std::string digits = *std::move(collector.new_key_hex);
  collector.new_key_hex.reset();
  if (digits.empty()) {
    collector.sealed_key.clear();
    collector.key_set_at.reset();
    return absl::OkStatus();
  }
  VW_ASSIGN_OR_RETURN(const std::string key, KeyOfHex(digits));
  absl::StatusOr<std::string> sealed = Sealed(collector.registration_id, key);
  if (!sealed.ok()) {
    log::Error("a collector's key cannot be sealed",
               {{"file", public_key_file_}, {"error", sealed.status().ToString()}});
    return base::FailedPrecondition("NO_SEALING_KEY",
                                    "this installation has no public key to seal collectors' keys with");
  }
  collector.sealed_key = *std::move(sealed);
  collector.key_set_at = now;
  return absl::OkStatus();
}

absl::StatusOr<std::string> CollectorKeys::Sealed(const std::string& registration_id, const std::string& key) {
  VW_ASSIGN_OR_RETURN(const std::string text, os::ReadFile(public_key_file_));
  VW_ASSIGN_OR_RETURN(const std::string sealing, crypto::FromBase64Url(absl::StripAsciiWhitespace(text)));
  return directory::SealKey(sealing, registration_id, key, random_);
}

}  // namespace voltwell::registry
