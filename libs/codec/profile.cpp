// Reading profile files; see profile.h. The keys are a table: a new one is a row here and a line in
// deploy/profiles/README.md.
#include "libs/codec/profile.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/codec/cjt188/frame.h"
#include "libs/codec/cjt188/register_table.h"
#include "libs/codec/dlt645/register_table.h"
#include "libs/codec/mbus/obis.h"

namespace voltwell::codec {
namespace {

// Longest raw field that may be a sentinel, and longest user data of a valve.
constexpr size_t kBytesMax = 64;
constexpr size_t kNameMax = 64;  // As registry's profile names.

// Takes the value of a line; an empty view when all is well, else what was expected.
using Take = absl::string_view (*)(absl::string_view value, Profile& profile);

bool TakeBool(absl::string_view text, bool& out) {
  out = text == "yes";
  return out || text == "no";
}

template <typename Number>
bool TakeNumber(absl::string_view text, int64_t low, int64_t high, Number& out) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < low || number > high) return false;
  out = static_cast<Number>(number);
  return true;
}

template <typename Number>
bool TakeHexNumber(absl::string_view text, size_t digits, Number& out) {
  uint32_t number = 0;
  if (text.size() != digits || !absl::SimpleHexAtoi(text, &number)) return false;
  out = static_cast<Number>(number);
  return true;
}

bool TakeBytes(absl::string_view text, size_t low, size_t high, std::string& out) {
  const auto bytes = base::FromHex(text);
  if (!bytes.ok() || bytes->size() < low || bytes->size() > high) return false;
  out = *bytes;
  return true;
}

constexpr absl::string_view kBoolWanted = "yes or no";
constexpr absl::string_view kMaskWanted = "four hexadecimal digits";
constexpr absl::string_view kUserDataWanted = "1 to 64 bytes in hexadecimal";

absl::string_view TakeName(absl::string_view value, Profile& profile) {
  const bool good = !value.empty() && value.size() <= kNameMax && std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
  });
  profile.name = std::string(value);
  return good ? "" : "1 to 64 letters, digits, _ - .";
}

absl::string_view TakeProtocol(absl::string_view value, Profile& profile) {
  constexpr std::pair<absl::string_view, Protocol> kNames[] = {{"DLT645_2007", Protocol::kDlt645_2007},
                                                               {"DLT645_1997", Protocol::kDlt645_1997},
                                                               {"CJT188", Protocol::kCjt188},
                                                               {"MBUS", Protocol::kMbus}};
  for (const auto& [name, protocol] : kNames) {
    if (value == name) profile.protocol = protocol;
  }
  return profile.protocol == Protocol::kUnspecified ? "DLT645_2007, DLT645_1997, CJT188 or MBUS" : "";
}

absl::string_view TakeTurnaround(absl::string_view value, Profile& profile) {
  const bool good = absl::ParseDuration(std::string(value), &profile.turnaround) &&
                    profile.turnaround >= absl::Milliseconds(20) && profile.turnaround <= absl::Seconds(30);
  return good ? "" : "20ms to 30s";
}

absl::string_view TakeSentinel(absl::string_view value, Profile& profile) {
  if (profile.sentinels.size() >= kProfileListMax) return "at most 256 of them";
  return TakeBytes(value, 1, kBytesMax, profile.sentinels.emplace_back()) ? "" : kUserDataWanted;
}

// `<obis> length 4 scale 3 signed yes unit kWh identifier 00010000`, any of them.
absl::string_view TakeRegister(absl::string_view value, Profile& profile) {
  if (profile.registers.size() >= kProfileListMax) return "at most 256 of them";
  const std::vector<std::string> words = absl::StrSplit(value, ' ', absl::SkipEmpty());
  if (words.size() < 3 || words.size() % 2 == 0) return "a register id and pairs of what differs and how";
  RegisterOverride& differs = profile.registers[words[0]];
  for (size_t i = 1; i < words.size(); i += 2) {
    const std::string& how = words[i + 1];
    if (words[i] == "length") {
      if (!TakeNumber(how, 1, 200, differs.length)) return "length 1 to 200";
    } else if (words[i] == "scale") {
      if (!TakeNumber(how, 0, decimal::kScaleMax, differs.scale)) return "scale 0 to 18";
    } else if (words[i] == "signed") {
      bool is_signed = false;
      if (!TakeBool(how, is_signed)) return "signed yes or no";
      differs.is_signed = is_signed ? 1 : 0;
    } else if (words[i] == "unit") {
      differs.unit = how;
    } else if (words[i] == "identifier") {
      std::string bytes;
      if (!TakeBytes(how, 1, 8, bytes)) return "identifier in hexadecimal";
      differs.data_identifier = absl::AsciiStrToUpper(how);
    } else {
      return "length, scale, signed, unit or identifier";
    }
  }
  return "";
}

