#include "services/registry/service_session.h"

#include <cmath>
#include <map>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/crypto/crypto.h"
#include "services/registry/convert.h"
#include "services/registry/domain/login_backoff.h"
#include "services/registry/domain/names.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {
namespace {

constexpr size_t kLoginMax = 100;
constexpr size_t kPasswordMax = 1024;
constexpr size_t kTokenBytes = 32;

std::string HashOf(const std::string& token) { return base::ToHex(base::AsBytes(crypto::Sha256(token))); }

absl::Status LoginFailed() { return base::Unauthenticated("LOGIN_FAILED", "the name or the password is wrong"); }

}  // namespace

SessionService::SessionService(pg::Pool& pool, rpc::Door& door, os::Clock& clock, os::Random& random,
                               absl::Duration session_lifetime)
    : pool_(pool),
      door_(door),
      clock_(clock),
      random_(random),
      session_lifetime_(session_lifetime),
      nobodys_hash_(crypto::HashPassword(random.Bytes(kTokenBytes), random)) {}

grpc::Status SessionService::Login(grpc::ServerContext* context, const v1::LoginRequest* request,
                                   v1::LoginResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    const std::string login = absl::AsciiStrToLower(request->user());
    if (login.empty() || login.size() > kLoginMax || request->password().size() > kPasswordMax) return LoginFailed();
    std::optional<store::Person> person;
    VW_RETURN_IF_ERROR(BeginTry(call, login, person));
    VW_ASSIGN_OR_RETURN(const bool fits, PasswordFits(call, person, request->password()));
    if (!fits || person->disabled) return LoginFailed();

    const std::string token = crypto::Base64Url(random_.Bytes(kTokenBytes));
    const absl::Time now = clock_.Now();
    const store::Session session{.id = os::NewId(random_, absl::ToUnixMillis(now)),
                                 .token_hash = HashOf(token),
                                 .expires_at = now + session_lifetime_,
                                 .person = *person};
    const pg::TxOptions options{.name = "session.begin", .tenant = kAllTenants, .deadline = call.deadline};
    const absl::Status begun = pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(store::ClearLoginFailures(tx, login));
      return store::InsertSession(tx, session);
    });
    if (!begun.ok()) return begun;
    response->set_token(token);
    *response->mutable_expire_time() = ToProto(session.expires_at);
    response->set_user(absl::StrCat("users/", person->id));
    return absl::OkStatus();
  });
}

absl::Status SessionService::BeginTry(const rpc::Call& call, const std::string& login,
                                      std::optional<store::Person>& person) {
  absl::Duration wait;
  const pg::TxOptions options{.name = "session.try", .tenant = kAllTenants, .deadline = call.deadline};
  const absl::Status counted = pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
    const absl::Time now = clock_.Now();
    VW_ASSIGN_OR_RETURN(person, store::FindPersonByLogin(tx, login));
    VW_ASSIGN_OR_RETURN(const store::LoginFailures failures,
                        store::LockLoginFailures(tx, login, person.has_value(), now));
    wait = WaitBeforeLogin(failures.count, failures.last_at, now);
    if (wait > absl::ZeroDuration()) return absl::OkStatus();
    const bool forgotten = now >= failures.last_at + kFailuresForgotten;
    return store::RecordLoginTry(tx, login, forgotten ? 1 : failures.count + 1, now);
  });
  if (!counted.ok()) return counted;
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  const auto seconds = static_cast<int64_t>(std::ceil(absl::ToDoubleSeconds(wait)));
  return base::ResourceExhausted("LOGIN_SLOWED_DOWN", "too many failed tries with this name; wait",
                                 {{"retry_after_seconds", absl::StrCat(seconds)}});
}

