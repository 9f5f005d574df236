// Tokens: claims and a signature, both base64url. Making one costs about 30 µs and verifying one about 80 µs (Ed25519),
// so both sides keep what they made or verified until it ends.
#include "libs/rpc/identity.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/os/files.h"
#include "voltwell/rpc/v1/identity.pb.h"

namespace voltwell::rpc {
namespace {

constexpr absl::Duration kTokenLife = absl::Seconds(60);
constexpr absl::Duration kRenewBefore = absl::Seconds(10);   // Covers the call's way and clocks that differ a little.
constexpr absl::Duration kClockSkewMax = absl::Seconds(30);  // An issuer's clock may be ahead of ours by this much.
constexpr absl::Duration kTrustReadEvery = absl::Seconds(1);
constexpr char kToolsIssuer[] = "tools";  // Trusted in development installations only; its tokens may live longer.

// Issuers name a file of the trust directory, so nothing but these characters may stand in one.
bool IsIssuerName(absl::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  for (const char c : name) {
    if (!absl::ascii_islower(static_cast<unsigned char>(c)) && !absl::ascii_isdigit(static_cast<unsigned char>(c)) &&
        c != '_') {
      return false;
    }
  }
  return true;
}

voltwell::rpc::v1::IdentityClaims ToClaims(const Identity& identity) {
  voltwell::rpc::v1::IdentityClaims claims;
  claims.set_tenant(identity.tenant);
  claims.set_subject(identity.subject);
  for (const std::string& permission : identity.permissions) claims.add_permissions(permission);
  for (const std::string& path : identity.site_scope) claims.add_site_scope(path);
  claims.set_caller_kind(identity.caller_kind);
  claims.set_session(identity.session);
  return claims;
}

Identity FromClaims(const voltwell::rpc::v1::IdentityClaims& claims) {
  return {.issuer = claims.issuer(),
          .tenant = claims.tenant(),
          .subject = claims.subject(),
          .permissions = {claims.permissions().begin(), claims.permissions().end()},
          .site_scope = {claims.site_scope().begin(), claims.site_scope().end()},
          .caller_kind = claims.caller_kind(),
          .session = claims.session()};
}

absl::Status BadToken(absl::string_view why) {
  return base::Unauthenticated("BAD_TOKEN", absl::StrCat("the identity token is not valid: ", why));
}

}  // namespace

bool Identity::Allows(absl::string_view permission) const {
  for (const std::string& held : permissions) {
    if (held == "*" || held == permission) return true;
    const absl::string_view prefix = absl::string_view(held).substr(0, held.empty() ? 0 : held.size() - 1);
    if (held.size() > 2 && held.back() == '*' && prefix.back() == '.' &&
        permission.substr(0, prefix.size()) == prefix) {
      return true;
    }
  }
  return false;
}

void IdentityConfig::Declare(config::Options& options) {
  options.Text("identity-key", &key, "Base64url seed of this process's Ed25519 key, by which it signs its calls",
               {.required = true, .secret = true});
  options.Text("identity-trust-dir", &trust_dir, "Directory of <issuer>.pub: whose calls are believed",
               {.required = true});
}

crypto::SigningKey KeyOfOption(absl::string_view option, absl::string_view text) {
  const auto seed = crypto::FromBase64Url(absl::StripAsciiWhitespace(text));
  if (seed.ok()) {
    auto key = crypto::SigningKey::FromSeed(*seed);
    if (key.ok()) return *std::move(key);
  }
  std::fprintf(stderr,
               "--%s: not the base64url text of 32 bytes; make one with: openssl rand 32 | basenc --base64url\n",
               std::string(option).c_str());
  std::exit(2);
}

crypto::SigningKey IdentityKey(const IdentityConfig& config) { return KeyOfOption("identity-key", config.key); }

struct TokenIssuer::State {
  State(std::string issuer_name, crypto::SigningKey signing_key, os::Clock& the_clock)
      : issuer(std::move(issuer_name)), key(std::move(signing_key)), clock(the_clock) {}