absl::string_view TakeSecureIdentifiers(absl::string_view value, Profile& profile) {
  for (const absl::string_view text : absl::StrSplit(value, ' ', absl::SkipEmpty())) {
    uint32_t di = 0;
    if (!TakeHexNumber(text, 8, di)) return "identifiers of eight hexadecimal digits";
    if (di >> 16 == kMoneyIdentifiers) return "none of 0701xxxx, which move money";
    if (profile.secure_identifiers.size() >= kProfileListMax) return "at most 256 of them";
    profile.secure_identifiers.push_back(di);
  }
  return profile.secure_identifiers.empty() ? "at least one identifier" : "";
}

constexpr absl::string_view kStatusLayoutWanted =
    "fields remaining, number, accumulated, last, customer, sign with .bin1 to .bcd8, skip1 to skip64, or none";

bool GoodStatusField(absl::string_view field) {
  int size = 0;
  if (absl::ConsumePrefix(&field, "skip")) return TakeNumber(field, 1, 64, size);
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(field, absl::MaxSplits('.', 1));
  constexpr absl::string_view kFields[] = {"remaining", "number", "accumulated", "last", "customer", "sign"};
  if (std::find(std::begin(kFields), std::end(kFields), parts.first) == std::end(kFields)) return false;
  absl::string_view code = parts.second;
  return (absl::ConsumePrefix(&code, "bin") || absl::ConsumePrefix(&code, "bcd")) && TakeNumber(code, 1, 8, size);
}

absl::string_view TakeStatusLayout(absl::string_view value, Profile& profile) {
  profile.prepay.status_layout = std::string(value);
  if (value == "none") return "";
  bool good = !value.empty();
  for (const absl::string_view field : absl::StrSplit(value, ' ', absl::SkipEmpty())) {
    good = good && GoodStatusField(field);
  }
  return good ? "" : kStatusLayoutWanted;
}

// User data of SND_UD: a CI that sends something to a meter (51, 55, 5A, 5B: records, of DIF and VIF at least; A0 to
// B7: the maker's own).
absl::string_view TakeValveData(absl::string_view value, std::string& out) {
  if (!TakeBytes(value, 1, kBytesMax, out)) return kUserDataWanted;
  const auto ci = static_cast<uint8_t>(out[0]);
  const bool makers_own = ci >= 0xA0 && ci <= 0xB7;
  const bool records = ci == 0x51 || ci == 0x55 || ci == 0x5A || ci == 0x5B;
  constexpr size_t kRecordMin = 3;
  return makers_own || (records && out.size() >= kRecordMin) ? "" : "CI 51, 55, 5A or 5B with a record, or A0 to B7";
}

// The protocols that heed a key, a bit each: for the others it is a mistake, since nothing would come of it.
constexpr unsigned Bit(Protocol protocol) { return 1U << static_cast<unsigned>(protocol); }
constexpr unsigned kOf2007 = Bit(Protocol::kDlt645_2007);
constexpr unsigned kDlt645 = kOf2007 | Bit(Protocol::kDlt645_1997);
constexpr unsigned kOfCjt188 = Bit(Protocol::kCjt188);
constexpr unsigned kOfMbus = Bit(Protocol::kMbus);
constexpr unsigned kEveryProtocol = kDlt645 | kOfCjt188 | kOfMbus;

struct Key {
  absl::string_view name;
  unsigned protocols;
  Take take;
};

