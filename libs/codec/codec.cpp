// Checks what is common to all protocols and hands over to the one asked for; see codec.h.
#include "libs/codec/codec.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/codec/cjt188/frame.h"
#include "libs/codec/cjt188_commands.h"
#include "libs/codec/dlt645/address.h"
#include "libs/codec/dlt645_commands.h"
#include "libs/codec/mbus/address.h"
#include "libs/codec/mbus_commands.h"

namespace voltwell::codec {
namespace {

// What a protocol's adapter can do: one row a protocol.
struct Adapter {
  Protocol protocol;
  absl::StatusOr<ExchangeGroup> (*encode)(const Command&, const Profile&);
  Decoded (*decode)(const Answer&, const Profile&);
  ExplainedBytes (*explain)(base::ByteView, const ExplainOptions&);
  std::vector<RegisterInfo> (*registers)();
  std::optional<RegisterInfo> (*find)(absl::string_view);  // Null: the list's patterns tell.
};

constexpr Adapter kAdapters[] = {
    {Protocol::kDlt645_2007, EncodeDlt645, DecodeDlt645, ExplainDlt645, ListDlt645Registers, FindDlt645Register},
    {Protocol::kDlt645_1997, EncodeDlt645, DecodeDlt645, ExplainDlt645, ListDlt645Registers1997,
     FindDlt645Register1997},
    {Protocol::kCjt188, EncodeCjt188, DecodeCjt188, ExplainCjt188, ListCjt188Registers, nullptr},
    {Protocol::kMbus, EncodeMbus, DecodeMbus, ExplainMbus, ListMbusRegisters, FindMbusRegister},
};

absl::Status NotSupported(Protocol protocol) {
  return base::InvalidArgument("PROTOCOL_NOT_SUPPORTED", "this build does not speak the protocol",
                               {{"protocol", absl::StrCat(static_cast<int>(protocol))}});
}

const Adapter* FindAdapter(Protocol protocol) {
  for (const Adapter& adapter : kAdapters) {
    if (adapter.protocol == protocol) return &adapter;
  }
  return nullptr;
}

// What every meter that hears it would obey: a relay, money, keys, a counter set to zero, a name that all of them take.
bool IsForOneMeter(const Command& command) {
  const auto& action = command.action;
  return std::holds_alternative<ControlRelay>(action) || std::holds_alternative<Prepay>(action) ||
         std::holds_alternative<Secure>(action) || std::holds_alternative<Clear>(action) ||
         std::holds_alternative<WriteRegister>(action) || std::holds_alternative<ChangePassword>(action) ||
         std::holds_alternative<ChangeBaud>(action) || std::holds_alternative<WriteAddress>(action) ||
         std::holds_alternative<Reset>(action);
}

constexpr uint8_t kBroadcastByte = 0x99;

bool IsBroadcastByte(uint8_t byte) { return byte == kBroadcastByte; }

// Wildcards FH in the id, FFH in manufacturer, version and medium; 8 digits leave those out and mean the id alone.
bool MeansSeveralMbus(const std::string& text) {
  const auto address = mbus::ParseMeterAddress(text);
  if (!address.ok() || !address->is_secondary) return false;
  for (int shift = 0; shift < 32; shift += 4) {
    if ((address->secondary.id >> shift & 0xF) == 0xF) return true;
  }
  constexpr size_t kIdDigits = 8;
  if (text.size() == kIdDigits) return false;
  const mbus::SecondaryAddress& rest = address->secondary;
  return (rest.manufacturer & 0xFF) == 0xFF || rest.manufacturer >> 8 == 0xFF || rest.version == 0xFF ||
         rest.medium == 0xFF;
}

// Whether several meters of a bus may take the address for theirs. Of an address that is none the adapter tells.
bool MeansSeveral(const Command& command, const Profile& profile) {
  if (command.protocol == Protocol::kMbus) return MeansSeveralMbus(command.address);
  if (command.protocol == Protocol::kCjt188) {
    const auto address = cjt188::ParseAddress(command.address, static_cast<uint8_t>(profile.meter_type));
    return address.ok() && (cjt188::IsWildcard(address->type) ||
                            std::any_of(address->wire.begin(), address->wire.end(), cjt188::IsWildcard) ||
                            std::all_of(address->wire.begin(), address->wire.end(), IsBroadcastByte));
  }
  const auto address = dlt645::ParseAddress(command.address);
  return address.ok() && (std::count(address->wire.begin(), address->wire.end(), dlt645::kAddressWildcard) > 0 ||
                          std::all_of(address->wire.begin(), address->wire.end(), IsBroadcastByte));
}

// The standards' way to name a meter whose address nobody knows: it is alone on its line, and all of the address is AA
// (M-Bus: p254, which is no wildcard here). Any other wildcard may mean several of the same line.
bool NamesTheOnlyOne(const Command& command, const Profile& profile) {
  if (!std::holds_alternative<WriteAddress>(command.action)) return false;
  const auto is_any = [](uint8_t byte) { return byte == dlt645::kAddressWildcard; };
  if (command.protocol == Protocol::kMbus) return false;
  if (command.protocol == Protocol::kCjt188) {
    const auto address = cjt188::ParseAddress(command.address, static_cast<uint8_t>(profile.meter_type));
    return address.ok() && std::all_of(address->wire.begin(), address->wire.end(), is_any);
  }
  const auto address = dlt645::ParseAddress(command.address);
  return address.ok() && std::all_of(address->wire.begin(), address->wire.end(), is_any);
}

absl::Status CheckOneMeter(const Command& command, const Profile& profile) {
  if (!IsForOneMeter(command) || !MeansSeveral(command, profile) || NamesTheOnlyOne(command, profile)) {
    return absl::OkStatus();
  }
  return base::InvalidArgument("BAD_METER_ADDRESS", "the command is for one meter only: no wildcards, no broadcast",
                               {{"address", command.address.substr(0, 32)}, {"position", "0"}});
}

// Whether the id is the pattern with digits in place of {t}, {n}, ...
bool IsOfPattern(absl::string_view pattern, absl::string_view id) {
  while (!pattern.empty()) {
    if (pattern[0] != '{') {
      if (id.empty() || id[0] != pattern[0]) return false;
      pattern.remove_prefix(1);
      id.remove_prefix(1);
      continue;
    }
    pattern.remove_prefix(std::min(pattern.find('}'), pattern.size() - 1) + 1);
    const size_t digits = std::min(id.find_first_not_of("0123456789"), id.size());
    if (digits == 0) return false;
    id.remove_prefix(digits);
  }
  return id.empty();
}

}  // namespace

absl::StatusOr<ExchangeGroup> Encode(const Command& command, const ProfileBook& profiles) {
  const Adapter* const adapter = FindAdapter(command.protocol);
  if (adapter == nullptr) return NotSupported(command.protocol);
  VW_ASSIGN_OR_RETURN(const Profile* const profile, FindProfile(profiles, command.profile, command.protocol));
  VW_RETURN_IF_ERROR(CheckOneMeter(command, *profile));
  return adapter->encode(command, *profile);
}

Decoded Decode(const Answer& answer, const ProfileBook& profiles) {
  const Adapter* const adapter = FindAdapter(answer.command.protocol);
  Decoded decoded;
  if (adapter == nullptr) {
    decoded.error = NotSupported(answer.command.protocol);
    return decoded;
  }
  const auto profile = FindProfile(profiles, answer.command.profile, answer.command.protocol);
  if (!profile.ok()) {
    decoded.error = profile.status();
    return decoded;
  }
  decoded = adapter->decode(answer, **profile);
  // What goes on the bus next goes to one meter, too.
  if (!decoded.continuation.has_value()) return decoded;
  if (absl::Status several = CheckOneMeter(answer.command, **profile); !several.ok()) {
    decoded.continuation.reset();
    decoded.error = std::move(several);
  }
  return decoded;
}

absl::Status CheckBatch(size_t size) {
  if (size <= kBatchMax) return absl::OkStatus();
  return base::InvalidArgument("BATCH_TOO_LARGE", "a batch holds at most 512 items",
                               {{"size", absl::StrCat(size)}, {"limit", absl::StrCat(kBatchMax)}});
}

absl::StatusOr<ExplainedBytes> Explain(base::ByteView bytes, const ExplainOptions& options) {
  if (bytes.size() > kExplainMax) {
    return base::InvalidArgument("FRAME_TOO_LONG", "at most 4096 bytes are explained at once",
                                 {{"size", absl::StrCat(bytes.size())}, {"limit", absl::StrCat(kExplainMax)}});
  }
  ExplainOptions known = options;
  if (known.protocol == Protocol::kUnspecified) known.protocol = GuessProtocol(bytes);
  const Adapter* const adapter = FindAdapter(known.protocol);
  if (adapter == nullptr) return NotSupported(known.protocol);
  return adapter->explain(bytes, known);
}

std::vector<Protocol> ListProtocols() {
  std::vector<Protocol> protocols;
  for (const Adapter& adapter : kAdapters) protocols.push_back(adapter.protocol);
  return protocols;
}

absl::StatusOr<std::vector<RegisterInfo>> ListRegisters(Protocol protocol) {
  const Adapter* const adapter = FindAdapter(protocol);
  if (adapter == nullptr) return NotSupported(protocol);
  return adapter->registers();
}

absl::StatusOr<RegisterInfo> FindRegister(Protocol protocol, absl::string_view reg) {
  const Adapter* const adapter = FindAdapter(protocol);
  if (adapter == nullptr) return NotSupported(protocol);
  if (adapter->find != nullptr) {
    if (auto found = adapter->find(reg)) return *std::move(found);
  } else {
    for (RegisterInfo& row : adapter->registers()) {
      if (!IsOfPattern(row.reg, reg)) continue;
      row.reg = std::string(reg);
      return std::move(row);
    }
  }
  return base::InvalidArgument("UNKNOWN_REGISTER", absl::StrCat("no register has the id ", reg),
                               {{"register", std::string(reg)}, {"position", "0"}});
}

}  // namespace voltwell::codec
