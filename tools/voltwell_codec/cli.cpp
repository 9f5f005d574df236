#include "tools/voltwell_codec/cli.h"

#include <filesystem>
#include <istream>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/codec/codec.h"
#include "libs/os/files.h"
#include "tools/voltwell_codec/action.h"
#include "tools/voltwell_codec/page.h"

namespace voltwell::codec_cli {
namespace {

constexpr char kUsage[] =
    "usage: voltwell-codec COMMAND [OPTION...] [WORD...]\n"
    "commands:\n"
    "  explain [HEX...]              every byte; without HEX a frame a line from standard input\n"
    "  encode ACTION                 the bytes that go on the bus\n"
    "  decode ACTION -- [HEX...]     what the answers say; without HEX an answer a line from standard input\n"
    "  list                          protocols, or with --protocol its registers\n"
    "  page                          docs/protocols.md's tables\n"
    "options: --protocol DLT645_2007|DLT645_1997|CJT188|MBUS  --language en|zh  --show-secrets  --address A  --baud N\n"
    "         --profile NAME  --profile-directory DIR  --password HEX  --operator HEX\n"
    "         --cipher HEX  --mac HEX  --order DIGITS  --delay MINUTES\n"
    "answers: one HEX an exchange; a reply with its follow-ups is one, joined by +\n"
    "actions:\n";

void TellError(std::ostream& out, const absl::Status& error) {
  out << base::ReasonOf(error) << ": " << error.message();
  for (const auto& [key, value] : base::MetadataOf(error)) out << "; " << key << " " << value;
  out << "\n";
}

// Profiles of a directory; none without one.
absl::StatusOr<codec::ProfileBook> LoadProfiles(const std::string& directory) {
  codec::ProfileBook book;
  if (directory.empty()) return book;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".profile") continue;
    VW_ASSIGN_OR_RETURN(const std::string text, os::ReadFile(entry.path().string()));
    VW_ASSIGN_OR_RETURN(codec::Profile profile, codec::ParseProfile(text, entry.path().filename().string()));
    const std::string name = profile.name;
    if (!book.emplace(name, std::move(profile)).second) {
      const std::string file = entry.path().filename().string();
      return base::InvalidArgument("BAD_PROFILE", absl::StrCat(file, ": another file has the name ", name),
                                   {{"file", file}, {"key", "name"}});
    }
  }
  if (error) {
    return base::InvalidArgument("BAD_OPTION", absl::StrCat("--profile-directory: ", error.message()),
                                 {{"option", "profile-directory"}});
  }
  return book;
}

// Calls `handle` with each line that is not empty or a comment; the worst exit code counts.
template <typename Handle>
int EachLine(Streams streams, const Handle& handle) {
  int worst = kUnderstood;
  bool any = false;
  std::string line;
  while (std::getline(streams.in, line)) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty() || text[0] == '#') continue;
    any = true;
    if (text.size() > kLineMax) {
      streams.err << "LINE_TOO_LONG: more than " << kLineMax << " characters\n";
      worst = std::max(worst, kNotUnderstood);
      continue;
    }
    worst = std::max(worst, handle(std::string(text)));
  }
  if (any) return worst;
  streams.err << "EMPTY_INPUT: standard input has no frame\n";
  return kNotUnderstood;
}

int ExplainOne(const std::string& hex, const Options& options, Streams streams) {
  const auto bytes = base::FromHex(hex);
  if (!bytes.ok()) {
    TellError(streams.err, bytes.status());
    return kNotUnderstood;
  }
  const auto explained = codec::Explain(
      base::AsBytes(*bytes),
      {.protocol = options.protocol, .language = options.language, .show_secrets = options.show_secrets});
  if (!explained.ok()) {
    TellError(streams.err, explained.status());
    return kNotUnderstood;
  }
  streams.out << ProtocolName(explained->protocol) << "  " << explained->summary << "\n";
  for (const codec::Explanation& part : explained->explanations) {
    streams.out << "  " << part.offset << "\t" << part.length << "\t" << part.hex << "\t"
                << (part.understood ? "" : "? ") << part.meaning << "\n";
  }
  if (explained->error.ok()) return kUnderstood;
  streams.out << "  ";
  TellError(streams.out, explained->error);
  return kNotUnderstood;
}

int Explain(const Options& options, Streams streams) {
  if (options.words.empty()) {
    return EachLine(streams, [&](const std::string& line) { return ExplainOne(line, options, streams); });
  }
  return ExplainOne(absl::StrJoin(options.words, ""), options, streams);
}

void Print(const codec::ExchangeGroup& group, std::ostream& out) {
  for (const codec::Exchange& exchange : group.exchanges) {
    out << base::ToHex(base::AsBytes(exchange.request));
    if (exchange.no_reply) {
      out << "  no reply";
    } else {
      out << "  reply within " << absl::FormatDuration(exchange.reply_timeout);
    }
    if (exchange.follow_up.has_value()) out << ", then up to " << exchange.follow_up->steps.size() << " more";
    out << "\n";
  }
}

int Encode(const Options& options, const codec::ProfileBook& profiles, Streams streams) {
  const auto command = ToCommand(options);
  if (!command.ok()) {
    TellError(streams.err, command.status());
    return kWrongUsage;
  }
  const auto group = codec::Encode(*command, profiles);
  if (!group.ok()) {
    TellError(streams.err, group.status());
    return kNotUnderstood;
  }
  Print(*group, streams.out);
  return kUnderstood;
}

