#include "tools/field_sim/bus.h"

#include <algorithm>

#include "tools/field_sim/meter.h"
#include "tools/field_sim/talk.h"

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

Bus::Bus(const ParkBus& config, const LoadSettings& settings, Moment start)
    : config_(config),
      ns_per_byte_(config.wire_time ? kBitsPerByte * 1'000'000'000 / config.baud : 0),
      random_(SeedOf(config.registration_id, settings.seed)) {
  devices_.reserve(config.meters.size());
  for (const ParkMeter& meter : config.meters) {
    const Dialect& dialect = DialectOf(meter.protocol);
    if (meter.kind == MeterKind::kReplay) {
      devices_.push_back(std::make_unique<ReplayMeter>(meter));
    } else {
      devices_.push_back(dialect.make_meter(meter, settings, start));
    }
    Device* device = devices_.back().get();
    if (dialect.make_cutter == nullptr) {
      by_address_.emplace(meter.address, devices_.size() - 1);
      dlt645_.push_back(device);
      continue;
    }
    const auto lane = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& one) {
      return one.devices.front()->config().protocol == meter.protocol;
    });
    if (lane != lanes_.end()) {
      lane->devices.push_back(device);
    } else {
      lanes_.push_back({dialect.make_cutter(), {device}});
    }
  }
}

Device* Bus::Find(const std::string& address) const {
  for (const auto& device : devices_) {
    if (device->config().address_text == address) return device.get();
  }
  return nullptr;
}

uint64_t Bus::bad_frames() const {
  uint64_t sum = cutter_.bad_frames();
  for (const Lane& lane : lanes_) sum += lane.cutter->bad_frames();
  return sum;
}

void Bus::ClearCutters() {
  cutter_.Clear();
  for (Lane& lane : lanes_) lane.cutter->Clear();
}

bool Bus::InFrame() const {
  return !cutter_.empty() ||
         std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& l) { return !l.cutter->empty(); });
}

void Bus::Reset() {
  pending_.clear();
  held_reply_.clear();
  ClearCutters();
  uart_free_ns_ = reply_from_ns_ = reply_until_ns_ = 0;
}

void Bus::AppendRandom(size_t count, std::string* out) {
  for (size_t i = 0; i < count; ++i) out->push_back(static_cast<char>(random_.Next()));
}

std::string Bus::Babble() {
  std::string bytes;
  AppendRandom(static_cast<size_t>(config_.babble_bytes), &bytes);
  Envelop(&bytes);
  return bytes;
}

