// Says in words what each byte of a frame is, in Chinese or English. Any bytes are explained, also broken ones.
#pragma once

#include <string>
#include <vector>

#include "libs/base/bytes.h"
#include "libs/codec/cjt188/frame.h"

namespace voltwell::codec::cjt188 {

struct Span {
  size_t offset = 0;
  size_t length = 0;
  absl::string_view kind = "";
  std::string meaning = "";
  bool understood = true;
  bool secret = false;
};

struct Explained {
  std::vector<Span> spans = {};  // In order, without a gap, none empty, together all bytes.
  std::string summary = "";
  Fault fault = Fault::kNone;  // Of the first frame that is wrong.
  size_t position = 0;         // Its first wrong byte, or one behind the end where a byte is missing.
};

// Secrets are named but never printed in meanings or the summary; spans that hold them are marked.
Explained Explain(base::ByteView bytes, bool chinese);

}  // namespace voltwell::codec::cjt188
