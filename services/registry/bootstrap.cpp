#include "services/registry/bootstrap.h"

#include "absl/strings/ascii.h"
#include "libs/base/status.h"
#include "libs/crypto/crypto.h"
#include "libs/log/log.h"
#include "services/registry/store_people.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {
namespace {

constexpr absl::Duration kTryFor = absl::Seconds(2);  // Then the worker looks whether it shall stop.
constexpr absl::Duration kRetryEvery = absl::Milliseconds(200);

}  // namespace

void BootstrapConfig::Declare(config::Options& options) {
  options.Text("bootstrap-tenant", &tenant, "Id of the first tenant, made when absent; empty: none");
  options.Text("bootstrap-tenant-name", &tenant_name, "Its name as shown to people; empty: its id");
  options.Text("bootstrap-admin-user", &admin_user,
               "Name of the first administrator (of tenant and platform), made when absent");
  options.Text("bootstrap-admin-password", &admin_password, "His password; one that exists keeps his own",
               {.secret = true});
  options.Text("sql-directory", &sql_directory, "Directory of the migrations V001__*.sql", {.required = true});
}

Bootstrap::Bootstrap(BootstrapConfig config, pg::Config database, pg::Pool& pool, os::Clock& clock, os::Random& random)
    : config_(std::move(config)),
      database_(std::move(database)),
      pool_(pool),
      clock_(clock),
      random_(random),
      worker_("bootstrap", [this] { return Step(); }) {}

absl::Status Bootstrap::Ready() const {
  if (done_) return absl::OkStatus();
  return base::Unavailable("DATABASE_DOWN", "the database is not there yet, or is being migrated");
}

absl::Duration Bootstrap::Step() {
  if (done_) return absl::InfiniteDuration();
  absl::Status status = pg::Migrate(database_, config_.sql_directory, clock_, clock_.Now() + kTryFor);
  if (status.ok()) status = MakeFirst();
  if (status.ok()) {
    done_ = true;
    return absl::InfiniteDuration();
  }
  if (!told_)
    log::Warning("waiting for the database", {{"reason", base::ReasonOf(status)}, {"error", status.message()}});
  told_ = true;
  return kRetryEvery;
}

absl::Status Bootstrap::MakeFirst() {
  if (config_.tenant.empty()) return absl::OkStatus();
  const std::string login = absl::AsciiStrToLower(config_.admin_user);
  return pool_.Transact({.name = "bootstrap", .tenant = kAllTenants}, [&](pg::Tx& tx) -> absl::Status {
    const std::string& name = config_.tenant_name.empty() ? config_.tenant : config_.tenant_name;
    VW_RETURN_IF_ERROR(store::EnsureTenant(tx, config_.tenant, name));
    if (login.empty() || config_.admin_password.empty()) return absl::OkStatus();
    VW_ASSIGN_OR_RETURN(const std::optional<store::Person> known, store::FindPersonByLogin(tx, login));
    if (known.has_value()) return absl::OkStatus();
    log::Info("first administrator made", {{"user", login}, {"tenant", config_.tenant}});
    return store::EnsurePerson(tx, {.id = os::NewId(random_, absl::ToUnixMillis(clock_.Now())),
                                    .tenant = config_.tenant,
                                    .login = login,
                                    .display_name = config_.admin_user,
                                    .password_hash = crypto::HashPassword(config_.admin_password, random_),
                                    .permissions = {"*"}});
  });
}

}  // namespace voltwell::registry
