// Frames a second on one core: R21a (stream cut, resynchronised, checksum verified), R21b (reply decoded to a typed
// value), R21c (read request encoded) and R21d (the cost of garbage). Prints
// `R21a <number> frames/s <what>` lines for tools/bench.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/dlt645/reply.h"
#include "libs/codec/dlt645/request.h"
#include "libs/codec/frame/frame_cutter.h"

namespace {

using namespace voltwell;  // NOLINT(google-build-using-namespace): a program of one file.
using codec::frame::FrameCutter;
using codec::frame::FrameKind;
using Clock = std::chrono::steady_clock;

constexpr double kSeconds = 0.5;
constexpr int kRounds = 5;         // The best is taken: others share the machine.
constexpr size_t kFrames = 4096;   // A stream of 80 kB: larger than the first cache, as a real one.
constexpr size_t kSegment = 1460;  // A TCP segment; frames straddle its ends.

double Since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Calls per second of `step`, which returns how many things it did.
template <typename Step>
double PerSecond(Step step) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = Clock::now();
    size_t done = 0;
    double took = 0;
    while (took < kSeconds) {
      done += step();
      took = Since(begin);
    }
    best = std::max(best, static_cast<double>(done) / took);
  }
  return best;
}

// Replies with forward energy, 20 bytes each, with different values.
std::vector<std::string> Replies() {
  std::vector<std::string> frames;
  std::mt19937 random(1);
  for (size_t i = 0; i < kFrames; ++i) {
    std::string data = *base::FromHex("00000100");
    for (int byte = 0; byte < 4; ++byte) data.push_back(static_cast<char>(random() % 10 * 16 + random() % 10));
    frames.push_back(
        codec::dlt645::BuildFrame(*codec::dlt645::ParseAddress("202411110002"), 0x91, base::AsBytes(data)));
  }
  return frames;
}

// Cuts the stream in segments; returns the frames found.
template <typename OnFrame>
size_t CutStream(FrameCutter& cutter, const std::string& stream, OnFrame on_frame) {
  size_t frames = 0;
  base::ByteView left = base::AsBytes(stream);
  while (!left.empty()) {
    left = left.subspan(cutter.Push(left.first(std::min(left.size(), kSegment))));
    while (const auto frame = cutter.Next()) {
      on_frame(*frame);
      ++frames;
    }
  }
  return frames;
}

void BenchFrames() {
  const std::vector<std::string> replies = Replies();
  std::string clean;
  std::string noisy;
  std::mt19937 random(2);
  for (const std::string& reply : replies) {
    clean += reply;
    // As many bytes of garbage as of frames.
    for (size_t i = 0; i < reply.size(); ++i) noisy.push_back(static_cast<char>(random()));
    noisy += reply;
  }
  FrameCutter cutter(FrameKind::kDlt645);
  uint64_t bytes = 0;
  const double cut =
      PerSecond([&] { return CutStream(cutter, clean, [&](base::ByteView frame) { bytes += frame.size(); }); });
  std::printf("R21a %.3e frames/s cut, resynchronised and checked, 20 bytes each\n", cut);
  const double cut_noisy =
      PerSecond([&] { return CutStream(cutter, noisy, [&](base::ByteView frame) { bytes += frame.size(); }); });
  std::printf("frames %.3e frames/s with as many bytes of garbage between them\n", cut_noisy);
  // Twice the bytes for each frame: by the byte, garbage costs half of the ratio.
  std::printf("R21d %.2f cost of a byte when half of them are garbage, against frames only\n", cut / cut_noisy / 2);

  std::vector<codec::dlt645::Field> fields;
  fields.reserve(8);
  int64_t sum = 0;
  const double decoded = PerSecond([&] {
    for (const std::string& reply : replies) {
      fields.clear();
      VW_CHECK(codec::dlt645::DecodeReadReply(base::AsBytes(reply), fields));
      sum += fields[0].value.number.units();
    }
    return replies.size();
  });
  std::printf("R21b %.3e frames/s reply checked and decoded to an exact value\n", decoded);
  const double both = PerSecond([&] {
    return CutStream(cutter, clean, [&](base::ByteView frame) {
      fields.clear();
      codec::dlt645::DecodeReadReply(frame, fields);
      sum += fields[0].value.number.units();
    });
  });
  std::printf("frames %.3e frames/s cut from the stream and decoded\n", both);
  VW_CHECK(bytes > 0 && sum != 0);
}

void BenchEncode() {
  // Other meters and registers each time, into the same buffer.
  std::vector<codec::dlt645::Address> meters;
  for (size_t i = 0; i < kFrames; ++i) {
    meters.push_back(*codec::dlt645::ParseAddress(std::to_string(202411110000 + i)));
  }
  std::array<uint8_t, codec::dlt645::kReadRequestMax> request;
  uint64_t sum = 0;
  uint32_t tariff = 0;
  const double encoded = PerSecond([&] {
    for (const codec::dlt645::Address& meter : meters) {
      tariff = (tariff + 0x100) & 0x300;
      const size_t size = codec::dlt645::EncodeRead(codec::dlt645::Edition::k2007, meter, 0x00010000 + tariff, request);
      sum += request[size - 2];
    }
    return meters.size();
  });
  std::printf("R21c %.3e frames/s read request encoded into a buffer\n", encoded);
  VW_CHECK(sum > 0);
}

}  // namespace

int main() {
  BenchFrames();
  BenchEncode();
  return 0;
}
