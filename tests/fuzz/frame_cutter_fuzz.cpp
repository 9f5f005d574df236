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

Result Cut(ByteView stream, size_t piece) {
  FrameCutter cutter(FrameKind::kDlt645);
  std::vector<std::string> frames;
  size_t frame_bytes = 0;
  const auto take = [&] {
    while (const auto frame = cutter.Next()) {
      VW_CHECK(frame->size() == size_t{12} + (*frame)[9]);
      VW_CHECK(frame->front() == 0x68 && frame->back() == 0x16);
      VW_CHECK(voltwell::codec::frame::Sum8(frame->first(frame->size() - 2)) == (*frame)[frame->size() - 2]);
      frame_bytes += frame->size();
      frames.push_back(voltwell::base::ToString(*frame));
    }
    VW_CHECK(cutter.pending() < voltwell::codec::frame::kDlt645FrameMax);
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
  VW_CHECK(Cut(stream, 1 + data[0]) == Cut(stream, 1));
  return 0;
}
