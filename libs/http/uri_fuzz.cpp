// Targets and queries as anybody may send them: nothing crashes, nothing is read beyond its end, what is decoded holds
// no zero.
#include <cstdint>
#include <cstdlib>

#include "libs/http/uri.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto target = voltwell::http::ParseTarget(text);
  if (target.has_value()) {
    if (target->path.empty() || target->path.find('\0') != std::string::npos) std::abort();
    voltwell::http::ParseQuery(target->query);
  }
  const auto query = voltwell::http::ParseQuery(text);
  if (query.has_value() && query->size() > voltwell::http::kQueryParametersMax) std::abort();
  const auto decoded = voltwell::http::PercentDecode(text, true);
  if (decoded.has_value() && decoded->size() > text.size()) std::abort();
  return 0;
}
