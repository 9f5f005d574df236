#include "services/meter_scheduler/testing/fake_field.h"

#include <chrono>
#include <numeric>
#include <thread>

#include "absl/strings/escaping.h"

namespace voltwell::scheduler::testing {
namespace {

namespace v1 = voltwell::gateway::v1;
using voltwell::codec::v1::OUTCOME_MOVED;
using voltwell::codec::v1::OUTCOME_OFFLINE;
using voltwell::codec::v1::OUTCOME_OK;
using voltwell::codec::v1::OUTCOME_TIMEOUT;

uint8_t ByteAt(const std::string& bytes, size_t at) { return static_cast<uint8_t>(bytes.at(at)); }

// 68H, address, 68H, control, length, data + 33H, sum, 16H.
std::string Frame(const std::string& address_bytes, uint8_t control, const std::string& data) {
  std::string frame = "\x68" + address_bytes + "\x68";
  frame.push_back(static_cast<char>(control));
  frame.push_back(static_cast<char>(data.size()));
  for (const char c : data) frame.push_back(static_cast<char>(static_cast<uint8_t>(c) + 0x33));
  const uint8_t sum = std::accumulate(frame.begin(), frame.end(), uint8_t{0}, [](uint8_t all, char c) {
    return static_cast<uint8_t>(all + static_cast<uint8_t>(c));
  });
  frame.push_back(static_cast<char>(sum));
  frame.push_back('\x16');
  return frame;
}

// "00123456" as lowest byte first: 56 34 12 00.
std::string Reversed(const std::string& digits) {
  std::string bytes;
  for (size_t at = digits.size(); at >= 2; at -= 2) {
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(at - 2, 2), nullptr, 16)));
  }
  return bytes;
}

std::string Printed(const std::string& address_bytes) {
  std::string text;
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (size_t i = address_bytes.size(); i > 0; --i) {
    text.push_back(kDigits[ByteAt(address_bytes, i - 1) >> 4]);
    text.push_back(kDigits[ByteAt(address_bytes, i - 1) & 15]);
  }
  return text;
}

}  // namespace

v1::ExchangeResult FakeField::Search(const v1::ExchangeItem& item) {
  v1::ExchangeResult result;
  result.set_id(item.id());
  const std::lock_guard lock(mutex_);
  if (lines_offline_) {
    result.set_outcome(OUTCOME_OFFLINE);
    return result;
  }
  ++searched_[item.priority()];
  result.set_outcome(OUTCOME_TIMEOUT);
  const std::string& request = item.group().exchanges(0).request();
  result.add_replies();
  if (request.size() < 12 || ByteAt(request, 7) != 0x68) return result;  // Not of DL/T 645.
  const uint8_t control = ByteAt(request, 8);
  std::vector<std::string> replies;
  for (const std::string& address : lines_[item.collector() + "/" + std::to_string(item.bus())]) {
    const std::string bytes = Reversed(address);
    bool meant = true;
    for (size_t i = 0; i < 6; ++i) meant = meant && (ByteAt(request, 1 + i) == 0xAA || request[1 + i] == bytes[i]);
    if (!meant) continue;
    if (control == 0x13) replies.push_back(Frame(bytes, 0x93, bytes));
    if (control == 0x11) replies.push_back(Frame(bytes, 0x91, Reversed("04000401") + bytes));
  }
  if (replies.size() > 1) {
    result.set_outcome(voltwell::codec::v1::OUTCOME_NOISE);
    result.set_noise("\x68\x02garbled");
  } else if (replies.size() == 1) {
    result.set_outcome(OUTCOME_OK);
    result.mutable_replies(0)->add_frames(replies[0]);
  }
  return result;
}

void FakeField::PutOnLine(const std::string& collector, int bus, const std::string& address) {
  const std::lock_guard lock(mutex_);
  lines_[collector + "/" + std::to_string(bus)].push_back(address);
}

std::map<int, int> FakeField::searched() const {
  const std::lock_guard lock(mutex_);
  return searched_;
}

void FakeField::SetLinesOffline(bool offline) {
  const std::lock_guard lock(mutex_);
  lines_offline_ = offline;
}

