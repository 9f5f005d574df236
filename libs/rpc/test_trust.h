// For tests: identity keys and a trust directory, made when first asked for.
//   rpc::TestTrust trust;
//   rpc::TokenIssuer issuer("meter_scheduler", trust.Key("meter_scheduler"), clock);
//   rpc::TokenVerifier verifier("registry", trust.directory(), clock, metrics);
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "libs/base/check.h"
#include "libs/crypto/crypto.h"
#include "libs/os/files.h"
#include "libs/rpc/identity.h"
#include "libs/testing/process.h"

namespace voltwell::rpc {

class TestTrust {
 public:
  TestTrust() : directory_("trust") {}

  const std::string& directory() const { return directory_.path(); }

  // The issuer's key; from now on the directory trusts it.
  crypto::SigningKey Key(const std::string& issuer) const {
    const crypto::SigningKey key = *crypto::SigningKey::FromSeed(crypto::Sha256(issuer));
    const std::string path = absl::StrCat(directory_.path(), "/", issuer, ".pub");
    VW_CHECK(os::WriteFile(path, crypto::Base64Url(key.PublicKey())).ok());
    return key;
  }

 private:
  testing::TempDirectory directory_;
};

// A call as api_gateway makes it for a person, or tools for a developer.
inline void Bear(grpc::ClientContext& context, TokenIssuer& issuer, const std::string& service,
                 const Identity& identity) {
  context.AddMetadata("authorization", absl::StrCat("Bearer ", issuer.Token(service, identity)));
}

}  // namespace voltwell::rpc
