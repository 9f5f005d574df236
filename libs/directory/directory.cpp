#include "libs/directory/directory.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "nlohmann/json.hpp"

namespace voltwell::directory {
namespace {

absl::Status Bad(absl::string_view why) {
  return base::DataLoss("BAD_DIRECTORY_ENTRY", "a directory entry in Redis is not one that the registry signed",
                        {{"why", std::string(why)}});
}

// nlohmann throws on a wrong type; here a field that is absent or of another type keeps its default.
void Take(const nlohmann::json& json, const char* field, std::string& out) {
  if (const auto found = json.find(field); found != json.end() && found->is_string()) out = found->get<std::string>();
}
void Take(const nlohmann::json& json, const char* field, int& out) {
  if (const auto found = json.find(field); found != json.end() && found->is_number_integer()) out = found->get<int>();
}

}  // namespace

std::string Encode(const Entry& entry, const crypto::SigningKey& key) {
  const nlohmann::json json = {{"registration_id", entry.registration_id},
                               {"collector", entry.collector},
                               {"collector_id", entry.collector_id},
                               {"tenant", entry.tenant},
                               {"bus", entry.bus},
                               {"baud", entry.baud},
                               {"link_time_ms", entry.link_time_ms},
                               {"dialect", entry.dialect},
                               {"heartbeat_hex", entry.heartbeat_hex},
                               {"source_network", entry.source_network},
                               {"port", entry.port},
                               {"dial_target", entry.dial_target},
                               {"assurance", entry.assurance},
                               {"sealed_key", entry.sealed_key}};
  const std::string content = crypto::Base64Url(json.dump());
  return absl::StrCat(content, ".", crypto::Base64Url(key.Sign(content)));
}

absl::StatusOr<Entry> Decode(absl::string_view text, absl::string_view public_key) {
  const size_t dot = text.find('.');
  if (dot == absl::string_view::npos) return Bad("no signature");
  const absl::string_view content = text.substr(0, dot);
  const absl::StatusOr<std::string> signature = crypto::FromBase64Url(text.substr(dot + 1));
  if (!signature.ok() || !crypto::VerifyEd25519(public_key, content, *signature)) return Bad("signature");
  const absl::StatusOr<std::string> plain = crypto::FromBase64Url(content);
  if (!plain.ok()) return Bad("encoding");
  const nlohmann::json json = nlohmann::json::parse(*plain, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Bad("not JSON");
  Entry entry;
  Take(json, "registration_id", entry.registration_id);
  Take(json, "collector", entry.collector);
  Take(json, "collector_id", entry.collector_id);
  Take(json, "tenant", entry.tenant);
  Take(json, "bus", entry.bus);
  Take(json, "baud", entry.baud);
  Take(json, "link_time_ms", entry.link_time_ms);
  Take(json, "dialect", entry.dialect);
  Take(json, "heartbeat_hex", entry.heartbeat_hex);
  Take(json, "source_network", entry.source_network);
  Take(json, "port", entry.port);
  Take(json, "dial_target", entry.dial_target);
  Take(json, "assurance", entry.assurance);
  Take(json, "sealed_key", entry.sealed_key);
  if (entry.registration_id.empty() || entry.collector.empty() || entry.tenant.empty()) return Bad("field missing");
  return entry;
}

std::string SessionKey(absl::string_view collector_registration_id, int bus) {
  return absl::StrCat("session:{", collector_registration_id, "}:", bus);
}

std::string PrintableId(absl::string_view sent) {
  const bool printable =
      !sent.empty() && std::all_of(sent.begin(), sent.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (printable) return std::string(sent);
  return absl::StrCat("hex:", base::ToHex(base::AsBytes(sent)));
}

}  // namespace voltwell::directory