constexpr Key kKeys[] = {
    {"name", kEveryProtocol, TakeName},
    {"protocol", kEveryProtocol, TakeProtocol},
    {"turnaround", kEveryProtocol, TakeTurnaround},
    {"sentinel", kEveryProtocol, TakeSentinel},
    {"register", kEveryProtocol, TakeRegister},
    {"single_reads", kDlt645, [](auto v, auto& p) { return TakeBool(v, p.single_reads) ? "" : kBoolWanted; }},
    {"preambles", kEveryProtocol,
     [](auto v, auto& p) -> absl::string_view { return TakeNumber(v, 0, 20, p.preambles) ? "" : "0 to 20"; }},
    {"hand_on_button", kOf2007 | kOfCjt188,
     [](auto v, auto& p) { return TakeBool(v, p.hand_on_button) ? "" : kBoolWanted; }},
    {"operator_code", kOf2007,
     [](auto v, auto& p) -> absl::string_view { return TakeBytes(v, 4, 4, p.operator_code) ? "" : "four bytes"; }},
    {"secure_identifiers", kOf2007, TakeSecureIdentifiers},
    {"relay_channel", kOf2007,
     [](auto v, auto& p) -> absl::string_view { return TakeNumber(v, 0, 255, p.relay_channel) ? "" : "0 to 255"; }},
    {"identifier_low_first", kOfCjt188,
     [](auto v, auto& p) { return TakeBool(v, p.identifier_low_first) ? "" : kBoolWanted; }},
    {"check_sequence", kOfCjt188, [](auto v, auto& p) { return TakeBool(v, p.check_sequence) ? "" : kBoolWanted; }},
    {"volume_decimals", kOfCjt188,
     [](auto v, auto& p) -> absl::string_view { return TakeNumber(v, 0, 6, p.volume_decimals) ? "" : "0 to 6"; }},
    {"meter_type", kOfCjt188,
     [](auto v, auto& p) -> absl::string_view { return TakeHexNumber(v, 2, p.meter_type) ? "" : "two hex digits"; }},
    {"valve_by_query", kOfCjt188, [](auto v, auto& p) { return TakeBool(v, p.valve_by_query) ? "" : kBoolWanted; }},
    {"status.valve_mask", kOfCjt188,
     [](auto v, auto& p) { return TakeHexNumber(v, 4, p.status.valve_mask) ? "" : kMaskWanted; }},
    {"status.valve_open", kOfCjt188,
     [](auto v, auto& p) { return TakeHexNumber(v, 4, p.status.valve_open) ? "" : kMaskWanted; }},
    {"status.valve_closed", kOfCjt188,
     [](auto v, auto& p) { return TakeHexNumber(v, 4, p.status.valve_closed) ? "" : kMaskWanted; }},
    {"status.valve_fault", kOfCjt188,
     [](auto v, auto& p) { return TakeHexNumber(v, 4, p.status.valve_fault) ? "" : kMaskWanted; }},
    {"status.battery_low", kOfCjt188,
     [](auto v, auto& p) { return TakeHexNumber(v, 4, p.status.battery_low) ? "" : kMaskWanted; }},
    {"uses_fcb", kOfMbus, [](auto v, auto& p) { return TakeBool(v, p.uses_fcb) ? "" : kBoolWanted; }},
    {"reset_before_read", kOfMbus, [](auto v, auto& p) { return TakeBool(v, p.reset_before_read) ? "" : kBoolWanted; }},
    {"valve_open", kOfMbus, [](auto v, auto& p) { return TakeValveData(v, p.valve_open); }},
    {"valve_close", kOfMbus, [](auto v, auto& p) { return TakeValveData(v, p.valve_close); }},
    {"prepay.order_number", kOf2007,
     [](auto v, auto& p) { return TakeBool(v, p.prepay.order_number) ? "" : kBoolWanted; }},
    {"prepay.zero_macs", kOf2007, [](auto v, auto& p) { return TakeBool(v, p.prepay.zero_macs) ? "" : kBoolWanted; }},
    {"prepay.without_customer", kOf2007,
     [](auto v, auto& p) { return TakeBool(v, p.prepay.without_customer) ? "" : kBoolWanted; }},
    {"prepay.address_as_customer", kOf2007,
     [](auto v, auto& p) { return TakeBool(v, p.prepay.address_as_customer) ? "" : kBoolWanted; }},
    {"prepay.number_bcd", kOfCjt188,
     [](auto v, auto& p) { return TakeBool(v, p.prepay.number_bcd) ? "" : kBoolWanted; }},
    {"prepay.energy", kOf2007, [](auto v, auto& p) { return TakeBool(v, p.prepay.energy) ? "" : kBoolWanted; }},
    {"prepay.status_layout", kOf2007, TakeStatusLayout},
};

