#include "tools/field_sim/bus.h"

#include <algorithm>

#include "tools/field_sim/meter.h"

namespace voltwell::field_sim {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kBitsPerByte = 11;            // Start, eight data bits, even parity, stop.
constexpr int64_t kByteGapNs = 500 * kNsPerMs;  // After such a pause in a frame the meters give it up.

uint64_t SeedOf(const std::string& text, uint64_t seed) {
  for (const char c : text) seed = (seed ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  return seed;
}

}  // namespace

Bus::Bus(const ParkBus& config, const ParkCollector& collector, const LoadSettings& settings, Moment start)
    : config_(config),
      collector_(collector),
      ns_per_byte_(config.wire_time ? kBitsPerByte * 1'000'000'000 / config.baud : 0),
      random_(SeedOf(config.registration, settings.seed)) {
  devices_.reserve(config.meters.size());
  for (const ParkMeter& meter : config.meters) {
    by_address_.emplace(meter.address, devices_.size());
    if (meter.kind == MeterKind::kReplay) {
      devices_.push_back(std::make_unique<ReplayMeter>(meter));
    } else {
      devices_.push_back(std::make_unique<Meter>(meter, settings, start));
    }
  }
}

Device* Bus::Find(Address address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : devices_[found->second].get();
}

void Bus::Reset() {
  pending_.clear();
  cutter_.Clear();
  uart_free_ns_ = reply_from_ns_ = reply_until_ns_ = 0;
}

void Bus::AppendRandom(size_t count, std::string* out) {
  for (size_t i = 0; i < count; ++i) out->push_back(static_cast<char>(random_.Next()));
}

std::string Bus::Babble() {
  std::string bytes;
  AppendRandom(static_cast<size_t>(config_.babble_bytes), &bytes);
  return bytes;
}

void Bus::Receive(Bytes bytes, Moment now, std::string* out) {
  if (!cutter_.empty() && now.mono_ns - last_byte_ns_ > kByteGapNs) cutter_.Clear();
  last_byte_ns_ = now.mono_ns;
  const int64_t from = std::max(now.mono_ns, uart_free_ns_);
  const int64_t until = from + WireNs(bytes.size());
  uart_free_ns_ = until;
  if (config_.echo) {
    std::string echo(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    config_.wire_time ? Queue(until, std::move(echo)) : static_cast<void>(out->append(echo));
  }
  if (config_.wire_time && from < reply_until_ns_ && until > reply_from_ns_) {
    // Two talk at once: neither is understood.
    ++counts_.collisions;
    cutter_.Clear();
    for (Segment& segment : pending_) {
      for (char& c : segment.bytes) c = static_cast<char>(c & static_cast<char>(random_.Next()));
    }
    return;
  }
  cutter_.Append(bytes);
  while (cutter_.Next(&request_)) Handle(request_, now, until, out);
}

// The one meter that is meant; or all that the pattern fits, whose answers then lie over each other on the wire.
size_t Bus::AnswerAll(const Request& request, Moment now, Device** speaker) {
  if (request.address == kBroadcast || HasWildcard(request.address)) {
    std::array<uint8_t, kMaxAnswer> other;
    size_t length = 0;
    for (const auto& device : devices_) {
      if (request.address != kBroadcast && !AddressMatches(request.address, device->config().address)) continue;
      if (random_.Happens(device->faults().silence_rate)) continue;
      const size_t size = device->Answer(request, now, length == 0 ? answer_ : other);
      if (size == 0) continue;
      *speaker = device.get();
      // A dominant zero wins on the line.
      if (length != 0) {
        for (size_t i = 0; i < std::min(size, length); ++i) answer_[i] &= other[i];
      }
      length = std::max(length, size);
    }
    return length;
  }
  Device* device = Find(request.address);
  if (device == nullptr || (device->has_faults() && random_.Happens(device->faults().silence_rate))) return 0;
  *speaker = device;
  return device->Answer(request, now, answer_);
}

void Bus::Handle(const Request& request, Moment now, int64_t heard_ns, std::string* out) {
  ++counts_.requests;
  Device* speaker = nullptr;
  const size_t size = AnswerAll(request, now, &speaker);
  if (size == 0) {
    ++counts_.unanswered;
    return;
  }
  reply_.assign(reinterpret_cast<const char*>(answer_.data()), size);
  const Faults* faults = speaker->has_faults() ? &speaker->faults() : nullptr;
  if (faults != nullptr) {
    if (random_.Happens(faults->drop_reply_rate)) {
      ++counts_.unanswered;
      return;
    }
    Spoil(*faults, &reply_);
  }
  ++counts_.replies;
  SendReply(faults, heard_ns, out);
}

void Bus::Spoil(const Faults& faults, std::string* answer) {
  if (random_.Happens(faults.wrong_address_rate) && answer->size() > 12) {
    const size_t start = answer->find('\x68');
    // The lowest address byte and the checksum both grow by one: a valid frame of a neighbour.
    (*answer)[start + 1] = static_cast<char>((*answer)[start + 1] + 1);
    (*answer)[answer->size() - 2] = static_cast<char>((*answer)[answer->size() - 2] + 1);
  }
  const std::string clean = *answer;
  if (random_.Happens(faults.bad_checksum_rate)) {
    (*answer)[answer->size() - 2] = static_cast<char>((*answer)[answer->size() - 2] ^ 0x5A);
  }
  if (random_.Happens(faults.noise_inside_rate)) {
    answer->insert(answer->begin() + static_cast<std::ptrdiff_t>(1 + random_.Below(answer->size() - 1)),
                   static_cast<char>(random_.Next()));
  }
  if (random_.Happens(faults.garbage_rate)) {
    const size_t size = answer->size();
    answer->clear();
    AppendRandom(size, answer);
  }
  answer->insert(0, static_cast<size_t>(faults.leading_fe), '\xFE');
  if (random_.Happens(faults.noise_before_rate)) {
    std::string noise;
    AppendRandom(static_cast<size_t>(faults.noise_bytes), &noise);
    answer->insert(0, noise);
  }
  if (random_.Happens(faults.glue_rate)) answer->insert(0, previous_reply_);
  previous_reply_ = clean;
  if (random_.Happens(faults.heartbeat_glue_rate)) answer->insert(0, collector_.heartbeat);
}

void Bus::SendReply(const Faults* faults, int64_t heard_ns, std::string* out) {
  const bool late = faults != nullptr && random_.Happens(faults->late_rate);
  const bool split = faults != nullptr && faults->split_segments > 1;
  int64_t at = heard_ns + (late ? faults->late_ms * kNsPerMs : 0);
  if (config_.wire_time) {
    reply_from_ns_ = at + config_.turnaround_ms * kNsPerMs;
    reply_until_ns_ = reply_from_ns_ + WireNs(reply_.size());
    at = reply_until_ns_ + config_.packet_gap_ms * kNsPerMs;
  } else if (!late && !split) {
    out->append(reply_);
    return;
  }
  if (split) {
    SendSplit(reply_, faults->split_segments, faults->split_gap_ms * kNsPerMs, at);
  } else {
    Queue(at, reply_);
  }
}

void Bus::SendSplit(const std::string& reply, int segments, int64_t gap_ns, int64_t at_ns) {
  const size_t count = std::min(static_cast<size_t>(segments), reply.size());
  for (size_t i = 0; i < count; ++i) {
    const size_t from = reply.size() * i / count;
    const size_t to = reply.size() * (i + 1) / count;
    Queue(at_ns + static_cast<int64_t>(i) * gap_ns, reply.substr(from, to - from));
  }
}

void Bus::Queue(int64_t at_ns, std::string bytes) {
  if (pending_.size() >= kMaxPendingSegments) pending_.pop_front();
  const auto place = std::upper_bound(pending_.begin(), pending_.end(), at_ns,
                                      [](int64_t at, const Segment& segment) { return at < segment.at_ns; });
  pending_.insert(place, {at_ns, std::move(bytes)});
}

bool Bus::TakeDue(int64_t mono_ns, std::string* segment) {
  if (pending_.empty() || pending_.front().at_ns > mono_ns) return false;
  *segment = std::move(pending_.front().bytes);
  pending_.pop_front();
  return true;
}

}  // namespace voltwell::field_sim
