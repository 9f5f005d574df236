// M-Bus frames and records a second on one core (R20): ours decoded to typed, exact records, libmbus parsed only. The
// same public frames, turn by turn in the same run; the best turn of each counts, since others share the machine.
// Usage: mbus_bench [shared library of libmbus, see tools/suite/libmbus.py]. Prints lines for tools/bench.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/check.h"
#include "libs/codec/mbus/telegram.h"
#include "libs/codec/mbus/value.h"
#include "libs/codec/vectors/vector_file.h"

namespace {

using namespace voltwell;  // NOLINT(google-build-using-namespace): a program of one file.
using Clock = std::chrono::steady_clock;
using Parse = long (*)(const unsigned char*, size_t);

constexpr int kTurns = 100;
// Over all frames, each turn: about 2 ms for either, so that what else the machine does hits both alike.
constexpr int kPasses = 400;
constexpr int kPeerPasses = 50;

// What one turn did.
struct Rate {
  double frames = 0;
  double records = 0;
};

template <typename Step>
Rate RateOf(const std::vector<std::string>& frames, int passes, Step step) {
  const auto begin = Clock::now();
  size_t records = 0;
  for (int pass = 0; pass < passes; ++pass) {
    for (const std::string& frame : frames) records += step(frame);
  }
  const double took = std::chrono::duration<double>(Clock::now() - begin).count();
  return {static_cast<double>(frames.size()) * passes / took, static_cast<double>(records) / took};
}

void KeepBest(Rate rate, Rate& best) {
  if (rate.frames > best.frames) best = rate;
}

// Telegrams that meters sent; what was worked by hand and what must be refused is no measure of speed.
std::vector<std::string> PublicTelegrams() {
  std::vector<std::string> frames;
  for (const codec::vectors::Vector& vector : codec::vectors::Load("mbus.vec")) {
    const bool is_public = vector.source.rfind("public frame", 0) == 0;
    if (is_public && !vector.reply.empty() && vector.facts.front().first == "header") frames.push_back(vector.reply);
  }
  return frames;
}

Parse LoadPeer(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "mbus_bench: %s\n", dlerror());
    std::exit(1);
  }
  const auto parse = reinterpret_cast<Parse>(dlsym(library, "voltwell_libmbus_parse"));
  VW_CHECK(parse != nullptr);
  return parse;
}

long Run(Parse parse, const std::string& frame) {
  return parse(reinterpret_cast<const unsigned char*>(frame.data()), frame.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> frames = PublicTelegrams();
  const Parse parse = argc > 1 ? LoadPeer(argv[1]) : nullptr;
  if (parse != nullptr) {
    const size_t refused = std::erase_if(frames, [parse](const std::string& frame) { return Run(parse, frame) < 0; });
    std::printf("frames %zu, %zu that libmbus refuses left out\n", frames.size(), refused);
  }
  VW_CHECK(frames.size() > 20);
  const auto telegram = std::make_unique<codec::mbus::Telegram>();
  const auto decode = [&](const std::string& frame) {
    VW_CHECK(codec::mbus::DecodeTelegram(base::AsBytes(frame), *telegram).ok());
    return telegram->count;
  };
  int64_t sum = 0;
  const auto values = [&](const std::string& frame) {
    decode(frame);
    for (const codec::mbus::Record& record : telegram->records()) {
      if (const auto number = codec::mbus::NumberOf(record)) sum += number->units();
      if (record.kind == codec::mbus::ValueKind::kDateTime) sum += codec::mbus::TimeOf(record).minute;
    }
    return telegram->count;
  };
  const auto peer = [&](const std::string& frame) {
    const long records = Run(parse, frame);
    VW_CHECK(records >= 0);
    return static_cast<size_t>(records);
  };
  Rate ours, with_values, theirs;
  for (int turn = 0; turn < kTurns; ++turn) {
    KeepBest(RateOf(frames, kPasses, decode), ours);
    KeepBest(RateOf(frames, kPasses, values), with_values);
    if (parse != nullptr) KeepBest(RateOf(frames, kPeerPasses, peer), theirs);
  }
  VW_CHECK(sum != 0);
  std::printf("R20 %.4e frames/s decoded to typed records, %.3e records/s\n", ours.frames, ours.records);
  std::printf("mbus %.3e records/s with every number as a decimal and every time as a date\n", with_values.records);
  if (parse != nullptr) std::printf("libmbus %.4e frames/s parsed, %.3e records/s\n", theirs.frames, theirs.records);
  return 0;
}
