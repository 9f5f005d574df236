// Reading *.vec files; see vector_file.h.
#include "libs/codec/vectors/vector_file.h"

#include <fstream>

#include "absl/container/flat_hash_set.h"
#include "libs/base/bytes.h"
#include "libs/base/check.h"

namespace voltwell::codec::vectors {
namespace {

void AddLine(std::vector<Vector>& vectors, const std::string& key, const std::string& rest) {
  static const auto* const kFacts = new absl::flat_hash_set<std::string>{
      "reads",       "reads_block", "relay",   "read_address", "value",         "no_value", "error",  "address",
      "relay_state", "profile",     "write",   "set_clock",    "write_address", "prepay",   "secure", "meter_time",
      "prepaid",     "error_code",  "answers", "data",         "header",        "record",   "link",   "refused"};
  if (key == "vector") {
    vectors.push_back({rest});
    return;
  }
  VW_CHECK(!vectors.empty());
  Vector& vector = vectors.back();
  if (key == "source") {
    vector.source = rest;
  } else if (key == "request" || key == "reply") {
    const auto bytes = base::FromHex(rest);
    VW_CHECK(bytes.ok());
    (key == "request" ? vector.request : vector.reply) = *bytes;
  } else {
    VW_CHECK(kFacts->contains(key));
    vector.facts.emplace_back(key, rest);
  }
}

}  // namespace

std::vector<Vector> Load(const std::string& file) {
  std::ifstream in(std::string(VOLTWELL_VECTORS_DIR) + "/" + file);
  VW_CHECK(in.good());
  std::vector<Vector> vectors;
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.find(' ');
    AddLine(vectors, line.substr(0, space), space == std::string::npos ? "" : line.substr(space + 1));
  }
  return vectors;
}

}  // namespace voltwell::codec::vectors
