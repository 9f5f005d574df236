// The command line of voltwell-codec, as a plain class: arguments and streams in, an exit code out.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "libs/codec/profile.h"

namespace voltwell::codec_cli {

inline constexpr int kUnderstood = 0;
inline constexpr int kNotUnderstood = 1;
inline constexpr int kWrongUsage = 2;
// A line of input; longer ones are refused, not cut.
inline constexpr size_t kLineMax = 65'536;

struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

int Run(const std::vector<std::string>& arguments, Streams streams);

}  // namespace voltwell::codec_cli
