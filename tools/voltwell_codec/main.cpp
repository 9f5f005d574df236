// voltwell-codec; see README.md.
#include <iostream>

#include "tools/voltwell_codec/cli.h"

int main(int argc, char** argv) {
  return voltwell::codec_cli::Run({argv + 1, argv + argc}, {std::cin, std::cout, std::cerr});
}