const char* QualityWords(codec::Quality quality) {
  switch (quality) {
    case codec::Quality::kNoValue:
      return "  (no value)";
    case codec::Quality::kOutOfRange:
      return "  (out of range)";
    case codec::Quality::kMeterError:
      return "  (meter error)";
    default:
      return "";
  }
}

int Print(const codec::Decoded& decoded, const char* wallet_unit, Streams streams) {
  for (const codec::RegisterValue& value : decoded.values) {
    streams.out << value.reg << "\t" << (value.number.has_value() ? value.number->ToString() : value.text)
                << (value.unit.empty() ? "" : " ") << value.unit << QualityWords(value.quality);
    if (!value.meter_time.empty()) streams.out << "  at " << value.meter_time;
    streams.out << "\n";
  }
  if (!decoded.address.empty()) streams.out << "address\t" << decoded.address << "\n";
  if (decoded.collision) streams.out << "collision\n";
  if (decoded.relay_state != codec::RelayState::kUnspecified) {
    streams.out << "relay\t" << (decoded.relay_state == codec::RelayState::kOpen ? "open" : "closed") << "\n";
  }
  if (decoded.prepaid.has_value()) {
    const auto show = [&](const char* name, const auto& value) {
      if (value.has_value()) streams.out << name << "\t" << value->ToString() << " " << wallet_unit << "\n";
    };
    if (decoded.prepaid->purchase_number.has_value()) {
      streams.out << "purchase number\t" << *decoded.prepaid->purchase_number << "\n";
    }
    show("remaining", decoded.prepaid->remaining);
    show("last amount", decoded.prepaid->last_amount);
    show("accumulated", decoded.prepaid->accumulated);
  }
  if (!decoded.body.empty()) streams.out << "body\t" << base::ToHex(base::AsBytes(decoded.body)) << "\n";
  if (decoded.continuation.has_value()) {
    streams.out << "then:\n";
    Print(*decoded.continuation, streams.out);
  }
  if (decoded.error.ok()) return kUnderstood;
  TellError(streams.err, decoded.error);
  return kNotUnderstood;
}

int DecodeFrames(const codec::Command& command, const std::vector<std::string>& hex, const codec::ProfileBook& profiles,
                 Streams streams) {
  codec::Answer answer = {.command = command};
  for (const std::string& text : hex) {
    codec::ReplyFrames& frames = answer.replies.emplace_back();
    for (const absl::string_view frame : absl::StrSplit(text, '+')) {
      auto bytes = base::FromHex(absl::StripAsciiWhitespace(frame));
      if (!bytes.ok()) {
        TellError(streams.err, bytes.status());
        return kNotUnderstood;
      }
      frames.push_back(*std::move(bytes));
    }
  }
  const auto profile = codec::FindProfile(profiles, command.profile, command.protocol);
  const bool energy = profile.ok() && (*profile)->prepay.energy;
  return Print(codec::Decode(answer, profiles), energy ? "kWh" : "CNY", streams);
}

int Decode(const Options& options, const codec::ProfileBook& profiles, Streams streams) {
  const auto command = ToCommand(options);
  if (!command.ok()) {
    TellError(streams.err, command.status());
    return kWrongUsage;
  }
  if (!options.frames.empty()) return DecodeFrames(*command, options.frames, profiles, streams);
  return EachLine(streams, [&](const std::string& line) { return DecodeFrames(*command, {line}, profiles, streams); });
}

int List(const Options& options, Streams streams) {
  if (options.protocol == codec::Protocol::kUnspecified) {
    for (const codec::Protocol protocol : codec::ListProtocols()) streams.out << ProtocolName(protocol) << "\n";
    return kUnderstood;
  }
  const auto registers = codec::ListRegisters(options.protocol);
  if (!registers.ok()) {
    TellError(streams.err, registers.status());
    return kNotUnderstood;
  }
  for (const codec::RegisterInfo& info : *registers) {
    streams.out << info.data_identifier << "\t" << info.reg << "\t"
                << (options.language == codec::Language::kChinese ? info.title_zh : info.title_en) << "\t" << info.unit
                << "\t" << info.format << "\t" << (info.writable ? "RW" : "R") << "\t"
                << (info.proof.empty() ? "unproven" : info.proof) << "\n";
  }
  return kUnderstood;
}

int Usage(std::ostream& out, int code) {
  out << kUsage << ActionHelp();
  return code;
}

}  // namespace

int Run(const std::vector<std::string>& arguments, Streams streams) {
  if (arguments.empty()) return Usage(streams.err, kWrongUsage);
  const std::string command = arguments[0];
  if (command == "help" || command == "--help") return Usage(streams.out, kUnderstood);
  const auto options = ParseOptions({arguments.begin() + 1, arguments.end()});
  if (!options.ok()) {
    TellError(streams.err, options.status());
    return kWrongUsage;
  }
  const auto profiles = LoadProfiles(options->profile_directory);
  if (!profiles.ok()) {
    TellError(streams.err, profiles.status());
    return kWrongUsage;
  }
  if (command == "explain") return Explain(*options, streams);
  if (command == "encode") return Encode(*options, *profiles, streams);
  if (command == "decode") return Decode(*options, *profiles, streams);
  if (command == "list") return List(*options, streams);
  if (command == "page") {
    streams.out << RegisterTables();
    return kUnderstood;
  }
  return Usage(streams.err, kWrongUsage);
}

}  // namespace voltwell::codec_cli
