#include "tools/field_sim/talk.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/base/bytes.h"
#include "libs/crypto/crypto.h"
#include "tools/field_sim/park_pattern.h"

namespace voltwell::field_sim {
namespace {

constexpr auto kTalks = std::to_array<Talk>({
    {.dialect = "transparent"},
    {.dialect = "transparent-echo", .heartbeat_echoed = true},
    {.dialect = "imei"},
    {.dialect = "iccid"},
    {.dialect = "phone"},
    {.dialect = "imei-report", .registration = "{id},ML302_V1.2,27\r\n"},
    {.dialect = "login", .registration = "LOGIN:{id}\r\n"},
    {.dialect = "login-ok",
     .registration = "LOGIN:{id}\r\n",
     .registration_answer = "OK\r\n",
     .heartbeat = "PING\r\n",
     .heartbeat_answer = "PONG\r\n"},
    {.dialect = "login-key",
     .registration = "LOGIN:{id}\r\n",
     .proves_key = true,
     .registration_answer = "OK\r\n",
     .heartbeat = "PING\r\n",
     .heartbeat_answer = "PONG\r\n"},
    {.dialect = "ctrl-prefix", .registration = "CTRL:&{id}!", .registration_each = true},
    {.dialect = "cloud-triple", .registration = "*388752#{id}#server*"},
    {.dialect = "id-heartbeat",
     .registration = "@{id}#",
     .registration_answer = "@{id}#",
     .heartbeat = "@{id}#",
     .heartbeat_echoed = true},
    {.dialect = "binary-id", .registration = "\x7B{id}\x7D"},
    {.dialect = "port-byte", .registration = "MPORT:{id}\r\n", .heartbeat = "HB\r\n", .ports = PortHeader::kByte},
    {.dialect = "port-length",
     .registration = "MPORT:{id}\r\n",
     .heartbeat = "HB\r\n",
     .ports = PortHeader::kByteAndLength},
});

std::string WithId(absl::string_view pattern, const std::string& id) {
  return absl::StrReplaceAll(pattern, {{"{id}", id}});
}

}  // namespace

const Talk* FindTalk(absl::string_view dialect) {
  const auto found =
      std::find_if(kTalks.begin(), kTalks.end(), [dialect](const Talk& talk) { return talk.dialect == dialect; });
  return found == kTalks.end() ? nullptr : &*found;
}

std::string IdBytes(absl::string_view id) {
  if (!absl::StartsWith(id, "hex:")) return std::string(id);
  const auto bytes = base::FromHex(id.substr(4));
  return bytes.ok() ? *bytes : std::string(id);
}

bool Speak(const ParkCollector& collector, ParkBus* bus) {
  const Talk* const talk = FindTalk(collector.dialect);
  if (talk == nullptr) return false;
  if (bus->registration_id.empty()) bus->registration_id = DefaultRegistration(collector.id, bus->number);
  bus->ports = talk->ports;
  const std::string id = IdBytes(talk->ports == PortHeader::kNone ? bus->registration_id : collector.id);
  if (bus->registration.empty()) bus->registration = WithId(talk->registration, id);
  bus->registration_each = talk->registration_each;
  bus->registration_answer = WithId(talk->registration_answer, id);
  bus->heartbeat = talk->heartbeat.empty() ? collector.heartbeat : WithId(talk->heartbeat, id);
  bus->heartbeat_answer = talk->heartbeat_echoed ? bus->heartbeat : WithId(talk->heartbeat_answer, id);
  return true;
}

std::string TakeChallenge(const ParkCollector& collector, const ParkBus& bus, std::string* bytes) {
  constexpr absl::string_view kBegin = "CHAL:";
  constexpr size_t kNonceDigits = 32;
  constexpr size_t kWhole = kBegin.size() + kNonceDigits + 2;  // And a line end.
  const size_t at = bytes->find(kBegin.data(), 0, kBegin.size());
  if (at == std::string::npos || bytes->size() - at < kWhole) return "";
  const std::string nonce = bytes->substr(at + kBegin.size(), kNonceDigits);
  bytes->erase(at, kWhole);
  if (collector.key.empty()) return "";
  const std::string text = absl::StrCat("VW1:", nonce, ":", IdBytes(bus.registration_id));
  return absl::StrCat("RESP:", base::ToHex(base::AsBytes(crypto::HmacSha256(collector.key, text))), "\r\n");
}

size_t RequestLength(Bytes bytes) {
  size_t at = 0;
  while (at < bytes.size() && bytes[at] == 0xFE) ++at;
  const Bytes frame = bytes.subspan(at);
  if (frame.empty()) return 0;
  if (frame[0] == 0x10) return at + 5;  // M-Bus, short.
  if (frame[0] != 0x68) return bytes.size();
  if (frame.size() < 8) return 0;
  if (frame[1] == frame[2] && frame[3] == 0x68) return at + frame[1] + 6;  // M-Bus, long.
  const bool dlt645 = frame[7] == 0x68;
  const size_t length_at = dlt645 ? 9 : 10;  // Else CJ/T 188.
  return frame.size() <= length_at ? 0 : at + length_at + 3 + frame[length_at];
}

std::string HeaderOf(PortHeader kind, int port, size_t size) {
  if (kind == PortHeader::kNone) return "";
  std::string header(1, static_cast<char>(port));
  if (kind == PortHeader::kByteAndLength) {
    header += static_cast<char>(size >> 8);
    header += static_cast<char>(size & 0xFF);
  }
  return header;
}

}  // namespace voltwell::field_sim
