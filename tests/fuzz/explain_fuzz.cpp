// Any bytes, taken for any protocol or guessed, in either language: every byte is explained once and in order, and what
// is wrong has a name and a position inside. The first byte chooses, the rest is explained.
#include <cstdint>

#include "absl/strings/numbers.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/codec/codec.h"

using namespace voltwell;  // NOLINT(google-build-using-namespace): a program of one file.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const base::ByteView bytes(data + 1, size - 1);
  const codec::ExplainOptions options = {.protocol = static_cast<codec::Protocol>(data[0] % 5),
                                         .language = static_cast<codec::Language>(data[0] / 5 % 2),
                                         .show_secrets = data[0] / 10 % 2 == 1};
  const auto explained = codec::Explain(bytes, options);
  if (!explained.ok()) {
    VW_CHECK(base::ReasonOf(explained.status()) == "FRAME_TOO_LONG" && bytes.size() > codec::kExplainMax);
    return 0;
  }
  size_t at = 0;
  for (const codec::Explanation& part : explained->explanations) {
    VW_CHECK(part.offset == at && part.length > 0 && !part.meaning.empty());
    at += part.length;
  }
  VW_CHECK(at == bytes.size());
  if (explained->error.ok()) return 0;
  VW_CHECK(!base::ReasonOf(explained->error).empty());
  size_t position = 0;
  for (const auto& [key, value] : base::MetadataOf(explained->error)) {
    if (key == "position") VW_CHECK(absl::SimpleAtoi(value, &position) && position <= bytes.size());
  }
  return 0;
}
