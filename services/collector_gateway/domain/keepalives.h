// Bytes that a box sends by itself between frames: its heartbeat, and (some boxes) its registration packet again before
// each packet. They are taken out at frame boundaries only, glued to a frame or not; the same bytes inside a frame are
// data. Pure.
#pragma once

#include <array>
#include <cstddef>

#include "libs/base/bytes.h"
#include "services/collector_gateway/domain/packet_template.h"

namespace voltwell::gateway {

// How many of each were taken out: dialects may want an answer to each.
struct KeepalivesSeen {
  int heartbeats = 0;
  int registrations = 0;
};

class Keepalives {
 public:
  // What is looked for: these bytes, or a template with this id.
  struct Pattern {
    base::ByteView bytes = {};
    const PacketTemplate* form = nullptr;
    base::ByteView id = {};
    bool empty() const { return form == nullptr ? bytes.empty() : form->empty(); }
  };
  // All views must outlive this. Empty: there is none.
  Keepalives(Pattern heartbeat, Pattern registration) : patterns_({heartbeat, registration}) {}
  Keepalives(base::ByteView heartbeat, base::ByteView registration)
      : Keepalives(Pattern{heartbeat}, Pattern{registration}) {}
  Keepalives() = default;

  struct Found {
    size_t at = 0;           // bytes.size() when none is in there.
    size_t length = 0;       // Of the one found; 0: none.
    bool heartbeat = false;  // Else the registration.
  };
  // Walks over the bytes of one read. Each pattern is sought through them once, however many of the other are found:
  // a read full of heartbeats must not cost its square.
  class Search {
   public:
    // Both must outlive this.
    Search(const Keepalives& keepalives, base::ByteView bytes) : keepalives_(keepalives), bytes_(bytes) {}
    // The first whole one in the last `left` bytes, its place counted from there; `left` never grows.
    Found Next(size_t left);

   private:
    struct Place {
      size_t at = 0;
      size_t length = 0;  // 0: nowhere in what is left.
      bool sought = false;
    };
    const Keepalives& keepalives_;
    base::ByteView bytes_;
    std::array<Place, 2> places_ = {};
  };
  // A whole one at the first byte: the longer of two.
  struct Start {
    size_t length = 0;  // 0: none.
    bool heartbeat = false;
    bool may_be = false;  // So far the bytes fit one; further ones will tell.
  };
  Start AtStart(base::ByteView bytes) const;
  // How many of the last bytes may be the beginning of one that is still on its way.
  size_t UnfinishedTail(base::ByteView bytes) const;
  // What is left of bytes that came while nothing was asked: all that is no keepalive. Adds to `seen`.
  size_t CountNoise(base::ByteView bytes, KeepalivesSeen& seen) const;
  size_t CountNoise(base::ByteView bytes) const;
  static void Count(const Found& found, KeepalivesSeen& seen);

 private:
  std::array<Pattern, 2> patterns_ = {};
};

}  // namespace voltwell::gateway
