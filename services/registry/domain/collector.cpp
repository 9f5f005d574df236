#include "services/registry/domain/collector.h"

#include <algorithm>
#include <array>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "services/registry/domain/names.h"

namespace voltwell::registry {
namespace {

constexpr size_t kRegistrationIdMax = 64;
constexpr size_t kDialectNameMax = 40;
constexpr std::array kBauds = {300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200};

absl::Status Bad(absl::string_view reason, const std::string& field, absl::string_view message) {
  return base::InvalidArgument(reason, message, {{"field", field}});
}

bool IsHexId(absl::string_view digits) {
  const auto hex = [](unsigned char c) { return absl::ascii_isdigit(c) || (c >= 'A' && c <= 'F'); };
  return digits.size() >= 2 && digits.size() <= 128 && digits.size() % 2 == 0 &&
         std::all_of(digits.begin(), digits.end(), hex);
}

bool IsPrintable(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// The same bytes have one spelling only (directory::PrintableId): gateways know a box by its bytes, so a second
// spelling would be a second owner of the same box.
absl::Status CheckRegistrationId(const std::string& id, const std::string& field) {
  if (absl::StartsWith(id, "hex:")) {
    const absl::string_view digits = absl::string_view(id).substr(4);
    if (!IsHexId(digits)) {
      return Bad("BAD_REGISTRATION_ID", field,
                 "after hex: there must be 2 to 128 digits of 0-9 A-F, two for each byte");
    }
    if (!IsPrintable(absl::HexStringToBytes(digits))) return absl::OkStatus();
    return Bad("BAD_REGISTRATION_ID", field, "these bytes are printable characters: write them as such, without hex:");
  }
  if (id.empty() || id.size() > kRegistrationIdMax || !IsPrintable(id)) {
    return Bad("BAD_REGISTRATION_ID", field,
               "must be 1 to 64 printable ASCII characters without spaces, or hex: and its bytes");
  }
  return absl::OkStatus();
}

// Digits only, no leading zero: others read 010 as 8, or not at all.
bool IsNumberUpTo(absl::string_view text, int max) {
  int value = 0;
  const auto digit = [](unsigned char c) { return absl::ascii_isdigit(c); };
  return !text.empty() && std::all_of(text.begin(), text.end(), digit) && (text.size() == 1 || text[0] != '0') &&
         absl::SimpleAtoi(text, &value) && value <= max;
}

// "10.8.0.0/16": four numbers, a slash, a prefix length.
bool IsNetwork(absl::string_view text) {
  const std::vector<absl::string_view> halves = absl::StrSplit(text, '/');
  if (halves.size() != 2) return false;
  const std::vector<absl::string_view> bytes = absl::StrSplit(halves[0], '.');
  return bytes.size() == 4 && IsNumberUpTo(halves[1], 32) &&
         std::all_of(bytes.begin(), bytes.end(), [](absl::string_view byte) { return IsNumberUpTo(byte, 255); });
}

// Which dialects there are is the gateways' to know: each is a file that they load.
bool IsDialectName(absl::string_view name) {
  const auto allowed = [](unsigned char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-'; };
  return !name.empty() && name.size() <= kDialectNameMax && std::all_of(name.begin(), name.end(), allowed);
}

// A name or an IPv4 address, or an IPv6 address in brackets. What it resolves to is the gateway's to judge.
bool IsHost(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) {
    if (!absl::ConsumeSuffix(&host, "]")) return false;
    const auto v6 = [](unsigned char c) { return absl::ascii_isxdigit(c) || c == ':' || c == '.'; };
    return host.find(':') != absl::string_view::npos && std::all_of(host.begin(), host.end(), v6);
  }
  const auto allowed = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-' || c == '.'; };
  return !host.empty() && host.size() <= kDialHostMax && host[0] != '-' && host[0] != '.' &&
         std::all_of(host.begin(), host.end(), allowed);
}

absl::Status CheckDialTarget(const Collector& collector) {
  const absl::string_view target = collector.dial_target;
  if (target.empty()) return absl::OkStatus();
  const size_t colon = target.rfind(':');
  const absl::string_view port = colon == absl::string_view::npos ? "" : target.substr(colon + 1);
  // Bus N is dialled at port + N - 1.
  if (colon == absl::string_view::npos || !IsHost(target.substr(0, colon)) || port == "0" ||
      !IsNumberUpTo(port, 65'535 - (kBusesMax - 1))) {
    return Bad("BAD_DIAL_TARGET", "dial_target", "must be host:port, the port 1 to 65520, or be empty");
  }
  return absl::OkStatus();
}

absl::Status CheckPorts(const std::vector<Bus>& buses) {
  std::set<int> ports;
  for (const Bus& bus : buses) {
    if ((bus.port == kNoPort) != (buses[0].port == kNoPort)) {
      return Bad("BAD_BUS", "buses.port", "either all buses of a collector have a port, or none");
    }
    if (bus.port == kNoPort) continue;
    if (bus.port < 0 || bus.port > kPortMax) return Bad("BAD_BUS", "buses.port", "a port is 0 to 255");
    if (!ports.insert(bus.port).second) return Bad("BAD_BUS", "buses.port", "two buses have the same port");
  }
  return absl::OkStatus();
}

absl::Status CheckBuses(const std::vector<Bus>& buses) {
  if (buses.empty() || buses.size() > kBusesMax) return Bad("BAD_BUS", "buses", "a collector has 1 to 16 buses");
  std::set<int> numbers;
  std::set<std::string> ids;
  for (const Bus& bus : buses) {
    if (bus.number < 1 || bus.number > kBusesMax)
      return Bad("BAD_BUS", "buses.number", "buses are numbered from 1 to 16");
    if (!numbers.insert(bus.number).second) return Bad("BAD_BUS", "buses.number", "two buses have the same number");
    VW_RETURN_IF_ERROR(CheckRegistrationId(bus.registration_id, "buses.registration_id"));
    if (!ids.insert(bus.registration_id).second) {
      return Bad("BAD_BUS", "buses.registration_id", "two buses have the same registration_id");
    }
    if (std::find(kBauds.begin(), kBauds.end(), bus.baud) == kBauds.end()) {
      return Bad("BAD_BUS", "buses.baud", "no usual speed of a serial line");
    }
    if (bus.link_time_ms < 1 || bus.link_time_ms > kLinkTimeMsMax) {
      return Bad("BAD_BUS", "buses.link_time_ms", "must be 1 to 30000 milliseconds");
    }
  }
  return CheckPorts(buses);
}

// What is demanded must be possible, or the box would stay out for ever.
absl::Status CheckAssurance(const Collector& collector) {
  switch (collector.assurance) {
    case Assurance::kId:
    case Assurance::kTlsCertificate:
      return absl::OkStatus();
    case Assurance::kNetwork:
      if (!collector.source_network.empty()) return absl::OkStatus();
      return Bad("ASSURANCE_NEEDS_NETWORK", "source_network", "this level of assurance needs a source_network");
    case Assurance::kKey:
    case Assurance::kTlsPsk:
      if (!collector.sealed_key.empty()) return absl::OkStatus();
      return Bad("ASSURANCE_NEEDS_KEY", "assurance", "this level of assurance needs a key");
    case Assurance::kUnspecified:
      break;
  }
  return Bad("BAD_ASSURANCE", "assurance", "no level of assurance");
}

}  // namespace

absl::StatusOr<std::string> KeyOfHex(absl::string_view digits) {
  absl::StatusOr<std::string> key = base::FromHex(digits);
  if (key.ok() && key->size() >= kCollectorKeyBytesMin && key->size() <= kCollectorKeyBytesMax) return key;
  return Bad("BAD_COLLECTOR_KEY", "key_hex", "a key is 16 to 64 bytes in hexadecimal");
}

absl::string_view WordOf(Assurance assurance) {
  switch (assurance) {
    case Assurance::kNetwork:
      return "network";
    case Assurance::kKey:
      return "key";
    case Assurance::kTlsPsk:
      return "tls-psk";
    case Assurance::kTlsCertificate:
      return "tls-certificate";
    case Assurance::kUnspecified:
    case Assurance::kId:
      break;
  }
  return "id";
}

Collector WithDefaults(Collector collector) {
  if (collector.dialect.empty()) collector.dialect = "transparent";
  if (collector.assurance == Assurance::kUnspecified) collector.assurance = Assurance::kId;
  collector.heartbeat_hex = absl::AsciiStrToUpper(collector.heartbeat_hex);
  for (Bus& bus : collector.buses) {
    if (bus.registration_id.empty()) {
      bus.registration_id =
          bus.number == 1 ? collector.registration_id : absl::StrCat(collector.registration_id, "/", bus.number);
    }
    if (bus.baud == 0) bus.baud = kDefaultBaud;
    if (bus.link_time_ms == 0) bus.link_time_ms = kDefaultLinkTimeMs;
  }
  std::sort(collector.buses.begin(), collector.buses.end(),
            [](const Bus& a, const Bus& b) { return a.number < b.number; });
  return collector;
}

absl::Status CheckCollector(const Collector& collector) {
  VW_RETURN_IF_ERROR(CheckRegistrationId(collector.registration_id, "registration_id"));
  VW_RETURN_IF_ERROR(CheckDisplayName(collector.display_name));
  if (!IsDialectName(collector.dialect)) {
    return Bad("UNKNOWN_DIALECT", "dialect", "a dialect's name is 1 to 40 of a-z, 0-9 and -");
  }
  const auto heartbeat = base::FromHex(collector.heartbeat_hex);
  if (!heartbeat.ok() || heartbeat->size() > kHeartbeatBytesMax) {
    return Bad("BAD_HEARTBEAT", "heartbeat_hex", "must be at most 64 bytes in hexadecimal");
  }
  if (!collector.source_network.empty() && !IsNetwork(collector.source_network)) {
    return Bad("BAD_NETWORK", "source_network", "must be written as 10.8.0.0/16, or be empty");
  }
  VW_RETURN_IF_ERROR(CheckDialTarget(collector));
  VW_RETURN_IF_ERROR(CheckAssurance(collector));
  return CheckBuses(collector.buses);
}

bool DialsElsewhere(const Collector& before, const Collector& after) {
  if (after.dial_target.empty()) return false;
  const auto ports = [](const Collector& collector) {
    std::set<std::pair<int, bool>> all;
    for (const Bus& bus : collector.buses) all.insert({bus.number, bus.port == kNoPort});
    return all;
  };
  return before.dial_target != after.dial_target || ports(before) != ports(after);
}

Presence Fold(const std::vector<Presence>& buses) {
  Presence all;
  for (const Presence& bus : buses) {
    const bool newer = bus.since.has_value() && (!all.since.has_value() || *bus.since > *all.since);
    if (bus.online == all.online ? newer : bus.online) all = bus;
  }
  return all;
}

}  // namespace voltwell::registry
