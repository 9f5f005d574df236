// Who calls. A short-lived token signed by the caller's own Ed25519 key travels with every call inside the suite; each
// service trusts the issuers whose public keys lie in its trust directory (<issuer>.pub, base64url).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/config/config.h"
#include "libs/crypto/crypto.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"

namespace voltwell::rpc {

// Meanings of the fields: voltwell.rpc.v1.IdentityClaims.
struct Identity {
  std::string issuer = {};
  std::string tenant = {};
  std::string subject = {};
  std::vector<std::string> permissions = {};
  std::vector<std::string> site_scope = {};
  std::string caller_kind = {};
  std::string session = {};

  // "*" allows all; "meter.*" allows "meter.read".
  bool Allows(absl::string_view permission) const;
};

struct IdentityConfig {
  std::string key;        // Secret: base64url seed of this process's signing key; usually given as --identity-key-file.
  std::string trust_dir;  // Directory of <issuer>.pub. Required.
  void Declare(config::Options& options);
};

// The signing key whose base64url seed an option holds. For main: prints what is wrong with it and exits with 2.
crypto::SigningKey KeyOfOption(absl::string_view option, absl::string_view text);
// The same of identity-key.
crypto::SigningKey IdentityKey(const IdentityConfig& config);

// Makes tokens in the name of one issuer; keeps one for each (audience, identity) until 10 s before its end.
// Thread-safe.
class TokenIssuer {
 public:
  TokenIssuer(std::string issuer, crypto::SigningKey key, os::Clock& clock);
  ~TokenIssuer();
  // Good for 60 s. `identity.issuer` is ignored.
  std::string Token(absl::string_view audience, const Identity& identity);
  const std::string& issuer() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Verifies tokens for one service; verified ones are cached to their end (at most kTokenCacheMax). Thread-safe.
// UNAUTHENTICATED with NO_IDENTITY, BAD_TOKEN, TOKEN_EXPIRED, UNKNOWN_ISSUER or WRONG_AUDIENCE.
class TokenVerifier {
 public:
  TokenVerifier(std::string service, const std::string& trust_dir, os::Clock& clock, metrics::Registry& metrics);
  ~TokenVerifier();
  absl::StatusOr<Identity> Verify(absl::string_view token);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

inline constexpr int kTokenCacheMax = 10'000;

}  // namespace voltwell::rpc
