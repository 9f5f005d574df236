// Requests out of the bytes of an M-Bus line, and what the park file says of its meters.
#include <algorithm>
#include <deque>
#include <numeric>

#include "tools/field_sim/mbus_meter.h"

namespace voltwell::field_sim {
namespace {

constexpr size_t kHeardMax = 1024;

class MbusCutter : public Cutter {
 public:
  void Append(Bytes bytes) override {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    while (buffer_.size() > kHeardMax) buffer_.pop_front();
  }
  bool Next(std::string* frame) override;
  void Clear() override { buffer_.clear(); }
  bool empty() const override { return buffer_.empty(); }
  uint64_t bad_frames() const override { return bad_frames_; }

 private:
  // Size of the frame that begins here; 0: not yet known; -1: none does.
  int SizeHere() const;

  std::deque<uint8_t> buffer_;
  uint64_t bad_frames_ = 0;
};

int MbusCutter::SizeHere() const {
  if (buffer_[0] == 0x10) return 5;
  if (buffer_[0] != 0x68) return -1;
  if (buffer_.size() < 4) return 0;
  if (buffer_[1] != buffer_[2] || buffer_[3] != 0x68 || buffer_[1] < 3) return -1;
  return buffer_[1] + 6;
}

bool MbusCutter::Next(std::string* frame) {
  while (!buffer_.empty()) {
    const int size = SizeHere();
    if (size == 0 || (size > 0 && buffer_.size() < static_cast<size_t>(size))) return false;
    if (size < 0) {
      buffer_.pop_front();
      continue;
    }
    const auto end = buffer_.begin() + size;
    const int sum = std::accumulate(buffer_.begin() + (size == 5 ? 1 : 4), end - 2, 0);
    if (*(end - 1) != 0x16 || static_cast<uint8_t>(sum) != *(end - 2)) {
      ++bad_frames_;
      buffer_.pop_front();
      continue;
    }
    frame->assign(buffer_.begin(), end);
    buffer_.erase(buffer_.begin(), end);
    return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<Cutter> MakeMbusCutter() { return std::make_unique<MbusCutter>(); }

// "p5", eight digits, or 16 with manufacturer, version and medium.
bool IsMbusMeterAddress(absl::string_view text) {
  if (!text.empty() && text[0] == 'p') {
    const absl::string_view digits = text.substr(1);
    if (digits.empty() || digits.size() > 3) return false;
    int number = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return false;
      number = 10 * number + (c - '0');
    }
    return number <= 250;
  }
  if (text.size() != 8 && text.size() != 16) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_hex = [&](char c) { return is_digit(c) || (c >= 'A' && c <= 'F'); };
  return std::all_of(text.begin(), text.begin() + 8, is_digit) && std::all_of(text.begin() + 8, text.end(), is_hex);
}

void ReadMbusFields(ObjectReader& fields, ParkMeter* meter) {
  ParkMbus& own = meter->mbus;
  own.primary = static_cast<int>(fields.Int("primary", 0, 0, 250));
  own.telegrams = static_cast<int>(fields.Int("telegrams", 1, 1, 3));
  own.ignores_fcb = fields.Flag("ignores_fcb", false);
  own.silent_reset = fields.Flag("silent_reset", false);
}

void WriteMbusFields(const ParkMeter& meter, nlohmann::json* out) {
  (*out)["primary"] = meter.mbus.primary;
  (*out)["telegrams"] = meter.mbus.telegrams;
  (*out)["ignores_fcb"] = meter.mbus.ignores_fcb;
  (*out)["silent_reset"] = meter.mbus.silent_reset;
}

}  // namespace voltwell::field_sim
