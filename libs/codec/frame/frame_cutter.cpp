// Cutting and resynchronising; see frame_cutter.h.
#include "libs/codec/frame/frame_cutter.h"

#include <algorithm>
#include <cstring>

#include "libs/codec/frame/checksum.h"

namespace voltwell::codec::frame {
namespace {

constexpr size_t kSecondStart = 7;  // Offset of the second 68H.
constexpr size_t kLength = 9;       // Offset of L.

}  // namespace

size_t FrameCutter::Push(base::ByteView bytes) {
  if (begin_ == end_) {
    begin_ = 0;
    end_ = 0;
  } else if (begin_ > 0 && bytes.size() > buffer_.size() - end_) {
    // Only what is unfinished moves: fewer than 267 bytes once Next has returned none.
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const size_t taken = std::min(bytes.size(), buffer_.size() - end_);
  if (taken > 0) std::memcpy(buffer_.data() + end_, bytes.data(), taken);
  end_ += taken;
  return taken;
}

std::optional<base::ByteView> FrameCutter::Next() {
  while (begin_ < end_) {
    const uint8_t* const start = buffer_.data() + begin_;
    const size_t size = end_ - begin_;
    if (*start != kDlt645Start) {
      const void* const found = std::memchr(start, kDlt645Start, size);
      DropNoise(found == nullptr ? size : static_cast<size_t>(static_cast<const uint8_t*>(found) - start));
      continue;
    }
    // Each test is made as soon as its byte is there, so that a 68H in noise does not hold up what follows.
    if (size <= kSecondStart) return std::nullopt;
    if (start[kSecondStart] != kDlt645Start) {
      DropNoise(1);
      continue;
    }
    if (size < kDlt645FrameMin) return std::nullopt;
    const size_t frame_size = kDlt645FrameMin + start[kLength];
    if (size < frame_size) return std::nullopt;
    if (start[frame_size - 1] != kDlt645End) {
      DropNoise(1);
      continue;
    }
    if (Sum8({start, frame_size - 2}) != start[frame_size - 2]) {
      ++counts_.bad_checksums;
      DropNoise(1);
      continue;
    }
    CountFrame(frame_size);
    return base::ByteView(start, frame_size);
  }
  return std::nullopt;
}

bool FrameCutter::DropStalled() {
  if (begin_ == end_) return false;
  DropNoise(1);
  return true;
}

void FrameCutter::Reset() {
  DropNoise(end_ - begin_);
  dropped_preambles_ = 0;
  begin_ = 0;
  end_ = 0;
}

// Noise is counted when it is dropped and FE taken back when a frame turns out to follow: looking at the last bytes
// only keeps garbage cheap.
void FrameCutter::DropNoise(size_t count) {
  const uint8_t* const end = buffer_.data() + begin_ + count;
  size_t preambles = 0;
  while (preambles < count && *(end - 1 - preambles) == kPreamble) ++preambles;
  dropped_preambles_ = preambles == count ? dropped_preambles_ + count : preambles;
  counts_.noise_bytes += count;
  begin_ += count;
}

void FrameCutter::CountFrame(size_t size) {
  counts_.noise_bytes -= dropped_preambles_;
  dropped_preambles_ = 0;
  ++counts_.frames;
  begin_ += size;
}

}  // namespace voltwell::codec::frame