// `password_level.relay 04`, `relay_code.open 4A`.
absl::string_view TakeByAction(absl::string_view action, std::span<const absl::string_view> actions,
                               absl::string_view value, std::map<std::string, int32_t>& out) {
  if (std::find(actions.begin(), actions.end(), action) == actions.end())
    return "the name of an action after the point";
  return TakeHexNumber(value, 2, out[std::string(action)]) ? "" : "two hexadecimal digits";
}

absl::string_view TakeLine(absl::string_view key, absl::string_view value, Profile& profile) {
  absl::string_view action = key;
  if (absl::ConsumePrefix(&action, "password_level.")) {
    const absl::string_view wanted = TakeByAction(action, kPasswordActions, value, profile.password_levels);
    if (!wanted.empty()) return wanted;
    const int32_t level = profile.password_levels[std::string(action)];
    return level <= 9 || level == 0x98 || level == 0x99 ? "" : "00 to 09, 98 or 99";
  }
  if (absl::ConsumePrefix(&action, "relay_code."))
    return TakeByAction(action, kRelayActions, value, profile.relay_codes);
  const auto* const known =
      std::find_if(std::begin(kKeys), std::end(kKeys), [key](const Key& row) { return row.name == key; });
  return known == std::end(kKeys) ? "a key of deploy/profiles/README.md" : known->take(value, profile);
}

unsigned ProtocolsOf(absl::string_view key) {
  if (absl::StartsWith(key, "password_level.")) return kDlt645;
  if (absl::StartsWith(key, "relay_code.")) return kOf2007 | kOfCjt188;
  const auto* const known =
      std::find_if(std::begin(kKeys), std::end(kKeys), [key](const Key& row) { return row.name == key; });
  return known == std::end(kKeys) ? 0 : known->protocols;
}

// A line of the file that was taken.
struct Line {
  absl::string_view key = "";
  int number = 0;
};

// A key and what is wrong with it beside the others; an empty `why`: nothing.
struct Contradiction {
  std::string key = {};
  absl::string_view why = "";
};

// Codes of relay and valve as the standards have them; zero: there is no such action. As kRelayActions.
struct StandardCodes {
  int32_t dlt645;
  int32_t cjt188;
};
constexpr StandardCodes kStandardCodes[] = {{0x1A, 0x99}, {0x1B, 0x55}, {0x1C, 0x55}, {0x2A, 0}, {0x2B, 0},
                                            {0x3A, 0},    {0x3B, 0},    {0x1D, 0},    {0x1E, 0}};
static_assert(std::size(kStandardCodes) == std::size(kRelayActions));

// A code that is (also) that of another action would close a relay where it was to be opened. CJ/T 188 has one code for
// both ways to let the water flow.
Contradiction InRelayCodes(const Profile& profile) {
  const bool is_cjt188 = profile.protocol == Protocol::kCjt188;
  const auto standard = [is_cjt188](size_t i) {
    return is_cjt188 ? kStandardCodes[i].cjt188 : kStandardCodes[i].dlt645;
  };
  const auto of = [&profile](size_t i) { return profile.relay_codes.find(std::string(kRelayActions[i])); };
  const auto lets_flow = [](size_t i) { return kRelayActions[i] == "close" || kRelayActions[i] == "permit_close"; };
  for (size_t i = 0; i < std::size(kRelayActions); ++i) {
    const auto own = of(i);
    if (own == profile.relay_codes.end()) continue;
    const std::string key = absl::StrCat("relay_code.", kRelayActions[i]);
    if (standard(i) == 0) return {key, "a valve has no such action"};
    for (size_t other = 0; other < std::size(kRelayActions); ++other) {
      if (other == i || (is_cjt188 && lets_flow(i) && lets_flow(other))) continue;
      const auto others = of(other);
      if (own->second == standard(other) || (others != profile.relay_codes.end() && own->second == others->second)) {
        return {key, "is the code of another action"};
      }
    }
  }
  return {};
}

