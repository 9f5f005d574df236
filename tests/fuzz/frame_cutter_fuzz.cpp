// Any stream, split anywhere: every frame given out is whole and right, every byte is accounted for, and how the stream
// was split changes nothing.
#include <algorithm>
#include <string>
#include <vector>

#include "libs/base/check.h"
#include "libs/codec/frame/checksum.h"
#include "libs/codec/frame/frame_cutter.h"

namespace {

using voltwell::base::ByteView;
using voltwell::codec::frame::FrameCutter;
using voltwell::codec::frame::FrameKind;

struct Result {
  std::vector<std::string> frames;
  uint64_t noise_bytes;
  uint64_t bad_checksums;
  bool operator==(const Result&) const = default;
};

// The size that the frame states itself, and from where to where its checksum runs.
void CheckFrame(FrameKind kind, ByteView frame) {
  if (kind == FrameKind::kMbus && frame[0] == 0xE5) {
    VW_CHECK(frame.size() == 1);
    return;
  }
  VW_CHECK(frame.back() == 0x16);
  size_t sum_from = 0;
  if (kind == FrameKind::kDlt645) {
    VW_CHECK(frame[0] == 0x68 && frame[7] == 0x68 && frame.size() == size_t{12} + frame[9]);
  } else if (kind == FrameKind::kCjt188) {
    VW_CHECK(frame[0] == 0x68 && frame.size() == size_t{13} + frame[10]);
  } else if (frame[0] == 0x10) {
    VW_CHECK(frame.size() == 5);
    sum_from = 1;
  } else {
    VW_CHECK(frame[0] == 0x68 && frame[3] == 0x68 && frame[1] == frame[2] && frame.size() == size_t{6} + frame[1]);
    sum_from = 4;
  }
  const ByteView summed = frame.subspan(sum_from, frame.size() - sum_from - 2);
  VW_CHECK(voltwell::codec::frame::Sum8(summed) == frame[frame.size() - 2]);
}

Result Cut(FrameKind kind, ByteView stream, size_t piece) {
  FrameCutter cutter(kind);
  std::vector<std::string> frames;
  size_t frame_bytes = 0;
  const auto take = [&] {
    while (const auto frame = cutter.Next()) {
      CheckFrame(kind, *frame);
      frame_bytes += frame->size();
      frames.push_back(voltwell::base::ToString(*frame));
    }
    VW_CHECK(cutter.pending() < voltwell::codec::frame::kFrameMax);
  };
  for (size_t at = 0; at < stream.size();) {
    const ByteView rest = stream.subspan(at, std::min(piece, stream.size() - at));
    const size_t taken = cutter.Push(rest);
    VW_CHECK(taken > 0);
    at += taken;
    take();
  }
  while (cutter.DropStalled()) take();
  // What is neither frame nor noise is a preamble.
  VW_CHECK(frame_bytes + cutter.counts().noise_bytes <= stream.size());
  return {frames, cutter.counts().noise_bytes, cutter.counts().bad_checksums};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView stream(data + 1, size - 1);
  for (const FrameKind kind : {FrameKind::kDlt645, FrameKind::kCjt188, FrameKind::kMbus}) {
    VW_CHECK(Cut(kind, stream, 1 + data[0]) == Cut(kind, stream, 1));
  }
  return 0;
}
