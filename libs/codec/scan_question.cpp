// Patterns, commands and answers of a search; see scan_question.h.
#include "libs/codec/scan_question.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/status.h"
#include "libs/codec/cjt188/frame.h"
#include "libs/codec/mbus/address.h"

namespace voltwell::codec {
namespace {

constexpr char kProfile[] = "scan";
constexpr int kPairs = 100;  // Two BCD digits in a byte.
constexpr size_t kDlt645Bytes = 6;
constexpr size_t kCjt188Bytes = 7;
constexpr size_t kMbusDigits = 8;
// Meter types of CJ/T 188; the last stands for all of them, for meters that answer to no other.
constexpr std::array<const char*, 12> kTypes = {"10", "11", "12", "13", "19", "20", "21", "22", "30", "40", "41", "AA"};

std::string Pairs(const std::vector<int>& path, size_t from, size_t bytes) {
  std::string text;
  // The highest byte is printed first, and the lowest is narrowed down first.
  for (size_t byte = bytes; byte > 0; --byte) {
    const size_t place = from + byte - 1;
    text += place < path.size() ? absl::StrFormat("%02d", path[place]) : "AA";
  }
  return text;
}

const ProfileBook& BookOf(const ScanQuestion& question, ProfileBook& book) {
  Profile& profile = book[kProfile];
  profile.name = kProfile;
  profile.protocol = question.protocol;
  profile.turnaround = question.patience;
  // One question, one answer: no reset before it, which some meters do not answer, so that no frame count bit is used.
  profile.reset_before_read = false;
  profile.uses_fcb = false;
  return book;
}

Command CommandOf(const ScanQuestion& question) {
  Command command = {question.protocol, question.address, kProfile, question.baud, Search{}};
  if (question.asks_address) command.action = ReadAddress{};
  return command;
}

// Without current a line reads as these, and converters send them when they turn round.
bool IsIdle(char c) { return c == '\0' || c == '\xFE' || c == '\xFF'; }

// What is left of the bytes when the frames are taken out.
bool HasRest(const ScanAnswer& answer) {
  std::string rest = answer.noise;
  for (const ReplyFrames& frames : answer.replies) {
    for (const std::string& frame : frames) {
      if (const size_t at = rest.find(frame); at != std::string::npos) rest.erase(at, frame.size());
    }
  }
  return !std::all_of(rest.begin(), rest.end(), IsIdle);
}

std::string MediumOfCjt188(absl::string_view type) {
  if (type < "20") return "WATER";
  if (type < "30") return "HEAT";
  return type < "40" ? "GAS" : "ELECTRICITY";
}

// EN 13757-3, table of media.
std::string MediumOfMbus(uint8_t medium) {
  switch (medium) {
    case 0x02:
      return "ELECTRICITY";
    case 0x03:
      return "GAS";
    case 0x04:
    case 0x0A:
    case 0x0B:
    case 0x0C:
    case 0x0D:
      return "HEAT";
    case 0x06:
    case 0x07:
    case 0x15:
    case 0x16:
    case 0x17:
      return "WATER";
    default:
      return "";
  }
}

void DescribeMbus(const Decoded& decoded, ScanFinding& finding) {
  if (!decoded.values.empty() && absl::StartsWith(decoded.values[0].text, "p")) {
    // Every meter fresh from the factory is p0.
    if (decoded.values[0].text != "p0" && decoded.values[0].text != finding.address) {
      finding.aliases.push_back(decoded.values[0].text);
    }
  }
  const auto address = mbus::ParseMeterAddress(finding.address);
  if (!address.ok() || !address->is_secondary) return;
  if (finding.address.size() > 8) finding.aliases.push_back(finding.address.substr(0, 8));
  const mbus::SecondaryAddress& secondary = address->secondary;
  if (secondary.manufacturer != 0xFFFF) finding.manufacturer = mbus::ManufacturerText(secondary.manufacturer);
  if (secondary.version != 0xFF) finding.version = secondary.version;
  if (secondary.medium != 0xFF) finding.medium = MediumOfMbus(secondary.medium);
}

// Meters of 2007 refuse the codes of 1997, or do not hear them: only a plain answer is one of a meter of 1997. Who
// refuses is somebody all the same, else his collisions would count as meters that were not found.
bool IsOfOtherEdition(const ScanQuestion& question, absl::string_view frame) {
  constexpr size_t kControlOffset = 8;
  constexpr uint8_t kAbnormal = 0x40;
  return question.protocol == Protocol::kDlt645_1997 && frame.size() > kControlOffset &&
         (static_cast<uint8_t>(frame[kControlOffset]) & kAbnormal) != 0;
}

ScanFinding FindingOf(const ScanQuestion& question, const Decoded& decoded) {
  ScanFinding finding;
  finding.protocol = question.protocol;
  finding.address = decoded.address;
  switch (question.protocol) {
    case Protocol::kMbus:
      DescribeMbus(decoded, finding);
      break;
    case Protocol::kCjt188:
      finding.medium = MediumOfCjt188(finding.address.substr(0, 2));
      // With the type of water left out, as the standard's profile takes it.
      if (absl::StartsWith(finding.address, "10")) finding.aliases.push_back(finding.address.substr(2));
      break;
    default:
      finding.medium = "ELECTRICITY";
      break;
  }
  return finding;
}

}  // namespace

ScanTreeShape TreeShapeOf(Protocol protocol, bool thorough) {
  ScanTreeShape shape;
  shape.asks_silence_twice = thorough;
  if (protocol == Protocol::kMbus) {
    shape.branches.assign(kMbusDigits, 10);
  } else if (protocol == Protocol::kCjt188) {
    shape.branches.assign(kCjt188Bytes, kPairs);
    shape.branches.insert(shape.branches.begin(), static_cast<int>(kTypes.size()));
    shape.last_of_root_spare = true;
  } else {
    shape.branches.assign(kDlt645Bytes, kPairs);
  }
  return shape;
}

std::string PatternOf(Protocol protocol, const std::vector<int>& path) {
  if (protocol == Protocol::kMbus) {
    std::string text;
    for (const int digit : path) absl::StrAppend(&text, digit);
    return text + std::string(kMbusDigits - path.size(), 'F');
  }
  if (protocol == Protocol::kCjt188) {
    const char* const type = path.empty() ? "AA" : kTypes[static_cast<size_t>(path[0])];
    return absl::StrCat(type, Pairs(path, 1, kCjt188Bytes));
  }
  return Pairs(path, 0, kDlt645Bytes);
}

std::string ControlAddressOf(Protocol protocol) {
  if (protocol == Protocol::kMbus) return "EEEEEEEE";
  // CJ/T 188 has digits only, and no type 99.
  return protocol == Protocol::kCjt188 ? "9998765432198765" : "EEEEEEEEEEEE";
}

absl::StatusOr<ExchangeGroup> GroupOf(const ScanQuestion& question) {
  ProfileBook book;
  VW_ASSIGN_OR_RETURN(ExchangeGroup group, Encode(CommandOf(question), BookOf(question, book)));
  for (Exchange& exchange : group.exchanges) {
    exchange.listen = true;
    exchange.matcher = {};
  }
  return group;
}

ScanHearing HearingOf(const ScanQuestion& question, const ScanAnswer& answer) {
  ProfileBook book;
  BookOf(question, book);
  // E5H to a selection says that somebody is there, and not who: that stands in the second exchange.
  const bool selects = question.protocol == Protocol::kMbus && !question.asks_address;
  const size_t naming = selects ? 1 : 0;
  const bool named = answer.replies.size() > naming && !answer.replies[naming].empty();
  const bool selected = selects && !answer.replies.empty() && !answer.replies[0].empty();
  bool strange = HasRest(answer) || (selected && !named);
  ScanHearing hearing;
  size_t others = 0;
  for (size_t i = 0; named && i < answer.replies[naming].size(); ++i) {
    Answer one = {CommandOf(question), answer.replies};
    one.replies[naming] = {answer.replies[naming][i]};
    const Decoded decoded = Decode(one, book);
    if (decoded.address.empty() || decoded.collision) {
      strange = true;
      continue;
    }
    if (IsOfOtherEdition(question, answer.replies[naming][i])) {
      ++others;
      continue;
    }
    ScanFinding finding = FindingOf(question, decoded);
    const bool known = std::any_of(hearing.found.begin(), hearing.found.end(),
                                   [&](const ScanFinding& other) { return other.address == finding.address; });
    if (!known) hearing.found.push_back(std::move(finding));
  }
  const size_t spoke = hearing.found.size() + others;
  if (spoke > 1) {
    hearing.heard = ScanHeard::kSeveral;
  } else if (strange) {
    hearing.heard = ScanHeard::kGarbled;
  } else {
    hearing.heard = spoke == 0 ? ScanHeard::kNobody : ScanHeard::kOne;
  }
  return hearing;
}

}  // namespace voltwell::codec