void Bus::Receive(Bytes bytes, Moment now, std::string* out) {
  if (InFrame() && now.mono_ns - last_byte_ns_ > kByteGapNs) ClearCutters();
  last_byte_ns_ = now.mono_ns;
  const int64_t from = std::max(now.mono_ns, uart_free_ns_);
  const int64_t until = from + WireNs(bytes.size());
  uart_free_ns_ = until;
  if (config_.echo) {
    std::string echo(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    Envelop(&echo);
    config_.wire_time ? Queue(until, std::move(echo)) : static_cast<void>(out->append(echo));
  }
  if (config_.wire_time && from < reply_until_ns_ && until > reply_from_ns_) {
    // Two talk at once: neither is understood.
    ++counts_.collisions;
    ClearCutters();
    for (Segment& segment : pending_) {
      for (char& c : segment.bytes) c = static_cast<char>(c & static_cast<char>(random_.Next()));
    }
    return;
  }
  if (!dlt645_.empty() || lanes_.empty()) cutter_.Append(bytes);
  bool understood = false;
  for (; cutter_.Next(&request_); understood = true) Handle(request_, now, until, out);
  for (const Lane& lane : lanes_) {
    lane.cutter->Append(bytes);
    for (; lane.cutter->Next(&frame_); understood = true) HandleForeign(lane, now, until, out);
  }
  // A whole request of one protocol is no beginning of another one's: the pause behind it tells them.
  if (understood && lanes_.size() + (dlt645_.empty() ? 0 : 1) > 1) ClearCutters();
}

// The one meter that is meant; or all that the pattern fits, whose answers then lie over each other on the wire.
size_t Bus::AnswerAll(const Request& request, Moment now, Device** speaker) {
  if (request.address == kBroadcast || HasWildcard(request.address)) {
    std::array<uint8_t, kMaxAnswer> other;
    size_t length = 0;
    for (Device* device : dlt645_) {
      if (request.address != kBroadcast && !AddressMatches(request.address, device->config().address)) continue;
      if (random_.Happens(device->faults().silence_rate)) continue;
      Overlay(device, device->Answer(request, now, other), other, &length, speaker);
    }
    return length;
  }
  const auto found = by_address_.find(request.address);
  Device* device = found == by_address_.end() ? nullptr : devices_[found->second].get();
  if (device == nullptr || (device->has_faults() && random_.Happens(device->faults().silence_rate))) return 0;
  *speaker = device;
  return device->Answer(request, now, answer_);
}

void Bus::Handle(const Request& request, Moment now, int64_t heard_ns, std::string* out) {
  ++counts_.requests;
  Device* speaker = nullptr;
  const size_t size = AnswerAll(request, now, &speaker);
  SendAnswer(speaker, size, heard_ns, out);
}

// Answers of several meters lie over each other: a dominant zero wins on the line.
void Bus::Overlay(Device* device, size_t size, const std::array<uint8_t, kMaxAnswer>& other, size_t* length,
                  Device** speaker) {
  if (size == 0) return;
  *speaker = device;
  for (size_t i = 0; i < size; ++i) answer_[i] = i < *length ? answer_[i] & other[i] : other[i];
  *length = std::max(*length, size);
}

void Bus::HandleForeign(const Lane& lane, Moment now, int64_t heard_ns, std::string* out) {
  ++counts_.requests;
  Device* speaker = nullptr;
  std::array<uint8_t, kMaxAnswer> other;
  size_t length = 0;
  const Bytes frame(reinterpret_cast<const uint8_t*>(frame_.data()), frame_.size());
  for (Device* device : lane.devices) {
    if (device->has_faults() && random_.Happens(device->faults().silence_rate)) continue;
    Overlay(device, device->Hear(frame, now, other), other, &length, &speaker);
  }
  SendAnswer(speaker, length, heard_ns, out);
}

void Bus::SendAnswer(Device* speaker, size_t size, int64_t heard_ns, std::string* out) {
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
  if (random_.Happens(faults.heartbeat_glue_rate)) answer->insert(0, config_.heartbeat);
  if (random_.Happens(faults.double_rate)) answer->append(std::string(*answer));
  if (random_.Happens(faults.noise_after_rate)) AppendRandom(static_cast<size_t>(faults.noise_bytes), answer);
}

void Bus::SendReply(const Faults* faults, int64_t heard_ns, std::string* out) {
  if (faults != nullptr && random_.Happens(faults->late_exchange_rate)) {
    held_reply_ = reply_;
    return;
  }
  const size_t on_wire = reply_.size();
  if (!held_reply_.empty()) reply_.insert(0, std::exchange(held_reply_, std::string()));
  Envelop(&reply_);
  const bool late = faults != nullptr && random_.Happens(faults->late_rate);
  const bool split = faults != nullptr && faults->split_segments > 1;
  int64_t at = heard_ns + (late ? faults->late_ms * kNsPerMs : 0);
  if (config_.wire_time) {
    reply_from_ns_ = at + config_.turnaround_ms * kNsPerMs;
    reply_until_ns_ = reply_from_ns_ + WireNs(on_wire);
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

// As the box puts it around what came from the line.
void Bus::Envelop(std::string* packet) const {
  packet->insert(0, HeaderOf(config_.ports, config_.port, packet->size()));
  if (config_.registration_each) packet->insert(0, config_.registration);
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
