// Cutting and resynchronising; see frame_cutter.h.
#include "libs/codec/frame/frame_cutter.h"

#include <algorithm>
#include <cstring>

#include "libs/codec/frame/checksum.h"

namespace voltwell::codec::frame {
namespace {

// What a shape says of the bytes from a start byte on; else the size of the frame, whose 16H is in place.
constexpr size_t kNeedsMore = 0;
constexpr size_t kNoFrame = SIZE_MAX;

// First byte that may begin a frame; nullptr: none.
const uint8_t* Find68(const uint8_t* at, size_t size) {
  return static_cast<const uint8_t*>(std::memchr(at, kDlt645Start, size));
}

// Each test is made as soon as its byte is there, so that a start byte in noise does not hold up what follows.
struct Dlt645Shape {
  static constexpr size_t kSecondStart = 7;  // Offset of the second 68H.
  static constexpr size_t kLength = 9;       // Offset of L.

  static bool Starts(uint8_t byte) { return byte == kDlt645Start; }
  static const uint8_t* Find(const uint8_t* at, size_t size) { return Find68(at, size); }
  static size_t Measure(const uint8_t* start, size_t size) {
    if (size <= kSecondStart) return kNeedsMore;
    if (start[kSecondStart] != kDlt645Start) return kNoFrame;
    if (size < kDlt645FrameMin) return kNeedsMore;
    const size_t frame_size = kDlt645FrameMin + start[kLength];
    if (size < frame_size) return kNeedsMore;
    return start[frame_size - 1] == kDlt645End ? frame_size : kNoFrame;
  }
  static bool SumHolds(base::ByteView frame) { return Sum8(frame.first(frame.size() - 2)) == frame[frame.size() - 2]; }
};

// No second 68H tells a false start early; DropStalled is what frees a stream that noise has blocked.
struct Cjt188Shape {
  static constexpr size_t kLength = 10;

  static bool Starts(uint8_t byte) { return byte == kDlt645Start; }
  static const uint8_t* Find(const uint8_t* at, size_t size) { return Find68(at, size); }
  static size_t Measure(const uint8_t* start, size_t size) {
    if (size < kCjt188FrameMin) return kNeedsMore;
    const size_t frame_size = kCjt188FrameMin + start[kLength];
    if (size < frame_size) return kNeedsMore;
    return start[frame_size - 1] == kDlt645End ? frame_size : kNoFrame;
  }
  static bool SumHolds(base::ByteView frame) { return Sum8(frame.first(frame.size() - 2)) == frame[frame.size() - 2]; }
};

struct MbusShape {
  static constexpr size_t kLong = 4;  // Offset of C in a long frame; 1 in a short one.

  static bool Starts(uint8_t byte) { return byte == kDlt645Start || byte == kMbusShortStart || byte == kMbusAck; }
  static const uint8_t* Find(const uint8_t* at, size_t size) {
    const uint8_t* const found = std::find_if(at, at + size, Starts);
    return found == at + size ? nullptr : found;
  }
  static size_t Measure(const uint8_t* start, size_t size) {
    if (*start == kMbusAck) return 1;
    if (*start == kMbusShortStart) {
      if (size >= 2 && (start[1] & 0x80) != 0) return kNoFrame;  // Bit 7 of C is reserved, 0.
      if (size < kMbusShortSize) return kNeedsMore;
      return start[kMbusShortSize - 1] == kDlt645End ? kMbusShortSize : kNoFrame;
    }
    if (size >= 2 && start[1] < kMbusLengthMin) return kNoFrame;
    if (size >= 3 && start[2] != start[1]) return kNoFrame;
    if (size < kLong) return kNeedsMore;
    if (start[kLong - 1] != kDlt645Start) return kNoFrame;
    const size_t frame_size = kMbusLongAround + start[1];
    if (size < frame_size) return kNeedsMore;
    return start[frame_size - 1] == kDlt645End ? frame_size : kNoFrame;
  }
  static bool SumHolds(base::ByteView frame) {
    if (frame.size() == 1) return true;
    const size_t from = frame[0] == kMbusShortStart ? 1 : kLong;
    return Sum8(frame.subspan(from, frame.size() - from - 2)) == frame[frame.size() - 2];
  }
};

}  // namespace

size_t FrameCutter::Push(base::ByteView bytes) {
  if (begin_ == end_) {
    begin_ = 0;
    end_ = 0;
  } else if (begin_ > 0 && bytes.size() > buffer_.size() - end_) {
    // Only what is unfinished moves: fewer than 268 bytes once Next has returned none.
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const size_t taken = std::min(bytes.size(), buffer_.size() - end_);
  if (taken > 0) std::memcpy(buffer_.data() + end_, bytes.data(), taken);
  end_ += taken;
  return taken;
}

template <typename Shape>
std::optional<base::ByteView> FrameCutter::NextOf() {
  while (begin_ < end_) {
    const uint8_t* const start = buffer_.data() + begin_;
    const size_t size = end_ - begin_;
    if (!Shape::Starts(*start)) {
      const uint8_t* const found = Shape::Find(start, size);
      DropNoise(found == nullptr ? size : static_cast<size_t>(found - start));
      continue;
    }
    const size_t frame_size = Shape::Measure(start, size);
    if (frame_size == kNeedsMore) return std::nullopt;
    if (frame_size == kNoFrame) {
      DropNoise(1);
      continue;
    }
    if (!Shape::SumHolds({start, frame_size})) {
      ++counts_.bad_checksums;
      DropNoise(1);
      continue;
    }
    CountFrame(frame_size);
    return base::ByteView(start, frame_size);
  }
  return std::nullopt;
}

std::optional<base::ByteView> FrameCutter::NextDlt645() { return NextOf<Dlt645Shape>(); }
std::optional<base::ByteView> FrameCutter::NextCjt188() { return NextOf<Cjt188Shape>(); }
std::optional<base::ByteView> FrameCutter::NextMbus() { return NextOf<MbusShape>(); }

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
