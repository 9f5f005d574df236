// Says in words what each byte of a frame is, for people who look at a line. Any bytes are explained, also broken ones.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"

namespace voltwell::codec::dlt645 {

struct Span {
  size_t offset = 0;
  size_t length = 0;
  absl::string_view kind = "";  // "preamble", "start", "address", "control", "length", "data identifier", "value", ...
  std::string meaning = "";
  bool secret = false;  // A password or operator code: shown to few.
};

struct Explained {
  std::vector<Span> spans = {};  // In order, without a gap, none empty, together all bytes.
  std::string summary = "";
  bool understood = false;  // The shape is DL/T 645 and the checksum holds.
};

// Secrets are named but never printed in meanings or the summary; spans that hold them are marked.
Explained Explain(base::ByteView bytes);

}  // namespace voltwell::codec::dlt645
