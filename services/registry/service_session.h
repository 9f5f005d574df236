// Sign-in of people, and what the front door asks about their tokens.
#pragma once

#include <string>

#include "absl/synchronization/mutex.h"
#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/pg/pg.h"
#include "libs/rpc/door.h"
#include "services/registry/store_people.h"
#include "voltwell/registry/v1/session_service.grpc.pb.h"

namespace voltwell::registry {

inline constexpr int kTokensMax = 512;  // Of one Authenticate.
// A password costs 19 MiB and tens of milliseconds, so few are looked at at once, some wait, and the rest is told to
// come again.
inline constexpr int kPasswordsAtOnce = 2;
inline constexpr int kPasswordsWaiting = 6;

class SessionService final : public v1::SessionService::Service {
 public:
  SessionService(pg::Pool& pool, rpc::Door& door, os::Clock& clock, os::Random& random,
                 absl::Duration session_lifetime);

  grpc::Status Login(grpc::ServerContext* context, const v1::LoginRequest* request,
                     v1::LoginResponse* response) override;
  grpc::Status Logout(grpc::ServerContext* context, const v1::LogoutRequest* request,
                      v1::LogoutResponse* response) override;
  grpc::Status GetMe(grpc::ServerContext* context, const v1::GetMeRequest* request,
                     v1::GetMeResponse* response) override;
  grpc::Status Authenticate(grpc::ServerContext* context, const v1::AuthenticateRequest* request,
                            v1::AuthenticateResponse* response) override;

 private:
  // Counts this try as failed before the password is looked at, so that tries at the same moment cannot pass together.
  absl::Status BeginTry(const rpc::Call& call, const std::string& login, std::optional<store::Person>& person);
  absl::StatusOr<bool> PasswordFits(const rpc::Call& call, const std::optional<store::Person>& person,
                                    const std::string& password);

  pg::Pool& pool_;
  rpc::Door& door_;
  os::Clock& clock_;
  os::Random& random_;
  const absl::Duration session_lifetime_;
  const std::string nobodys_hash_;  // Checked for names that do not exist, so that they take as long as those that do.

  absl::Mutex mutex_;
  int at_once_ = 0;
  int waiting_ = 0;
};

}  // namespace voltwell::registry