v1::ExchangeResult FakeField::Answer(const v1::ExchangeItem& item) {
  v1::ExchangeResult result;
  result.set_id(item.id());
  std::string request = item.group().exchanges(0).request();
  while (!request.empty() && ByteAt(request, 0) == 0xFE) request.erase(0, 1);
  const std::string address_bytes = request.substr(1, 6);
  const uint8_t control = ByteAt(request, 8);
  std::string data;
  for (size_t i = 0; i < ByteAt(request, 9); ++i) data.push_back(static_cast<char>(ByteAt(request, 10 + i) - 0x33));

  const std::lock_guard lock(mutex_);
  ++exchanges_;
  FakeMeter& meter = meters_[Printed(address_bytes)];
  if (meter.manner == Manner::kOffline || meter.manner == Manner::kMoved) {
    result.set_outcome(meter.manner == Manner::kMoved ? OUTCOME_MOVED : OUTCOME_OFFLINE);
    if (meter.manner == Manner::kMoved) result.set_moved_to(pod_);
    if (meter.manner == Manner::kMoved) meter.manner = Manner::kAnswers;
    return result;
  }
  result.set_outcome(OUTCOME_TIMEOUT);
  if (meter.manner == Manner::kSilent) return result;
  std::string reply;
  if (control == 0x11) {
    ++meter.reads;
    if (data == Reversed("00010000")) {
      reply = Frame(address_bytes, 0x91, data + Reversed(meter.bcd));
    } else if (data == Reversed("04000503")) {
      reply = Frame(address_bytes, 0x91, data + (meter.relay_open ? std::string("\x50\x00", 2) : std::string(2, '\0')));
    } else {
      reply = Frame(address_bytes, 0xD1, "\x02");
    }
  } else if (control == 0x1C) {
    ++meter.relay_commands;
    meter.last_not_after_ms = item.not_after().seconds() * 1000 + item.not_after().nanos() / 1'000'000;
    // PA P0 P1 P2, C0 to C3, then N1.
    if (meter.manner != Manner::kRelayStuck) meter.relay_open = ByteAt(data, 8) == 0x1A;
    if (meter.manner == Manner::kActsThenSilent) return result;
    reply = Frame(address_bytes, 0x9C, "");
  }
  result.set_outcome(OUTCOME_OK);
  result.add_replies()->add_frames(reply);
  return result;
}

grpc::Status FakeField::Exchange(grpc::ServerContext* context, const v1::ExchangeRequest* request,
                                 grpc::ServerWriter<v1::ExchangeResponse>* writer) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (!held_) break;
    }
    if (context->IsCancelled()) return grpc::Status::CANCELLED;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  v1::ExchangeResponse response;
  for (const v1::ExchangeItem& item : request->items()) {
    *response.add_results() = item.group().exchanges(0).listen() ? Search(item) : Answer(item);
  }
  writer->Write(response);
  return grpc::Status::OK;
}

grpc::Status FakeField::ListSessions(grpc::ServerContext*, const v1::ListSessionsRequest*,
                                     v1::ListSessionsResponse* response) {
  for (const char* tenant : {"t1", "t2"}) {
    v1::Session& session = *response->add_sessions();
    session.set_collector(std::string("VW-") + tenant);
    session.set_bus(1);
    session.set_tenant(tenant);
    session.set_pod(pod_);
  }
  return grpc::Status::OK;
}

grpc::Status FakeField::GetSession(grpc::ServerContext*, const v1::GetSessionRequest* request, v1::Session* response) {
  response->set_collector(request->collector());
  response->set_tenant(request->collector().substr(3));  // "VW-t1"
  return grpc::Status::OK;
}

grpc::Status FakeField::GetBusHealth(grpc::ServerContext*, const v1::GetBusHealthRequest*, v1::BusHealth* response) {
  response->set_verdict(v1::BUS_VERDICT_NOISY);
  return grpc::Status::OK;
}

grpc::Status FakeField::StartTrace(grpc::ServerContext*, const v1::StartTraceRequest*, v1::Trace* response) {
  response->mutable_start_time()->set_seconds(1000);
  response->mutable_end_time()->set_seconds(1600);
  return grpc::Status::OK;
}

grpc::Status FakeField::GetTrace(grpc::ServerContext*, const v1::GetTraceRequest* request, v1::Trace* response) {
  response->set_tenant(request->collector().substr(3));
  response->mutable_start_time()->set_seconds(1000);
  // 1CH to meter 000000000001: level 02, password 56 12 34, an operator, trip.
  const std::string relay = absl::HexStringToBytes("68010000000000681C1035894567774455664D33333333343434590000");
  std::string command = relay.substr(0, 26);
  uint8_t sum = 0;
  for (const char c : command) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(c));
  command += static_cast<char>(sum);
  command += '\x16';
  v1::TraceFrame& down = *response->add_frames();
  down.set_direction(v1::TraceFrame::DIRECTION_DOWN);
  down.set_data(command);
  down.set_size(static_cast<int32_t>(command.size()));
  v1::TraceFrame& up = *response->add_frames();
  up.set_direction(v1::TraceFrame::DIRECTION_UP);
  up.set_data(command.substr(0, 20));
  up.set_size(20);
  // A noisy echo: 1CH came back as 18H, and the checksum no longer fits.
  v1::TraceFrame& echo = *response->add_frames();
  echo.set_direction(v1::TraceFrame::DIRECTION_UP);
  command[8] = '\x18';
  echo.set_data(command);
  echo.set_size(static_cast<int32_t>(command.size()));
  return grpc::Status::OK;
}

void FakeField::Put(const std::string& address, FakeMeter meter) {
  const std::lock_guard lock(mutex_);
  meters_[address] = std::move(meter);
}

FakeMeter FakeField::Get(const std::string& address) const {
  const std::lock_guard lock(mutex_);
  return meters_.at(address);
}

void FakeField::SetManner(const std::string& address, Manner manner) {
  const std::lock_guard lock(mutex_);
  meters_.at(address).manner = manner;
}

int FakeField::exchanges() const {
  const std::lock_guard lock(mutex_);
  return exchanges_;
}

void FakeField::Hold(bool held) {
  const std::lock_guard lock(mutex_);
  held_ = held;
}

}  // namespace voltwell::scheduler::testing
