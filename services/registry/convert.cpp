#include "services/registry/convert.h"

#include <functional>
#include <map>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/util/time_util.h"
#include "libs/base/status.h"
#include "libs/crypto/crypto.h"
#include "services/registry/domain/names.h"

namespace voltwell::registry {
namespace {

// How each field that may be changed is taken over, by its path in the mask.
template <typename Message, typename Resource>
using Setters = std::map<std::string, std::function<absl::Status(const Message&, Resource&)>>;

template <typename Message, typename Resource>
absl::Status MergeBy(const Setters<Message, Resource>& setters, const Message& from,
                     const google::protobuf::FieldMask& mask, Resource& to) {
  if (mask.paths().empty()) {
    for (const auto& [path, set] : setters) VW_RETURN_IF_ERROR(set(from, to));
    return absl::OkStatus();
  }
  for (const std::string& path : mask.paths()) {
    const auto found = setters.find(path);
    if (found == setters.end()) {
      return base::InvalidArgument("BAD_UPDATE_MASK", "update_mask names a field that is unknown or cannot be changed",
                                   {{"field", path}});
    }
    VW_RETURN_IF_ERROR(found->second(from, to));
  }
  return absl::OkStatus();
}

absl::Status SetId(std::string& to, absl::string_view collection, absl::string_view name, absl::string_view field) {
  VW_ASSIGN_OR_RETURN(to, IdOf(collection, name, field));
  return absl::OkStatus();
}

std::vector<Bus> BusesOf(const v1::Collector& collector) {
  std::vector<Bus> buses;
  for (const v1::Bus& bus : collector.buses()) {
    buses.push_back({.number = bus.number(),
                     .registration_id = bus.registration_id(),
                     .baud = bus.baud(),
                     .link_time_ms = bus.link_time_ms(),
                     .port = bus.has_port() ? bus.port() : kNoPort});
  }
  return buses;
}

const Setters<v1::Site, Site>& SiteSetters() {
  static const Setters<v1::Site, Site> kSetters = {
      {"display_name",
       [](const v1::Site& from, Site& to) { return to.display_name = from.display_name(), absl::OkStatus(); }},
      {"kind", [](const v1::Site& from, Site& to) { return to.kind = from.kind(), absl::OkStatus(); }},
  };
  return kSetters;
}

const Setters<v1::Collector, Collector>& CollectorSetters() {
  using From = const v1::Collector&;
  static const Setters<v1::Collector, Collector> kSetters = {
      {"display_name",
       [](From from, Collector& to) { return to.display_name = from.display_name(), absl::OkStatus(); }},
      {"site", [](From from, Collector& to) { return SetId(to.site, "sites", from.site(), "site"); }},
      {"dialect", [](From from, Collector& to) { return to.dialect = from.dialect(), absl::OkStatus(); }},
      {"heartbeat_hex",
       [](From from, Collector& to) { return to.heartbeat_hex = from.heartbeat_hex(), absl::OkStatus(); }},
      {"buses", [](From from, Collector& to) { return to.buses = BusesOf(from), absl::OkStatus(); }},
      {"source_network",
       [](From from, Collector& to) { return to.source_network = from.source_network(), absl::OkStatus(); }},
      {"dial_target", [](From from, Collector& to) { return to.dial_target = from.dial_target(), absl::OkStatus(); }},
      {"key_hex", [](From from, Collector& to) { return to.new_key_hex = from.key_hex(), absl::OkStatus(); }},
      {"assurance",
       [](From from, Collector& to) {
         // Unspecified leaves it as it is: a client that knows no levels does not lower one.
         if (from.assurance() != 0) to.assurance = static_cast<Assurance>(from.assurance());
         return absl::OkStatus();
       }},
  };
  return kSetters;
}

const Setters<v1::Meter, Meter>& MeterSetters() {
  using From = const v1::Meter&;
  static const Setters<v1::Meter, Meter> kSetters = {
      {"display_name", [](From from, Meter& to) { return to.display_name = from.display_name(), absl::OkStatus(); }},
      {"kind", [](From from, Meter& to) { return to.kind = from.kind(), absl::OkStatus(); }},
      {"site", [](From from, Meter& to) { return SetId(to.site, "sites", from.site(), "site"); }},
      {"collector",
       [](From from, Meter& to) { return SetId(to.collector, "collectors", from.collector(), "collector"); }},
      {"bus", [](From from, Meter& to) { return to.bus = from.bus(), absl::OkStatus(); }},
      {"address", [](From from, Meter& to) { return to.address = from.address(), absl::OkStatus(); }},
      {"protocol", [](From from, Meter& to) { return to.protocol = from.protocol(), absl::OkStatus(); }},
      {"profile", [](From from, Meter& to) { return to.profile = from.profile(), absl::OkStatus(); }},
      {"ratio", [](From from, Meter& to) { return to.ratio = from.ratio().value(), absl::OkStatus(); }},
  };
  return kSetters;
}

}  // namespace

google::protobuf::Timestamp ToProto(absl::Time time) {
  return google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(time));
}

v1::Site ToProto(const Site& site) {
  v1::Site out;
  out.set_name(absl::StrCat("sites/", site.id));
  out.set_tenant(site.tenant);
  if (!site.parent.empty()) out.set_parent(absl::StrCat("sites/", site.parent));
  out.set_display_name(site.display_name);
  out.set_kind(static_cast<v1::Site::Kind>(site.kind));
  out.set_path(site.path);
  *out.mutable_create_time() = ToProto(site.created_at);
  return out;
}