absl::StatusOr<bool> SessionService::PasswordFits(const rpc::Call& call, const std::optional<store::Person>& person,
                                                  const std::string& password) {
  {
    absl::MutexLock lock(&mutex_);
    const auto free = [this] { return at_once_ < kPasswordsAtOnce; };
    if (!free() && waiting_ >= kPasswordsWaiting) {
      return base::ResourceExhausted("LOGIN_BUSY", "many people sign in at this moment; try again",
                                     {{"retry_after_seconds", "1"}});
    }
    ++waiting_;
    const bool got = mutex_.AwaitWithTimeout(absl::Condition(&free), call.deadline - clock_.Now());
    --waiting_;
    if (!got) return base::DeadlineExceeded("DEADLINE_PASSED", "the deadline passed while others signed in");
    ++at_once_;
  }
  const bool fits = crypto::CheckPassword(password, person.has_value() ? person->password_hash : nobodys_hash_);
  absl::MutexLock lock(&mutex_);
  --at_once_;
  return fits && person.has_value();
}

grpc::Status SessionService::Logout(grpc::ServerContext* context, const v1::LogoutRequest* request,
                                    v1::LogoutResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    const auto id = IdOf("sessions", call.identity.session, "session");
    if (!id.ok()) return base::FailedPrecondition("NO_SESSION", "the caller signed in without a session");
    const pg::TxOptions options{.name = "session.end", .tenant = kAllTenants, .deadline = call.deadline};
    return pool_.Transact(options, [&](pg::Tx& tx) { return store::EndSession(tx, *id); });
  });
}

grpc::Status SessionService::GetMe(grpc::ServerContext* context, const v1::GetMeRequest* request,
                                   v1::GetMeResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    response->set_user(call.identity.subject);
    if (!call.identity.tenant.empty()) response->set_tenant(absl::StrCat("tenants/", call.identity.tenant));
    for (const std::string& permission : call.identity.permissions) response->add_permissions(permission);
    const auto id = IdOf("users", call.identity.subject, "subject");
    if (!id.ok()) return absl::OkStatus();  // A developer's token: no person of ours.
    const pg::TxOptions options{
        .name = "session.me", .tenant = kAllTenants, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const std::optional<store::Person> person, store::FindPerson(tx, *id));
      if (!person.has_value()) return absl::OkStatus();
      response->set_login(person->login);
      response->set_display_name(person->display_name);
      response->set_tenant_display_name(person->tenant_display_name);
      return absl::OkStatus();
    });
  });
}

grpc::Status SessionService::Authenticate(grpc::ServerContext* context, const v1::AuthenticateRequest* request,
                                          v1::AuthenticateResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    if (request->tokens_size() < 1 || request->tokens_size() > kTokensMax) {
      return base::InvalidArgument("BAD_TOKEN_COUNT", "1 to 512 tokens a call", {{"field", "tokens"}});
    }
    std::vector<std::string> hashes;
    for (const std::string& token : request->tokens()) hashes.push_back(HashOf(token));
    std::map<std::string, store::Session> found;
    const pg::TxOptions options{
        .name = "session.authenticate", .tenant = kAllTenants, .deadline = call.deadline, .read_only = true};
    const absl::Status read = pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      VW_ASSIGN_OR_RETURN(const std::vector<store::Session> sessions, store::FindSessions(tx, hashes, clock_.Now()));
      for (const store::Session& session : sessions) found[session.token_hash] = session;
      return absl::OkStatus();
    });
    if (!read.ok()) return read;
    for (const std::string& hash : hashes) {
      v1::Identity& identity = *response->add_identities();
      const auto session = found.find(hash);
      if (session == found.end()) continue;
      const store::Person& person = session->second.person;
      identity.set_valid(true);
      identity.set_subject(absl::StrCat("users/", person.id));
      identity.set_tenant(person.tenant);
      for (const std::string& permission : person.permissions) identity.add_permissions(permission);
      for (const std::string& path : person.site_scope) identity.add_site_scope(path);
      identity.set_caller_kind("OPERATOR");
      identity.set_session(absl::StrCat("sessions/", session->second.id));
      *identity.mutable_expire_time() = ToProto(session->second.expires_at);
    }
    return absl::OkStatus();
  });
}

}  // namespace voltwell::registry
