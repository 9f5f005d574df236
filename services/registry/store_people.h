// Rows of people, their sessions and failed sign-ins. Read as all tenants, since a sign-in and a token name none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/pg/pg.h"

namespace voltwell::registry::store {

// Names that do not exist are remembered too, but only so many; known names always.
inline constexpr int kUnknownLoginsMax = 10'000;

struct Person {
  std::string id = {};
  std::string tenant = {};
  std::string tenant_display_name = {};
  std::string login = {};
  std::string display_name = {};
  std::string password_hash = {};
  std::vector<std::string> permissions = {};
  std::vector<std::string> site_scope = {};
  bool disabled = false;
};

struct Session {
  std::string id = {};
  std::string token_hash = {};
  absl::Time expires_at = absl::InfinitePast();
  Person person = {};
};

struct LoginFailures {
  int count = 0;
  absl::Time last_at = absl::InfinitePast();
};

absl::StatusOr<std::optional<Person>> FindPersonByLogin(pg::Tx& tx, const std::string& login);
absl::StatusOr<std::optional<Person>> FindPerson(pg::Tx& tx, const std::string& id);

// Locks the row of this name until the transaction ends, so that tries at the same moment are counted one after the
// other.
absl::StatusOr<LoginFailures> LockLoginFailures(pg::Tx& tx, const std::string& login, bool known, absl::Time now);
absl::Status RecordLoginTry(pg::Tx& tx, const std::string& login, int failures, absl::Time now);
absl::Status ClearLoginFailures(pg::Tx& tx, const std::string& login);

absl::Status InsertSession(pg::Tx& tx, const Session& session);
// Those that are valid at `now`, in no order.
absl::StatusOr<std::vector<Session>> FindSessions(pg::Tx& tx, const std::vector<std::string>& token_hashes,
                                                  absl::Time now);
absl::Status EndSession(pg::Tx& tx, const std::string& id);

// The one tenant and the one person of a new installation; what is there stays as it is.
absl::Status EnsureTenant(pg::Tx& tx, const std::string& id, const std::string& display_name);
absl::Status EnsurePerson(pg::Tx& tx, const Person& person);

}  // namespace voltwell::registry::store