  struct Made {
    std::string token;
    absl::Time renew_at;
  };
  std::string issuer;
  crypto::SigningKey key;
  os::Clock& clock;
  std::mutex mutex;
  absl::flat_hash_map<std::string, Made> made;  // By audience and claims.
};

TokenIssuer::TokenIssuer(std::string issuer, crypto::SigningKey key, os::Clock& clock)
    : state_(std::make_unique<State>(std::move(issuer), std::move(key), clock)) {}
TokenIssuer::~TokenIssuer() = default;
const std::string& TokenIssuer::issuer() const { return state_->issuer; }

std::string TokenIssuer::Token(absl::string_view audience, const Identity& identity) {
  voltwell::rpc::v1::IdentityClaims claims = ToClaims(identity);
  claims.set_issuer(state_->issuer);
  claims.add_audience(std::string(audience));
  const std::string cache_key = claims.SerializeAsString();
  const absl::Time now = state_->clock.Now();
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->made.find(cache_key);
    // The second condition: a clock that was set back must not keep a token from the future.
    if (found != state_->made.end() && now < found->second.renew_at && found->second.renew_at - now <= kTokenLife) {
      return found->second.token;
    }
  }
  claims.set_issued_at(absl::ToUnixSeconds(now));
  claims.set_expires_at(absl::ToUnixSeconds(now + kTokenLife));
  const std::string content = crypto::Base64Url(claims.SerializeAsString());
  std::string token = absl::StrCat(content, ".", crypto::Base64Url(state_->key.Sign(content)));
  const std::lock_guard lock(state_->mutex);
  if (state_->made.size() >= kTokenCacheMax)
    state_->made.clear();  // Ends within a minute anyway; making them anew is cheap.
  state_->made[cache_key] = {token, now + kTokenLife - kRenewBefore};
  return token;
}

struct TokenVerifier::State {
  struct Verified {
    Identity identity;
    absl::Time expires_at;
  };
  std::string service;
  std::string trust_dir;
  os::Clock& clock;
  prometheus::Counter& checked;
  prometheus::Counter& refused;
  prometheus::Gauge& cached;
  std::mutex mutex;
  absl::flat_hash_map<std::string, Verified> verified;
  std::map<std::string, std::string> keys;  // Public key by issuer; empty: there was none at the last look.
  absl::Duration keys_read = -absl::InfiniteDuration();

  State(std::string service_name, std::string directory, os::Clock& the_clock, metrics::Registry& metrics)
      : service(std::move(service_name)),
        trust_dir(std::move(directory)),
        clock(the_clock),
        checked(metrics.Counter("voltwell_rpc_tokens_checked_total", "Identity tokens whose signature was verified")),
        refused(metrics.Counter("voltwell_rpc_tokens_refused_total", "Identity tokens refused")),
        cached(metrics.Gauge("voltwell_rpc_tokens_cached", "Verified identity tokens kept to their end")) {}

  std::optional<Identity> Cached(const std::string& token, absl::Time now) {
    const std::lock_guard lock(mutex);
    const auto found = verified.find(token);
    if (found == verified.end() || now >= found->second.expires_at) return std::nullopt;
    return found->second.identity;
  }

  void Keep(const std::string& token, const Identity& identity, absl::Time expires_at, absl::Time now) {
    const std::lock_guard lock(mutex);
    if (verified.size() >= kTokenCacheMax) {
      absl::erase_if(verified, [&](const auto& entry) { return now >= entry.second.expires_at; });
      if (verified.size() >= kTokenCacheMax) verified.clear();  // Costs verifying again, nothing else.
    }
    verified[token] = {identity, expires_at};
    cached.Set(static_cast<double>(verified.size()));
  }

