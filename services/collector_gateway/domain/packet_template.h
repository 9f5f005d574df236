// A packet of a box as people write it in a dialect: fixed bytes, the place of the id, and bytes that may be anything
// (firmware, signal strength). Told from a stream at one place, or written out. Pure.
//
//   LOGIN:{id}\r\n     *{any}#{id}#{any:6}*     \x7B\x01{id}\x7B
// {any}: up to kAnyMax bytes, ended by the fixed bytes behind it; {any:N}: exactly N. Escapes: \r \n \t \0 \s (space)
// \\ \{ \xHH.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"

namespace voltwell::gateway {

// Bytes that {any} may stand for.
inline constexpr size_t kAnyMax = 64;
// Fixed bytes of a template, and bytes of an id: with two {any} it still fits what is kept before registration.
inline constexpr size_t kTemplateBytesMax = 64;

// What an id looks like.
struct IdPattern {
  enum class Kind : uint8_t { kText, kDigits, kHexDigits, kBytes };
  Kind kind = Kind::kText;  // kText: printable ASCII without spaces; kBytes: any, of a fixed length.
  size_t min = 1;           // Bytes as sent.
  size_t max = kTemplateBytesMax;
  bool Takes(uint8_t byte) const;
};

// The next byte of a template's text, escapes taken; takes what it read. InvalidArgument BAD_DIALECT, metadata why.
absl::StatusOr<char> TakeTemplateByte(absl::string_view& text);

class PacketTemplate {
 public:
  // InvalidArgument BAD_DIALECT, metadata why. `name`: what stands in braces for what `id` describes; a challenge's
  // nonce and its answer's mac are such a place too.
  static absl::StatusOr<PacketTemplate> Parse(absl::string_view text, const IdPattern& id,
                                              absl::string_view name = "id");

  struct Match {
    enum class Kind : uint8_t {
      kNo,
      kMore,   // So far it fits; further bytes will tell.
      kWhole,  // `length` bytes are it.
    };
    Kind kind = Kind::kNo;
    size_t length = 0;
    base::ByteView id = {};  // Within the bytes; empty when the template has none.
    bool closed = false;     // No further byte could belong to the id.
  };
  // At the first of these bytes. `known_id` empty: any id that fits the pattern; else this one only.
  Match At(base::ByteView bytes, base::ByteView known_id = {}) const;
  // The byte that every packet begins with, when its id is this one; none when any byte may.
  std::optional<uint8_t> FirstByte(base::ByteView known_id) const;
  // With this id. Of a template without {any} only.
  std::string Write(absl::string_view id) const;

  bool empty() const { return pieces_.empty(); }
  bool has_id() const;
  bool has_any() const;
  bool begins_open() const { return !pieces_.empty() && pieces_.front().kind == Piece::Kind::kAny; }
  bool ends_fixed() const { return !pieces_.empty() && pieces_.back().kind == Piece::Kind::kFixed; }
  size_t fixed_bytes() const;

 private:
  struct Piece {
    enum class Kind : uint8_t { kFixed, kId, kAny };
    Kind kind = Kind::kFixed;
    std::string bytes = {};  // kFixed
    size_t count = 0;        // kAny: exactly so many; 0: up to what follows.
  };
  using Kind = Match::Kind;
  // Each tells how many bytes this piece takes of `rest`.
  struct Step {
    Kind kind = Kind::kNo;
    size_t length = 0;
  };
  static Step Fixed(base::ByteView rest, base::ByteView bytes);
  Step Any(base::ByteView rest, size_t piece) const;
  Step Id(base::ByteView rest, size_t piece, Match& match) const;
  absl::Status Check() const;

  IdPattern id_;
  std::vector<Piece> pieces_;
};

}  // namespace voltwell::gateway
