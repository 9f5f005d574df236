// Reading and matching templates; see packet_template.h.
#include "services/collector_gateway/domain/packet_template.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/status.h"

namespace voltwell::gateway {
namespace {

absl::Status Bad(absl::string_view why) {
  return base::InvalidArgument("BAD_DIALECT", "a template cannot be read", {{"why", std::string(why)}});
}

}  // namespace

absl::StatusOr<char> TakeTemplateByte(absl::string_view& text) {
  const char first = text[0];
  text.remove_prefix(1);
  if (first != '\\') {
    if (first < 0x20 || first > 0x7e) return Bad("a byte that does not print: write it as \\xHH");
    return first;
  }
  if (text.empty()) return Bad("a backslash at the end");
  const char escaped = text[0];
  text.remove_prefix(1);
  switch (escaped) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case 's':
      return ' ';
    case '\\':
    case '{':
      return escaped;
    case 'x': {
      const absl::StatusOr<std::string> byte = base::FromHex(text.substr(0, 2));
      if (!byte.ok() || byte->size() != 1) return Bad("\\x needs two hexadecimal digits");
      text.remove_prefix(2);
      return (*byte)[0];
    }
    default:
      return Bad("an escape that is not known");
  }
}

bool IdPattern::Takes(uint8_t byte) const {
  switch (kind) {
    case Kind::kText:
      return byte > 0x20 && byte < 0x7f;
    case Kind::kDigits:
      return absl::ascii_isdigit(byte);
    case Kind::kHexDigits:
      return absl::ascii_isxdigit(byte);
    case Kind::kBytes:
      return true;
  }
  return false;
}

absl::StatusOr<PacketTemplate> PacketTemplate::Parse(absl::string_view text, const IdPattern& id,
                                                     absl::string_view wanted) {
  PacketTemplate form;
  form.id_ = id;
  while (!text.empty()) {
    if (text[0] != '{') {
      VW_ASSIGN_OR_RETURN(const char byte, TakeTemplateByte(text));
      if (!form.ends_fixed()) form.pieces_.push_back({});
      form.pieces_.back().bytes += byte;
      continue;
    }
    const size_t end = text.find('}');
    if (end == absl::string_view::npos) return Bad("a brace that is not closed");
    absl::string_view name = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    Piece piece;
    if (name == wanted) {
      piece.kind = Piece::Kind::kId;
    } else if (absl::ConsumePrefix(&name, "any")) {
      piece.kind = Piece::Kind::kAny;
      const bool counted = absl::ConsumePrefix(&name, ":");
      if (counted && (!absl::SimpleAtoi(name, &piece.count) || piece.count == 0 || piece.count > kAnyMax)) {
        return Bad("{any:N} is 1 to 64 bytes");
      }
      if (!counted && !name.empty()) return Bad(absl::StrCat("in braces stands ", wanted, ", any or any:N"));
    } else {
      return Bad(absl::StrCat("in braces stands ", wanted, ", any or any:N"));
    }
    form.pieces_.push_back(piece);
  }
  VW_RETURN_IF_ERROR(form.Check());
  return form;
}

// What would make a match depend on luck is refused when the dialect is read.
absl::Status PacketTemplate::Check() const {
  int ids = 0;
  if (fixed_bytes() > kTemplateBytesMax) return Bad("more than 64 fixed bytes");
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    const bool last = i + 1 == pieces_.size();
    const bool before_fixed = !last && pieces_[i + 1].kind == Piece::Kind::kFixed;
    if (piece.kind == Piece::Kind::kAny && piece.count == 0 && !before_fixed) {
      return Bad("{any} needs fixed bytes behind it");
    }
    if (piece.kind != Piece::Kind::kId) continue;
    if (++ids > 1) return Bad("{id} stands in it twice");
    if (id_.min != id_.max && !last && !before_fixed) return Bad("behind an id of any length must be fixed bytes");
  }
  if (std::count_if(pieces_.begin(), pieces_.end(), [](const Piece& p) { return p.kind == Piece::Kind::kAny; }) > 2) {
    return Bad("{any} stands in it more than twice");
  }
  return absl::OkStatus();
}

