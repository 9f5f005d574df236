// What a meter does with each function code. Its registers are in registers.cpp, its relay in meter_relay.cpp.
#include "tools/field_sim/meter.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "libs/base/bytes.h"
#include "tools/field_sim/made_up.h"
#include "tools/field_sim/meter_fields.h"

namespace voltwell::field_sim {
namespace {

constexpr uint8_t kRead = 0x11, kReadMore = 0x12, kReadAddress = 0x13, kWrite = 0x14, kFreeze = 0x16, kRelay = 0x1C;
constexpr uint8_t kTimeSync = 0x08, kReserved = 0x00, kSecurity = 0x03, kBaud = 0x17, kPassword = 0x18;
constexpr uint8_t kClearDemand = 0x19, kClearMeter = 0x1A, kClearEvents = 0x1B;
constexpr uint8_t kReplyBit = 0x80, kMoreBit = 0x20, kAbnormal = 0xC0;

constexpr size_t kMaxReadData = 200;      // Of a read's answer, with the four bytes of the DI.
constexpr int64_t kMaxSyncSeconds = 300;  // A broadcast may not move the clock further.

}  // namespace

Meter::Meter(const ParkMeter& config, const LoadSettings& settings, Moment start)
    : Device(config),
      load_(config, settings, start),
      password_(config.password),
      opened_(!config.customer.empty()),
      customer_(ParseAddress(config.customer).value_or(0)),
      purchase_count_(config.purchase_count) {}

bool Meter::Refuse(uint8_t control, uint8_t error, Reply* reply) {
  reply->control = control | kAbnormal;
  reply->size = 0;
  reply->Put(error);
  return true;
}

size_t Meter::Answer(const Request& request, Moment now, std::span<uint8_t, kMaxAnswer> out) {
  ++counts_.requests;
  SettleRelay(now);
  load_.Advance(now);
  Reply reply;
  bool answers = false;
  switch (request.control) {
    case kRead:
      answers = Read(request, now, &reply);
      break;
    case kReadMore:
      answers = ReadMore(request, &reply);
      break;
    case kReadAddress:
      reply.control = kReadAddress | kReplyBit;
      reply.PutDi(static_cast<uint32_t>(config_.address));
      reply.Put(static_cast<uint8_t>(config_.address >> 32));
      reply.Put(static_cast<uint8_t>(config_.address >> 40));
      answers = true;
      break;
    case kWrite:
      answers = Write(request, now, &reply);
      break;
    case kFreeze:
      reply.control = kFreeze | kReplyBit;
      answers = true;
      break;
    case kBaud:
      answers = request.size == 1 || Refuse(kBaud, kOtherError, &reply);
      if (request.size == 1) {
        reply.control = kBaud | kReplyBit;
        reply.Put(request.data[0]);
      }
      break;
    case kPassword:
      answers = ChangePassword(request, &reply);
      break;
    case kClearDemand:
    case kClearMeter:
    case kClearEvents:
      answers = Clear(request, &reply);
      break;
    case kSecurity:
      answers = Security(request, now, &reply);
      break;
    case kRelay:
      answers = Relay(request, now, &reply);
      break;
    case kTimeSync:
      SyncClock(request, now);
      break;
    case kReserved:
      break;
    default:
      answers = (request.control & kReplyBit) == 0 && Refuse(request.control, kOtherError, &reply);
      break;
  }
  if (!answers || request.address == kBroadcast) return 0;
  (reply.control & 0x40) != 0 ? ++counts_.errors_served : ++counts_.reads_served;
  return BuildFrame(config_.address, reply, out.data());
}

bool Meter::Read(const Request& request, Moment now, Reply* reply) {
  if (request.size < 4) return Refuse(kRead, kOtherError, reply);
  const uint32_t di = DiOf(request.payload());
  reply->control = kRead | kReplyBit;
  reply->PutDi(di);
  if (const auto written = written_.find(di); written != written_.end()) {
    reply->Put(written->second);
    return true;
  }
  bool is_long = FillLongBlock(di, now);
  if (!is_long && !WriteRegister(di, now, reply)) {
    Sheet sheet;
    long_di_ = di;
    if (di >> 24 == 0x06) {
      is_long = ShowProfile(di, request.payload().subspan(4), now, &long_block_, nullptr);
    } else if (ShowBlock(di, now, &sheet)) {
      long_block_ = sheet.wire();
      is_long = true;
    }
    if (!is_long) return Refuse(kRead, kNoSuchData, reply);
  }
  if (is_long) {
    const size_t first = std::min(long_block_.size(), kMaxReadData - 4);
    reply->Put(Bytes(long_block_).first(first));
    if (first < long_block_.size()) reply->control |= kMoreBit;
    return true;
  }
  Remember(di, *reply, now);
  return true;
}

// The first frame held kMaxReadData - 4 bytes of the block, each further one also carries the sequence number.
bool Meter::ReadMore(const Request& request, Reply* reply) {
  if (request.size != 5) return Refuse(kReadMore, kOtherError, reply);
  const uint32_t di = DiOf(request.payload());
  const size_t sequence = request.data[4];
  const size_t from = (kMaxReadData - 4) + (sequence - 1) * (kMaxReadData - 5);
  if (sequence == 0 || di != long_di_ || from >= long_block_.size()) return Refuse(kReadMore, kNoSuchData, reply);
  const size_t size = std::min(long_block_.size() - from, kMaxReadData - 5);
  reply->control = kReadMore | kReplyBit;
  if (from + size < long_block_.size()) reply->control |= kMoreBit;
  reply->PutDi(di);
  reply->Put(Bytes(long_block_).subspan(from, size));
  reply->Put(static_cast<uint8_t>(sequence));
  return true;
}

bool Meter::ChangePassword(const Request& request, Reply* reply) {
  const Bytes data = request.payload();
  if (data.size() != 12) return Refuse(kPassword, kOtherError, reply);
  const uint32_t old = static_cast<uint32_t>(data[5] | data[6] << 8 | data[7] << 16);
  // A level may change its own password and those below it.
  if (data[4] > data[8] || (data[4] == config_.password_level && old != password_)) {
    return Refuse(kPassword, kUnauthorised, reply);
  }
  if (data[8] == config_.password_level) password_ = static_cast<uint32_t>(data[9] | data[10] << 8 | data[11] << 16);
  reply->control = kPassword | kReplyBit;
  reply->Put(data.subspan(8));
  return true;
}

// PA P0 P1 P2, C0..C3, and of events the DI of what is cleared.
bool Meter::Clear(const Request& request, Reply* reply) {
  if (request.size != (request.control == kClearEvents ? 12U : 8U)) return Refuse(request.control, kOtherError, reply);
  if (const uint8_t error = CheckAuthority(request.payload()); error != 0) {
    return Refuse(request.control, error, reply);
  }
  ++cleared_[request.control];
  reply->control = request.control | kReplyBit;
  return true;
}

// A parameter is kept as the bytes that were written, when the register has so many.
bool Meter::WriteParameterBytes(uint32_t di, Bytes value, Moment now) {
  Sheet old;
  if (!IsWritable(di) || !ShowOther(di, now, &old) || old.wire().size() != value.size()) return false;
  written_[di].assign(value.begin(), value.end());
  return true;
}

// DI, PA P0 P1 P2, C0..C3, data.
bool Meter::Write(const Request& request, Moment now, Reply* reply) {
  if (request.size < 12) return Refuse(kWrite, kOtherError, reply);
  const Bytes data = request.payload();
  if (const uint8_t error = CheckAuthority(data.subspan(4)); error != 0) return Refuse(kWrite, error, reply);
  const Bytes value = data.subspan(12);
  const CivilTime shown = SecondsToCivil(load_.ClockSeconds(now));
  std::array<uint8_t, 6> fields = {ToBcd(shown.second), ToBcd(shown.minute), ToBcd(shown.hour),
                                   ToBcd(shown.day),    ToBcd(shown.month),  ToBcd(shown.year % 100)};
  const uint32_t di = DiOf(data);
  if (di == 0x04000101 && value.size() == 4) {
    std::copy(value.begin() + 1, value.end(), fields.begin() + 3);  // The weekday in front follows from the date.
  } else if (di == 0x04000102 && value.size() == 3) {
    std::copy(value.begin(), value.end(), fields.begin());
  } else {
    reply->control = kWrite | kReplyBit;
    return WriteParameterBytes(di, value, now) || Refuse(kWrite, kNoSuchData, reply);
  }
  const auto seconds = ParseClock(fields);
  if (!seconds.has_value()) return Refuse(kWrite, kOtherError, reply);
  load_.SetClock(*seconds, now);
  ++counts_.clock_set;
  reply->control = kWrite | kReplyBit;
  return true;
}

void Meter::SyncClock(const Request& request, Moment now) {
  if (request.size != 6) return;
  const auto seconds = ParseClock(request.payload());
  if (!seconds.has_value() || std::abs(*seconds - load_.ClockSeconds(now)) > kMaxSyncSeconds) return;
  load_.SetClock(*seconds, now);
  ++counts_.clock_set;
}

void Meter::Remember(uint32_t di, const Reply& reply, Moment now) {
  size_t i = 0;
  while (i < said_count_ && said_[i].di != di) ++i;
  if (i == kSaidMax) return;
  if (i == said_count_) ++said_count_;
  Said& said = said_[i];
  said.di = di;
  ++said.times;
  said.wall_ns = now.wall_ns;
  said.size = static_cast<uint8_t>(std::min(reply.size - 4, said.data.size()));
  std::copy_n(reply.data.begin() + 4, said.size, said.data.begin());
}

nlohmann::json Device::CommonTruth() const {
  return {{"address", config_.address_text},        {"name", config_.name},
          {"requests", counts_.requests},           {"reads_served", counts_.reads_served},
          {"errors_served", counts_.errors_served}, {"relay_commands", counts_.relay_commands},
          {"relay_opened", counts_.relay_opened},   {"relay_closed", counts_.relay_closed},
          {"clock_set", counts_.clock_set}};
}

nlohmann::json Device::Registers(Moment) { return nlohmann::json::array(); }

nlohmann::json Meter::Truth(Moment now) {
  SettleRelay(now);
  load_.Advance(now);
  const auto hundredths = [](int64_t v) { return absl::StrFormat("%d.%02d", v / 100, v % 100); };
  const CivilTime clock = SecondsToCivil(load_.ClockSeconds(now));
  nlohmann::json out = CommonTruth();
  out["kind"] = "live";
  out["relay"] = load_.relay_open() ? "open" : "closed";
  out["relay_command"] = relay_commanded_open_ ? "open" : "close";
  out["relay_last_error"] = last_relay_error_;
  out["relay_last_command_hex"] = base::ToHex(last_relay_command_);
  out["keep_power"] = keep_power_;
  out["alarm"] = alarm_;
  out["status_word_3"] = StatusWord3();
  out["tariff"] = load_.CurrentTariff(now);
  for (int t = 0; t <= 4; ++t) {
    out["energy_kwh"][t == 0 ? "total" : absl::StrFormat("t%d", t)] = hundredths(load_.ForwardCentiKwh(t, 0));
  }
  out["reverse_kwh"] = hundredths(load_.ReverseCentiKwh(0, 0));
  if (load_.prepaid()) {
    out["remaining_yuan"] = hundredths(load_.RemainingFen());
    out["overdraft_yuan"] = hundredths(load_.OverdraftFen());
  }
  if (load_.prepaid()) {
    out["purchase_count"] = purchase_count_;
    out["customer"] = opened_ ? AddressText(customer_) : "";
  }
  for (const auto& [control, times] : cleared_) out["cleared"][absl::StrFormat("%02X", control)] = times;
  for (const auto& [di, value] : written_) out["written"][absl::StrFormat("%08X", di)] = base::ToHex(value);
  out["clock"] = absl::StrFormat("%04d-%02d-%02d %02d:%02d:%02d", clock.year, clock.month, clock.day, clock.hour,
                                 clock.minute, clock.second);
  out["said"] = nlohmann::json::object();
  for (size_t i = 0; i < said_count_; ++i) {
    const Said& said = said_[i];
    out["said"][absl::StrFormat("%08X", said.di)] = {{"times", said.times},
                                                     {"unix_ms", said.wall_ns / 1'000'000},
                                                     {"last_hex", base::ToHex(Bytes(said.data).first(said.size))}};
  }
  return out;
}

}  // namespace voltwell::field_sim
