// The bits of error words, in names for programs and in words.
#pragma once

#include <span>

#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"

namespace voltwell::codec::dlt645 {

struct ErrorBit {
  absl::string_view name = "";
  absl::string_view zh = "";
  absl::string_view en = "";
};

// Bit 0 first. One byte is ERR of any function; two bytes are SERR of 03H, or the control error word of 1CH (State Grid
// meters of 2014 and later). Vendors answer 03H with one byte, which then is an ERR. Of these two functions a word of
// any other length is nobody knows what (a vendor's own, or DI before the word): no bit has a name then, and none is
// told.
std::span<const ErrorBit> ErrorBitsOf(uint8_t function, size_t size);

// The word itself, low byte first, without 33H; zero for no data.
uint32_t ErrorWord(base::ByteView data);

}  // namespace voltwell::codec::dlt645