Contradiction InValve(const Profile& profile, absl::Span<const Line> lines) {
  const StatusBits& bits = profile.status;
  const auto outside = [&bits](uint16_t state) { return (state & ~bits.valve_mask) != 0; };
  constexpr absl::string_view kOutside = "has bits outside status.valve_mask";
  if (outside(bits.valve_open)) return {"status.valve_open", kOutside};
  if (outside(bits.valve_closed)) return {"status.valve_closed", kOutside};
  if (bits.valve_open == bits.valve_closed) return {"status.valve_closed", "is the same as status.valve_open"};
  const bool says_fault =
      std::any_of(lines.begin(), lines.end(), [](const Line& line) { return line.key == "status.valve_fault"; });
  if (says_fault && outside(bits.valve_fault)) return {"status.valve_fault", kOutside};
  if (says_fault && (bits.valve_fault == bits.valve_open || bits.valve_fault == bits.valve_closed)) {
    return {"status.valve_fault", "is the same as another state"};
  }
  if (!profile.hand_on_button) return {};
  const auto permit = profile.relay_codes.find("permit_close");
  const auto close = profile.relay_codes.find("close");
  constexpr int32_t kForcesOpen = 0x55;
  const int32_t closes = close == profile.relay_codes.end() ? kForcesOpen : close->second;
  if (permit != profile.relay_codes.end() && permit->second != closes && permit->second != kForcesOpen) return {};
  return {"hand_on_button", "wants a relay_code.permit_close that does not force the valve open"};
}

// Keys that cannot be meant together.
Contradiction FindContradiction(const Profile& profile, absl::Span<const Line> lines) {
  for (const Line& line : lines) {
    if ((ProtocolsOf(line.key) & Bit(profile.protocol)) == 0) {
      return {std::string(line.key), "means nothing for this protocol"};
    }
  }
  if (Contradiction codes = InRelayCodes(profile); !codes.why.empty()) return codes;
  if (profile.protocol == Protocol::kCjt188) return InValve(profile, lines);
  if (!profile.valve_open.empty() && profile.valve_open == profile.valve_close) {
    return {"valve_close", "is the same as valve_open"};
  }
  if (profile.prepay.without_customer && profile.prepay.address_as_customer) {
    return {"prepay.address_as_customer", "there is no customer number (prepay.without_customer)"};
  }
  return {};
}

// The id under which the protocol looks an override up; "" with what was expected where there is no such register of
// one value.
struct KnownId {
  std::string id = {};
  absl::string_view wanted = "";
};
constexpr absl::string_view kIdWanted = "the id of a register of this protocol";

KnownId DltId(dlt645::Edition edition, const std::string& id) {
  const dlt645::Match match = dlt645::FindByObis(edition, id);
  if (!match || match.block != nullptr) return {"", kIdWanted};
  if (!match.row->list.empty()) return {"", "a register of a single value"};
  return {dlt645::IdOf(edition, match)};
}

KnownId CjtId(const std::string& id) {
  const cjt188::Found found = cjt188::FindById(id);
  if (found.row == nullptr) return {"", kIdWanted};
  return {cjt188::IdFor(*found.row, cjt188::kColdWater, found.n)};
}

KnownId MbusId(const std::string& id) {
  if (!mbus::IsRegisterId(id) || id == mbus::kAllRegisters || id == mbus::kValveRegister) return {"", kIdWanted};
  const size_t colon = id.rfind(':');
  if (const mbus::ObisRow* const row = mbus::FindObisRow(id); row != nullptr) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(id, absl::MaxSplits('*', 1));
    uint64_t tariff = 0;
    uint64_t storage = 0;
    const bool good = absl::SimpleAtoi(parts.first.substr(parts.first.rfind('.') + 1), &tariff) &&
                      (parts.second.empty() || absl::SimpleAtoi(parts.second, &storage));
    if (!good) return {"", kIdWanted};
    const std::string now = absl::StrCat(row->group, "-0:", row->c, ".", row->d, ".", tariff);
    return {storage == 0 ? now : absl::StrCat(now, "*", storage)};
  }
  // Our own ids end with the VIF in hexadecimal.
  const std::string vif = absl::AsciiStrToUpper(id.substr(colon + 1));
  return base::FromHex(vif).ok() ? KnownId{id.substr(0, colon + 1) + vif} : KnownId{"", kIdWanted};
}

