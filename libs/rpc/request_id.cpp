#include "libs/rpc/request_id.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "libs/base/bytes.h"
#include "libs/os/random.h"

namespace voltwell::rpc {

std::string NewRequestId() {
  os::SystemRandom random;
  return base::ToHex(base::AsBytes(random.Bytes(8)));
}

std::string CleanRequestId(const std::string& sent) {
  const auto allowed = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-'; };
  return sent.size() <= 64 && std::all_of(sent.begin(), sent.end(), allowed) ? sent : std::string();
}

}  // namespace voltwell::rpc