v1::Collector ToProto(const Collector& collector) {
  v1::Collector out;
  out.set_name(absl::StrCat("collectors/", collector.id));
  out.set_tenant(collector.tenant);
  out.set_registration_id(collector.registration_id);
  out.set_display_name(collector.display_name);
  out.set_site(absl::StrCat("sites/", collector.site));
  out.set_site_path(collector.site_path);
  out.set_dialect(collector.dialect);
  out.set_heartbeat_hex(collector.heartbeat_hex);
  out.set_source_network(collector.source_network);
  out.set_dial_target(collector.dial_target);
  if (collector.key_set_at.has_value()) *out.mutable_key_set_time() = ToProto(*collector.key_set_at);
  out.set_assurance(static_cast<v1::Collector::Assurance>(collector.assurance));
  for (const Bus& bus : collector.buses) {
    v1::Bus& added = *out.add_buses();
    added.set_number(bus.number);
    added.set_registration_id(bus.registration_id);
    added.set_baud(bus.baud);
    added.set_link_time_ms(bus.link_time_ms);
    if (bus.port != kNoPort) added.set_port(bus.port);
  }
  v1::Presence& presence = *out.mutable_presence();
  presence.set_online(collector.presence.online);
  if (collector.presence.since.has_value()) *presence.mutable_since_time() = ToProto(*collector.presence.since);
  presence.set_pod(collector.presence.online ? collector.presence.pod : "");
  presence.set_reason(collector.presence.online ? "" : collector.presence.reason);
  *out.mutable_create_time() = ToProto(collector.created_at);
  return out;
}

v1::Meter ToProto(const Meter& meter) {
  v1::Meter out;
  out.set_name(absl::StrCat("meters/", meter.id));
  out.set_tenant(meter.tenant);
  out.set_display_name(meter.display_name);
  out.set_kind(static_cast<v1::Meter::Kind>(meter.kind));
  out.set_site(absl::StrCat("sites/", meter.site));
  out.set_site_path(meter.site_path);
  out.set_collector(absl::StrCat("collectors/", meter.collector));
  out.set_collector_registration_id(meter.collector_registration_id);
  out.set_bus(meter.bus);
  out.set_baud(meter.baud);
  out.set_address(meter.address);
  out.set_protocol(meter.protocol);
  out.set_profile(meter.profile);
  out.mutable_ratio()->set_value(meter.ratio);
  out.set_revision(meter.revision);
  *out.mutable_create_time() = ToProto(meter.created_at);
  out.set_archived(meter.archived);
  return out;
}

absl::StatusOr<Site> NewSite(const v1::Site& site) {
  Site out;
  if (!site.parent().empty()) VW_RETURN_IF_ERROR(SetId(out.parent, "sites", site.parent(), "parent"));
  VW_RETURN_IF_ERROR(Merge(site, {}, out));
  return out;
}

absl::StatusOr<Collector> NewCollector(const v1::Collector& collector) {
  Collector out;
  out.registration_id = collector.registration_id();
  VW_RETURN_IF_ERROR(Merge(collector, {}, out));
  return out;
}

absl::StatusOr<Meter> NewMeter(const v1::Meter& meter) {
  Meter out;
  VW_RETURN_IF_ERROR(Merge(meter, {}, out));
  return out;
}

absl::Status Merge(const v1::Site& from, const google::protobuf::FieldMask& mask, Site& to) {
  return MergeBy(SiteSetters(), from, mask, to);
}
absl::Status Merge(const v1::Collector& from, const google::protobuf::FieldMask& mask, Collector& to) {
  VW_RETURN_IF_ERROR(MergeBy(CollectorSetters(), from, mask, to));
  // It is never read back, so that whoever writes all fields does not have it: only its name in the mask takes it away.
  if (mask.paths().empty() && from.key_hex().empty()) to.new_key_hex.reset();
  return absl::OkStatus();
}
absl::Status Merge(const v1::Meter& from, const google::protobuf::FieldMask& mask, Meter& to) {
  return MergeBy(MeterSetters(), from, mask, to);
}

std::string EncodePageToken(const PageToken& token) {
  return crypto::Base64Url(
      absl::StrCat("1|", token.after, "|", token.cursor.generation, "|", token.cursor.xid, "|", token.cursor.sequence));
}

absl::StatusOr<PageToken> DecodePageToken(absl::string_view text) {
  PageToken token;
  if (text.empty()) return token;
  const auto plain = crypto::FromBase64Url(text);
  const std::vector<std::string> parts = plain.ok() ? absl::StrSplit(*plain, '|') : std::vector<std::string>();
  if (parts.size() != 5 || parts[0] != "1" || !absl::SimpleAtoi(parts[2], &token.cursor.generation) ||
      !absl::SimpleAtoi(parts[3], &token.cursor.xid) || !absl::SimpleAtoi(parts[4], &token.cursor.sequence)) {
    return base::InvalidArgument("BAD_PAGE_TOKEN", "page_token is not one that a list answered",
                                 {{"field", "page_token"}});
  }
  token.after = parts[1];
  return token;
}

}  // namespace voltwell::registry