  // Keys are read when first asked for and again at most each second, so that a key can be added without a restart.
  std::optional<std::string> KeyOf(const std::string& issuer) {
    if (!IsIssuerName(issuer)) return std::nullopt;
    const std::lock_guard lock(mutex);
    const absl::Duration now = clock.Monotonic();
    if (now - keys_read >= kTrustReadEvery) {
      std::erase_if(keys, [](const auto& entry) { return entry.second.empty(); });
      keys_read = now;
    }
    auto found = keys.find(issuer);
    if (found == keys.end()) {
      if (keys.size() >= 1000) keys.clear();  // Somebody tries names.
      found = keys.emplace(issuer, ReadKey(issuer)).first;
    }
    if (found->second.empty()) return std::nullopt;
    return found->second;
  }

  std::string ReadKey(const std::string& issuer) const {
    const auto text = os::ReadFile(absl::StrCat(trust_dir, "/", issuer, ".pub"), 1024);
    if (!text.ok()) return "";
    const auto key = crypto::FromBase64Url(absl::StripAsciiWhitespace(*text));
    return key.ok() && key->size() == 32 ? *key : "";
  }

  absl::StatusOr<Identity> Check(const std::string& token, absl::Time now) {
    const size_t dot = token.find('.');
    if (dot == std::string::npos) return BadToken("it has no signature");
    const absl::string_view content = absl::string_view(token).substr(0, dot);
    const auto plain = crypto::FromBase64Url(content);
    const auto signature = crypto::FromBase64Url(absl::string_view(token).substr(dot + 1));
    voltwell::rpc::v1::IdentityClaims claims;
    if (!plain.ok() || !signature.ok() || !claims.ParseFromString(*plain)) return BadToken("it cannot be read");
    const std::optional<std::string> key = KeyOf(claims.issuer());
    if (!key.has_value()) {
      return base::Unauthenticated("UNKNOWN_ISSUER", "the identity token's issuer is not trusted here",
                                   {{"issuer", claims.issuer().substr(0, 64)}});
    }
    checked.Increment();
    if (!crypto::VerifyEd25519(*key, content, *signature)) return BadToken("its signature does not fit");
    const absl::Time issued_at = absl::FromUnixSeconds(claims.issued_at());
    const absl::Time expires_at = absl::FromUnixSeconds(claims.expires_at());
    if (issued_at > now + kClockSkewMax) return BadToken("it comes from the future; compare the clocks");
    if (claims.issuer() != kToolsIssuer && expires_at - issued_at > kTokenLife) return BadToken("it lives too long");
    if (now >= expires_at) return base::Unauthenticated("TOKEN_EXPIRED", "the identity token has ended");
    bool ours = false;
    for (const std::string& audience : claims.audience()) ours = ours || audience == service;
    if (!ours) {
      return base::Unauthenticated("WRONG_AUDIENCE", "the identity token is for another service",
                                   {{"service", service}});
    }
    Identity identity = FromClaims(claims);
    Keep(token, identity, expires_at, now);
    return identity;
  }
};

TokenVerifier::TokenVerifier(std::string service, const std::string& trust_dir, os::Clock& clock,
                             metrics::Registry& metrics)
    : state_(std::make_unique<State>(std::move(service), trust_dir, clock, metrics)) {}
TokenVerifier::~TokenVerifier() = default;

absl::StatusOr<Identity> TokenVerifier::Verify(absl::string_view token) {
  if (token.empty()) {
    return base::Unauthenticated("NO_IDENTITY",
                                 "the call bears no identity token (metadata authorization: Bearer ...)");
  }
  const absl::Time now = state_->clock.Now();
  const std::string text(token);
  if (std::optional<Identity> known = state_->Cached(text, now); known.has_value()) return *std::move(known);
  absl::StatusOr<Identity> identity = state_->Check(text, now);
  if (!identity.ok()) state_->refused.Increment();
  return identity;
}

}  // namespace voltwell::rpc
