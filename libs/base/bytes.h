// Bytes as we pass and print them: a view for arguments, std::string for ownership (as protobuf's bytes), hex for
// people.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::base {

using ByteView = std::span<const uint8_t>;

inline ByteView AsBytes(absl::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }
inline std::string ToString(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Upper case, no separators: {0x68, 0x0a} is "680A".
std::string ToHex(ByteView bytes);

// Accepts both cases and spaces between bytes. InvalidArgument BAD_HEX with metadata position otherwise.
absl::StatusOr<std::string> FromHex(absl::string_view hex);

}  // namespace voltwell::base
