// Reading dialects; see dialect.h.
#include "services/collector_gateway/domain/dialect.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"

namespace voltwell::gateway {
namespace {

constexpr size_t kImeiDigits = 15;
constexpr size_t kIccidDigits = 20;  // Hexadecimal: some issuers use letters.
constexpr size_t kPhoneDigits = 11;
constexpr size_t kNonceDigits = 32;  // Of 16 bytes.
constexpr size_t kMacDigits = 64;    // Of HMAC-SHA256.

absl::Status Bad(absl::string_view dialect, int line, absl::string_view why) {
  return base::InvalidArgument(
      "BAD_DIALECT", "a dialect cannot be read",
      {{"dialect", std::string(dialect)}, {"line", absl::StrCat(line)}, {"why", std::string(why)}});
}

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kDialectNameMax && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  });
}

// "15" or "4-20"; empty leaves the pattern's own.
bool ReadLength(absl::string_view text, IdPattern& id) {
  if (text.empty()) return true;
  const std::vector<absl::string_view> ends = absl::StrSplit(text, '-');
  if (ends.size() > 2 || !absl::SimpleAtoi(ends[0], &id.min)) return false;
  id.max = id.min;
  if (ends.size() == 2 && !absl::SimpleAtoi(ends[1], &id.max)) return false;
  return id.min >= 1 && id.min <= id.max && id.max <= kTemplateBytesMax;
}

bool ReadId(absl::string_view value, IdPattern& id) {
  using Kind = IdPattern::Kind;
  const std::vector<absl::string_view> words = absl::StrSplit(value, ' ', absl::SkipEmpty());
  if (words.empty() || words.size() > 2) return false;
  const absl::string_view length = words.size() == 2 ? words[1] : "";
  const auto fixed = [&](Kind kind, size_t size) {
    id = {kind, size, size};
    return words.size() == 1;
  };
  if (words[0] == "imei") return fixed(Kind::kDigits, kImeiDigits);
  if (words[0] == "iccid") return fixed(Kind::kHexDigits, kIccidDigits);
  if (words[0] == "phone") return fixed(Kind::kDigits, kPhoneDigits);
  if (words[0] == "text") {
    id.kind = Kind::kText;
  } else if (words[0] == "digits") {
    id.kind = Kind::kDigits;
  } else if (words[0] == "hex") {
    id.kind = Kind::kHexDigits;
  } else if (words[0] == "bytes") {
    id.kind = Kind::kBytes;
    return ReadLength(length, id) && id.min == id.max;  // Any byte may be in it, so nothing else could end it.
  } else {
    return false;
  }
  return ReadLength(length, id);
}

// The lines of one file, each key at most once.
class Lines {
 public:
  explicit Lines(absl::string_view name) : name_(name) {}

  absl::Status Read(absl::string_view text) {
    int number = 0;
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      ++number;
      line = absl::StripAsciiWhitespace(line);
      if (line.empty() || line[0] == '#') continue;
      const size_t space = line.find_first_of(" \t");
      Line* const known = Find(line.substr(0, space));
      if (known == nullptr) return Bad(name_, number, "a key that is not known");
      if (known->number != 0) return Bad(name_, number, "the same key twice");
      if (space == absl::string_view::npos) return Bad(name_, number, "a key without a value");
      known->number = number;
      known->value = absl::StripAsciiWhitespace(line.substr(space));
    }
    return absl::OkStatus();
  }
  // Empty when the file lacks it.
  absl::string_view Value(absl::string_view key) { return Find(key)->value; }
  absl::Status Wrong(absl::string_view key, absl::string_view why) {
    return Bad(name_, Find(key)->number, absl::StrCat(key, ": ", why));
  }
  // Without a value `form` stays empty.
  absl::Status Template(absl::string_view key, const IdPattern& id, PacketTemplate& form,
                        absl::string_view place = "id") {
    if (Value(key).empty()) return absl::OkStatus();
    absl::StatusOr<PacketTemplate> read = PacketTemplate::Parse(Value(key), id, place);
    if (!read.ok()) return Wrong(key, base::MetadataOf(read.status())["why"]);
    form = *std::move(read);
    return absl::OkStatus();
  }

 private:
  struct Line {
    absl::string_view key = {};
    absl::string_view value = {};
    int number = 0;
  };
  Line* Find(absl::string_view key) {
    const auto found = std::find_if(lines_.begin(), lines_.end(), [key](const Line& line) { return line.key == key; });
    return found == lines_.end() ? nullptr : &*found;
  }

  absl::string_view name_;
  std::array<Line, 10> lines_ = {{{"title"},
                                  {"registration"},
                                  {"id"},
                                  {"challenge"},
                                  {"response"},
                                  {"answer"},
                                  {"answers"},
                                  {"heartbeat"},
                                  {"heartbeat-answer"},
                                  {"packet"}}};
};

