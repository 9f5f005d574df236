// Bytes that a box sends by itself between frames: its heartbeat, and (some boxes) its registration packet again before
// each packet. They are taken out at frame boundaries only, glued to a frame or not; the same bytes inside a frame are
// data. Pure.
#pragma once

#include <array>
#include <cstddef>

#include "libs/base/bytes.h"

namespace voltwell::gateway {

class Keepalives {
 public:
  // Both views must outlive this. Empty: there is none.
  Keepalives(base::ByteView heartbeat, base::ByteView registration) : patterns_({heartbeat, registration}) {}
  Keepalives() = default;

  struct Found {
    size_t at = 0;      // bytes.size() when none is in there.
    size_t length = 0;  // Of the one found; 0: none.
  };
  // The first whole one.
  Found Find(base::ByteView bytes) const;
  // How many of the last bytes may be the beginning of one that is still on its way.
  size_t UnfinishedTail(base::ByteView bytes) const;
  // What is left of bytes that came while nothing was asked: all that is no keepalive.
  size_t CountNoise(base::ByteView bytes) const;

 private:
  std::array<base::ByteView, 2> patterns_ = {};
};

}  // namespace voltwell::gateway