PacketTemplate::Step PacketTemplate::Fixed(base::ByteView rest, base::ByteView bytes) {
  const size_t common = std::min(rest.size(), bytes.size());
  if (common > 0 && std::memcmp(rest.data(), bytes.data(), common) != 0) return {};
  return {common == bytes.size() ? Kind::kWhole : Kind::kMore, bytes.size()};
}

PacketTemplate::Step PacketTemplate::Any(base::ByteView rest, size_t piece) const {
  if (const size_t count = pieces_[piece].count; count > 0) {
    return {rest.size() >= count ? Kind::kWhole : Kind::kMore, count};
  }
  const base::ByteView next = base::AsBytes(pieces_[piece + 1].bytes);
  const base::ByteView window = rest.first(std::min(rest.size(), kAnyMax + next.size()));
  const auto found = std::search(window.begin(), window.end(), next.begin(), next.end());
  if (found != window.end()) return {Kind::kWhole, static_cast<size_t>(found - window.begin())};
  return {window.size() < kAnyMax + next.size() ? Kind::kMore : Kind::kNo, 0};
}

PacketTemplate::Step PacketTemplate::Id(base::ByteView rest, size_t piece, Match& match) const {
  const bool last = piece + 1 == pieces_.size();
  // The fixed byte behind an id of any length ends it, even if an id might hold it.
  const bool ended = !last && id_.min != id_.max;
  const uint8_t end = ended ? static_cast<uint8_t>(pieces_[piece + 1].bytes[0]) : 0;
  size_t length = 0;
  while (length < rest.size() && length < id_.max && id_.Takes(rest[length]) && !(ended && rest[length] == end)) {
    ++length;
  }
  const bool ran_out = length == rest.size();
  if (length < id_.min || (ran_out && ended)) return {ran_out ? Kind::kMore : Kind::kNo, length};
  match.id = rest.first(length);
  match.closed = length == id_.max || !ran_out;
  return {Kind::kWhole, length};
}

PacketTemplate::Match PacketTemplate::At(base::ByteView bytes, base::ByteView known_id) const {
  Match match;
  if (pieces_.empty()) return match;
  match.closed = true;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    const base::ByteView rest = bytes.subspan(match.length);
    Step step;
    switch (piece.kind) {
      case Piece::Kind::kFixed:
        step = Fixed(rest, base::AsBytes(piece.bytes));
        break;
      case Piece::Kind::kAny:
        step = Any(rest, i);
        break;
      case Piece::Kind::kId:
        step = known_id.empty() ? Id(rest, i, match) : Fixed(rest, known_id);
        if (!known_id.empty()) match.id = known_id;
        break;
    }
    if (step.kind != Kind::kWhole) return {step.kind, 0, {}, false};
    match.length += step.length;
  }
  match.kind = Kind::kWhole;
  return match;
}

std::optional<uint8_t> PacketTemplate::FirstByte(base::ByteView known_id) const {
  if (pieces_.empty()) return std::nullopt;
  const Piece& first = pieces_.front();
  if (first.kind == Piece::Kind::kFixed) return static_cast<uint8_t>(first.bytes[0]);
  if (first.kind == Piece::Kind::kId && !known_id.empty()) return known_id[0];
  return std::nullopt;
}

std::string PacketTemplate::Write(absl::string_view id) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    if (piece.kind == Piece::Kind::kFixed) text += piece.bytes;
    if (piece.kind == Piece::Kind::kId) text.append(id.data(), id.size());
  }
  return text;
}

bool PacketTemplate::has_id() const {
  return std::any_of(pieces_.begin(), pieces_.end(), [](const Piece& p) { return p.kind == Piece::Kind::kId; });
}

bool PacketTemplate::has_any() const {
  return std::any_of(pieces_.begin(), pieces_.end(), [](const Piece& p) { return p.kind == Piece::Kind::kAny; });
}

size_t PacketTemplate::fixed_bytes() const {
  size_t count = 0;
  for (const Piece& piece : pieces_) count += piece.bytes.size();
  return count;
}

}  // namespace voltwell::gateway