absl::Status ReadRegistration(Lines& lines, Dialect& dialect, const IdPattern& id) {
  if (lines.Value("registration").empty()) return lines.Wrong("registration", "is required");
  const bool by_directory = lines.Value("registration") == "directory";
  if (by_directory && !lines.Value("id").empty()) return lines.Wrong("id", "the directory says the bytes");
  if (!by_directory) {
    VW_RETURN_IF_ERROR(lines.Template("registration", id, dialect.registration));
    if (!dialect.registration.has_id()) return lines.Wrong("registration", "{id} is missing");
    if (dialect.registration.begins_open()) return lines.Wrong("registration", "it cannot begin with {any}");
  }
  VW_RETURN_IF_ERROR(lines.Template("answer", id, dialect.answer));
  if (dialect.answer.has_any()) return lines.Wrong("answer", "{any} cannot be written");
  const absl::string_view answers = lines.Value("answers");
  if (!answers.empty() && answers != "first" && answers != "every") return lines.Wrong("answers", "first or every");
  if (!answers.empty() && dialect.answer.empty()) return lines.Wrong("answers", "there is no answer");
  dialect.answers_every = answers == "every";
  return absl::OkStatus();
}

absl::Status ReadChallenge(Lines& lines, Dialect& dialect) {
  if (lines.Value("challenge").empty() != lines.Value("response").empty()) {
    return lines.Wrong(lines.Value("challenge").empty() ? "response" : "challenge",
                       "challenge and response go together");
  }
  if (lines.Value("challenge").empty()) return absl::OkStatus();
  const IdPattern nonce = {IdPattern::Kind::kHexDigits, kNonceDigits, kNonceDigits};
  VW_RETURN_IF_ERROR(lines.Template("challenge", nonce, dialect.challenge, "nonce"));
  if (!dialect.challenge.has_id()) return lines.Wrong("challenge", "{nonce} is missing");
  if (dialect.challenge.has_any()) return lines.Wrong("challenge", "{any} cannot be written");
  const IdPattern mac = {IdPattern::Kind::kHexDigits, kMacDigits, kMacDigits};
  VW_RETURN_IF_ERROR(lines.Template("response", mac, dialect.response, "mac"));
  if (!dialect.response.has_id()) return lines.Wrong("response", "{mac} is missing");
  if (dialect.response.begins_open()) return lines.Wrong("response", "it cannot begin with {any}");
  return absl::OkStatus();
}

absl::Status ReadHeartbeat(Lines& lines, Dialect& dialect, const IdPattern& id) {
  if (lines.Value("heartbeat") != "directory") {
    VW_RETURN_IF_ERROR(lines.Template("heartbeat", id, dialect.heartbeat));
  }
  if (dialect.heartbeat.begins_open()) return lines.Wrong("heartbeat", "it cannot begin with {any}");
  dialect.heartbeat_echo = lines.Value("heartbeat-answer") == "echo";
  if (dialect.heartbeat_echo && dialect.heartbeat.has_any()) {
    return lines.Wrong("heartbeat-answer", "a heartbeat with {any} cannot be written");
  }
  if (dialect.heartbeat_echo) return absl::OkStatus();
  VW_RETURN_IF_ERROR(lines.Template("heartbeat-answer", id, dialect.heartbeat_answer));
  if (dialect.heartbeat_answer.has_any()) return lines.Wrong("heartbeat-answer", "{any} cannot be written");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Dialect> ParseDialect(absl::string_view name, absl::string_view text) {
  if (!IsName(name)) return Bad(name, 0, "a name is 1 to 40 of a-z, 0-9 and -");
  if (name == kTransparent) return Bad(name, 0, "transparent is built in");
  if (text.size() > kDialectFileMax) return Bad(name, 0, "longer than 8192 bytes");
  Lines lines(name);
  VW_RETURN_IF_ERROR(lines.Read(text));
  Dialect dialect;
  dialect.name = std::string(name);
  dialect.title = std::string(lines.Value("title"));
  if (dialect.title.empty()) return lines.Wrong("title", "is required");
  IdPattern id;
  if (!lines.Value("id").empty() && !ReadId(lines.Value("id"), id)) {
    return lines.Wrong("id", "text [A-B], digits [A-B], hex [A-B], bytes N, imei, iccid or phone");
  }
  VW_RETURN_IF_ERROR(ReadRegistration(lines, dialect, id));
  VW_RETURN_IF_ERROR(ReadChallenge(lines, dialect));
  VW_RETURN_IF_ERROR(ReadHeartbeat(lines, dialect, id));
  if (!lines.Value("packet").empty()) {
    absl::StatusOr<PacketHeader> packet = PacketHeader::Parse(lines.Value("packet"));
    if (!packet.ok()) return lines.Wrong("packet", base::MetadataOf(packet.status())["why"]);
    dialect.packet = *std::move(packet);
  }
  return dialect;
}

absl::StatusOr<Dialects> Dialects::Make(std::vector<Dialect> dialects) {
  if (dialects.size() > kDialectsMax) return Bad("", 0, "more than 64 dialects");
  Dialects all;
  std::set<std::string> names;
  for (Dialect& dialect : dialects) {
    if (!names.insert(dialect.name).second) return Bad(dialect.name, 0, "two of this name");
    all.all_.push_back(std::make_shared<const Dialect>(std::move(dialect)));
  }
  return all;
}

Dialects::Named Dialects::Find(absl::string_view name) const {
  if (name.empty() || name == kTransparent) return {true, nullptr};
  const auto found =
      std::find_if(all_.begin(), all_.end(), [name](const DialectPtr& dialect) { return dialect->name == name; });
  if (found == all_.end()) return {};
  return {true, *found};
}

}  // namespace voltwell::gateway