KnownId IdIn(Protocol protocol, const std::string& id) {
  switch (protocol) {
    case Protocol::kDlt645_2007:
      return DltId(dlt645::Edition::k2007, id);
    case Protocol::kDlt645_1997:
      return DltId(dlt645::Edition::k1997, id);
    case Protocol::kCjt188:
      return CjtId(id);
    default:
      return MbusId(id);
  }
}

// What is wrong with an override, once the protocol is known; empty: nothing, and it stands under the protocol's id.
absl::string_view TakeKnown(const std::string& id, const RegisterOverride& differs, Profile& profile) {
  const KnownId known = IdIn(profile.protocol, id);
  if (!known.wanted.empty()) return known.wanted;
  const size_t digits = profile.protocol == Protocol::kDlt645_2007 ? 8 : profile.protocol == Protocol::kMbus ? 0 : 4;
  if (!differs.data_identifier.empty() && differs.data_identifier.size() != digits) {
    return digits == 0   ? "no identifier, which M-Bus does not have"
           : digits == 4 ? "an identifier of two bytes"
                         : "an identifier of four bytes";
  }
  return profile.registers.emplace(known.id, differs).second ? "" : "each register once, by whichever of its ids";
}

bool MayRepeat(absl::string_view key) { return key == "sentinel" || key == "register"; }

}  // namespace

absl::StatusOr<Profile> ParseProfile(absl::string_view text, absl::string_view file) {
  Profile profile;
  int number = 0;
  const auto bad = [&](absl::string_view key, absl::string_view why) {
    return base::InvalidArgument("BAD_PROFILE", absl::StrCat(file, ":", number, ": ", key, ": ", why),
                                 {{"file", std::string(file)},
                                  {"line", absl::StrCat(number)},
                                  {"key", std::string(key.substr(0, kNameMax))},
                                  {"why", std::string(why)}});
  };
  std::vector<Line> seen;
  std::map<std::string, int> registers;  // As written, and the line that first names it.
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const size_t gap = line.find_first_of(" \t");
    const absl::string_view key = line.substr(0, gap);
    const absl::string_view value =
        gap == absl::string_view::npos ? absl::string_view() : absl::StripAsciiWhitespace(line.substr(gap));
    if (!MayRepeat(key)) {
      const auto same = [key](const Line& other) { return other.key == key; };
      if (std::any_of(seen.begin(), seen.end(), same)) return bad(key, "stands twice");
      seen.push_back({key, number});
    }
    const absl::string_view wanted = TakeLine(key, value, profile);
    if (!wanted.empty()) return bad(key, absl::StrCat("expected ", wanted));
    if (key == "register") registers.try_emplace(std::string(value.substr(0, value.find(' '))), number);
  }
  if (profile.name.empty()) return bad("name", "is missing");
  if (profile.protocol == Protocol::kUnspecified) return bad("protocol", "is missing");
  if (const Contradiction found = FindContradiction(profile, seen); !found.why.empty()) {
    const auto same = [&found](const Line& line) { return line.key == found.key; };
    const auto line = std::find_if(seen.begin(), seen.end(), same);
    if (line != seen.end()) number = line->number;
    return bad(found.key, found.why);
  }
  const auto as_written = std::exchange(profile.registers, {});
  for (const auto& [id, line] : registers) {
    number = line;
    const absl::string_view wanted = TakeKnown(id, as_written.at(id), profile);
    if (!wanted.empty()) return bad("register", absl::StrCat("expected ", wanted));
  }
  return profile;
}

absl::StatusOr<const Profile*> FindProfile(const ProfileBook& book, absl::string_view name, Protocol protocol) {
  if (name.empty()) {
    static const auto* const kStandards = [] {
      auto* const standards = new std::array<Profile, 5>;
      for (size_t i = 0; i < standards->size(); ++i) (*standards)[i].protocol = static_cast<Protocol>(i);
      return standards;
    }();
    return &(*kStandards)[std::min<size_t>(static_cast<size_t>(protocol), kStandards->size() - 1)];
  }
  const auto found = book.find(name);
  if (found != book.end() && found->second.protocol == protocol) return &found->second;
  const bool known = found != book.end();
  return base::InvalidArgument("UNKNOWN_PROFILE",
                               known ? "the profile is of another protocol" : "no profile has this name",
                               {{"profile", std::string(name.substr(0, kNameMax))}});
}

}  // namespace voltwell::codec
