#include "services/meter_scheduler/names.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"

namespace voltwell::scheduler {

absl::StatusOr<std::string> IdOf(absl::string_view collection, absl::string_view name, absl::string_view field) {
  absl::string_view id = name;
  const bool ours = absl::ConsumePrefix(&id, collection) && absl::ConsumePrefix(&id, "/");
  if (ours && !id.empty() && id.size() <= 64 && id.find('/') == absl::string_view::npos) return std::string(id);
  return base::InvalidArgument("BAD_NAME", absl::StrCat(field, " must be ", collection, "/{id}"),
                               {{"field", std::string(field)}, {"value", std::string(name.substr(0, 80))}});
}

absl::StatusOr<int64_t> NumberOf(absl::string_view collection, absl::string_view name, absl::string_view field) {
  VW_ASSIGN_OR_RETURN(const std::string id, IdOf(collection, name, field));
  int64_t number = 0;
  // What is no number was never a name of ours: it names nothing.
  if (!absl::SimpleAtoi(id, &number) || number <= 0) return int64_t{0};
  return number;
}

std::string NameOf(absl::string_view collection, absl::string_view id) { return absl::StrCat(collection, "/", id); }
std::string NameOf(absl::string_view collection, int64_t number) { return absl::StrCat(collection, "/", number); }

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp out;
  const int64_t nanos = absl::ToUnixNanos(time);
  const int64_t seconds = absl::ToUnixSeconds(time);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(nanos - seconds * 1'000'000'000));
  return out;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration out;
  const int64_t nanos = absl::ToInt64Nanoseconds(duration);
  out.set_seconds(nanos / 1'000'000'000);
  out.set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  return out;
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}
absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::StatusOr<int> PageSize(int asked, int fallback) {
  if (asked == 0) return fallback;
  if (asked > 0 && asked <= kPageSizeMax) return asked;
  return base::InvalidArgument("BAD_PAGE_SIZE", "page_size must be 0 to 1000", {{"limit", absl::StrCat(kPageSizeMax)}});
}

bool InScope(const rpc::Identity& identity, absl::string_view site_path) {
  if (identity.site_scope.empty()) return true;
  return std::any_of(identity.site_scope.begin(), identity.site_scope.end(),
                     [&](const std::string& scope) { return absl::StartsWith(site_path, scope); });
}

absl::Status CheckScope(const rpc::Identity& identity, absl::string_view site_path) {
  if (InScope(identity, site_path)) return absl::OkStatus();
  return base::PermissionDenied("OUT_OF_SCOPE", "it is at a site beyond your scope");
}

absl::Status CheckTenant(const rpc::Identity& identity) {
  if (!identity.tenant.empty()) return absl::OkStatus();
  return base::FailedPrecondition("NO_TENANT", "the caller acts for no tenant");
}

}  // namespace voltwell::scheduler
