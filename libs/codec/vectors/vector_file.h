// Reads recorded frames (*.vec, see dlt645_2007.vec for the format). For tests only.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace voltwell::codec::vectors {

struct Vector {
  std::string id = {};
  std::string source = {};
  std::string request = {};  // Bytes; empty: none.
  std::string reply = {};
  std::vector<std::pair<std::string, std::string>> facts = {};  // Key and the rest of the line, in order.
};

// By file name in libs/codec/vectors of the source tree. Stops the test on a line it does not know.
std::vector<Vector> Load(const std::string& file);

}  // namespace voltwell::codec::vectors
