// A list that only grows and never moves what is in it, by chunks: a place costs its bytes and nothing besides, where a
// deque of libstdc++ adds a tenth to what is larger than a hundred bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace voltwell::gateway {

template <typename T, size_t kChunk = 256>
class Slab {
 public:
  T& operator[](size_t index) { return chunks_[index / kChunk][index % kChunk]; }
  const T& operator[](size_t index) const { return chunks_[index / kChunk][index % kChunk]; }
  size_t size() const { return size_; }
  // Its index is size() - 1 afterwards.
  T& Add() {
    if (size_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<T[]>(kChunk));
    return (*this)[size_++];
  }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
  size_t size_ = 0;
};

}  // namespace voltwell::gateway
