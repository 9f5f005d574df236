// The frames that answered an item, exchange by exchange. All of them in one piece of memory, and none of the heap's
// for one short answer: nearly every item has just that, and memory that one thread takes and another gives back costs
// more than cutting the frame does. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "libs/base/bytes.h"

namespace voltwell::gateway {

class Replies {
 public:
  // A further exchange was executed; what is added from here on answered it.
  void Begin() { marks_.push_back(kExchange); }
  // One frame, not empty.
  void Add(base::ByteView frame) {
    marks_.push_back(static_cast<uint32_t>(frame.size()));
    bytes_.insert(bytes_.end(), frame.begin(), frame.end());
  }
  void clear() {
    marks_.clear();
    bytes_.clear();
  }

  // Calls `exchange()` at the beginning of each and `frame(view)` for each of its frames.
  template <typename OnExchange, typename OnFrame>
  void Walk(const OnExchange& exchange, const OnFrame& frame) const {
    size_t at = 0;
    for (const uint32_t mark : marks_) {
      if (mark == kExchange) {
        exchange();
      } else {
        frame(base::ByteView(bytes_.data() + at, mark));
        at += mark;
      }
    }
  }

  // Copies, for tests and for whoever needs them by number.
  std::vector<std::vector<std::string>> All() const {
    std::vector<std::vector<std::string>> all;
    Walk([&all] { all.emplace_back(); }, [&all](base::ByteView frame) { all.back().push_back(base::ToString(frame)); });
    return all;
  }
  std::vector<std::string> operator[](size_t exchange) const { return All().at(exchange); }
  size_t size() const { return All().size(); }
  friend bool operator==(const Replies& replies, const std::vector<std::vector<std::string>>& expected) {
    return replies.All() == expected;
  }

 private:
  static constexpr uint32_t kExchange = 0;  // A frame has at least one byte.
  absl::InlinedVector<uint8_t, 48> bytes_;
  absl::InlinedVector<uint32_t, 4> marks_;
};

}  // namespace voltwell::gateway
