#include "services/registry/store_people.h"

#include "libs/base/status.h"

namespace voltwell::registry::store {
namespace {

#define VW_PERSON_COLUMNS                                                                     \
  "p.id, p.tenant, t.display_name, p.login, p.display_name, p.password_hash, p.permissions, " \
  "p.site_scope, p.disabled "

constexpr pg::Query kByLogin{
    "person.by_login", "SELECT " VW_PERSON_COLUMNS "FROM person p JOIN tenant t ON t.id = p.tenant WHERE p.login = $1"};
constexpr pg::Query kById{"person.by_id",
                          "SELECT " VW_PERSON_COLUMNS "FROM person p JOIN tenant t ON t.id = p.tenant WHERE p.id = $1"};
constexpr pg::Query kSessions{"session.find",
                              "SELECT " VW_PERSON_COLUMNS
                              ", s.id, s.token_hash, s.expires_at FROM session s JOIN person p ON p.id = s.person "
                              "JOIN tenant t ON t.id = p.tenant WHERE s.token_hash = ANY ($1) AND s.ended_at IS NULL "
                              "AND s.expires_at > $2 AND NOT p.disabled"};
#undef VW_PERSON_COLUMNS

// Inserts the row so that there is one to lock, also for the first try.
constexpr pg::Query kLockFailures{
    "login.lock",
    "INSERT INTO login_failure (login, failures, last_at) SELECT $1, 0, $2 "
    "WHERE $3 OR EXISTS (SELECT 1 FROM login_failure WHERE login = $1) "
    "OR (SELECT count(*) FROM login_failure) < $4 "
    "ON CONFLICT (login) DO UPDATE SET login = excluded.login RETURNING failures, last_at"};
constexpr pg::Query kRecordTry{"login.record", "UPDATE login_failure SET failures = $2, last_at = $3 WHERE login = $1"};
constexpr pg::Query kForgetTries{"login.forget", "DELETE FROM login_failure WHERE login = $1"};
constexpr pg::Query kInsertSession{
    "session.insert", "INSERT INTO session (id, tenant, person, token_hash, expires_at) VALUES ($1, $2, $3, $4, $5)"};
constexpr pg::Query kEndSession{"session.end", "UPDATE session SET ended_at = coalesce(ended_at, now()) WHERE id = $1"};
constexpr pg::Query kEnsureTenant{"tenant.ensure",
                                  "INSERT INTO tenant (id, display_name) VALUES ($1, $2) ON CONFLICT DO NOTHING"};
constexpr pg::Query kEnsurePerson{"person.ensure",
                                  "INSERT INTO person (id, tenant, login, display_name, password_hash, permissions) "
                                  "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (login) DO NOTHING"};

Person PersonAt(const pg::Result& rows, int row) {
  return {.id = rows.Text(row, 0),
          .tenant = rows.Text(row, 1),
          .tenant_display_name = rows.Text(row, 2),
          .login = rows.Text(row, 3),
          .display_name = rows.Text(row, 4),
          .password_hash = rows.Text(row, 5),
          .permissions = rows.TextArray(row, 6),
          .site_scope = rows.TextArray(row, 7),
          .disabled = rows.Bool(row, 8)};
}

absl::StatusOr<std::optional<Person>> FindOne(pg::Tx& tx, const pg::Query& query, const std::string& key) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(query, key));
  if (rows.rows() == 0) return std::optional<Person>();
  return std::optional<Person>(PersonAt(rows, 0));
}

}  // namespace

absl::StatusOr<std::optional<Person>> FindPersonByLogin(pg::Tx& tx, const std::string& login) {
  return FindOne(tx, kByLogin, login);
}

absl::StatusOr<std::optional<Person>> FindPerson(pg::Tx& tx, const std::string& id) { return FindOne(tx, kById, id); }

absl::StatusOr<LoginFailures> LockLoginFailures(pg::Tx& tx, const std::string& login, bool known, absl::Time now) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kLockFailures, login, now, known, kUnknownLoginsMax));
  if (rows.rows() == 0) return LoginFailures{};
  return LoginFailures{.count = static_cast<int>(rows.Int(0, 0)), .last_at = rows.Time(0, 1)};
}

absl::Status RecordLoginTry(pg::Tx& tx, const std::string& login, int failures, absl::Time now) {
  return tx.Execute(kRecordTry, login, failures, now).status();
}

absl::Status ClearLoginFailures(pg::Tx& tx, const std::string& login) {
  return tx.Execute(kForgetTries, login).status();
}

absl::Status InsertSession(pg::Tx& tx, const Session& session) {
  return tx
      .Execute(kInsertSession, session.id, session.person.tenant, session.person.id, session.token_hash,
               session.expires_at)
      .status();
}

absl::StatusOr<std::vector<Session>> FindSessions(pg::Tx& tx, const std::vector<std::string>& token_hashes,
                                                  absl::Time now) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kSessions, token_hashes, now));
  std::vector<Session> sessions;
  for (int row = 0; row < rows.rows(); ++row) {
    sessions.push_back({.id = rows.Text(row, 9),
                        .token_hash = rows.Text(row, 10),
                        .expires_at = rows.Time(row, 11),
                        .person = PersonAt(rows, row)});
  }
  return sessions;
}

absl::Status EndSession(pg::Tx& tx, const std::string& id) { return tx.Execute(kEndSession, id).status(); }

absl::Status EnsureTenant(pg::Tx& tx, const std::string& id, const std::string& display_name) {
  return tx.Execute(kEnsureTenant, id, display_name).status();
}

absl::Status EnsurePerson(pg::Tx& tx, const Person& person) {
  return tx
      .Execute(kEnsurePerson, person.id, person.tenant, person.login, person.display_name, person.password_hash,
               person.permissions)
      .status();
}

}  // namespace voltwell::registry::store
