// Shared parts of the commands of DL/T 645; see dlt645_exchange.h.
#include "libs/codec/dlt645_exchange.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/reply.h"

namespace voltwell::codec {
namespace {

// Start, 8 data, parity, stop.
constexpr int64_t kBitsPerByte = 11;
constexpr size_t kPreambleMax = 4;
constexpr int32_t kBaudMin = 300;
constexpr int32_t kBaudMax = 115200;
constexpr size_t kSecretSize = 4;
constexpr size_t kMacSize = 4;
constexpr uint8_t kEncryptedClass = 0x98;
constexpr uint8_t kMacClass = 0x99;

absl::Duration ReplyTimeout(const Dlt645Call& call, size_t request_size, size_t reply_data_size) {
  if (call.baud == 0) return call.profile.turnaround;
  const size_t bytes = request_size + kPreambleMax + frame::kDlt645FrameMin + reply_data_size;
  return call.profile.turnaround + absl::Seconds(1) * (static_cast<int64_t>(bytes) * kBitsPerByte) / call.baud;
}

// Class 98H is ciphertext and MAC, 99H plain data and MAC: without them the command would go out in plain text.
absl::Status CheckProof(uint8_t password_class, const Authority& authority) {
  if (password_class != kEncryptedClass && password_class != kMacClass) return absl::OkStatus();
  const bool has_cipher = password_class == kMacClass || !authority.cipher.empty();
  if (has_cipher && authority.mac.size() == kMacSize) return absl::OkStatus();
  return base::InvalidArgument("BAD_MAC", "password class 98 wants ciphertext and a MAC of 4 bytes, 99 such a MAC");
}

}  // namespace

absl::StatusOr<Dlt645Call> Dlt645CallOf(const Command& command, const Profile& profile) {
  if (command.baud != 0 && (command.baud < kBaudMin || command.baud > kBaudMax)) {
    return base::InvalidArgument("BAD_BAUD", "a bus runs at 300 to 115200 bit/s; 0 means without wire time",
                                 {{"baud", absl::StrCat(command.baud)}});
  }
  VW_ASSIGN_OR_RETURN(const dlt645::Address address, dlt645::ParseAddress(command.address));
  const bool old = command.protocol == Protocol::kDlt645_1997;
  return Dlt645Call{old ? dlt645::Edition::k1997 : dlt645::Edition::k2007, address, command.baud, profile};
}

dlt645::Address BroadcastAddress() { return {{0x99, 0x99, 0x99, 0x99, 0x99, 0x99}}; }
dlt645::Address AnyAddress() { return {{0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA}}; }

Exchange MakeExchange(const Dlt645Call& call, std::string request, frame::ReplyMatcher matcher, size_t reply_size) {
  Exchange exchange;
  if (call.profile.preambles > 0) {
    request.insert(0, static_cast<size_t>(call.profile.preambles), static_cast<char>(frame::kPreamble));
  }
  exchange.reply_timeout = ReplyTimeout(call, request.size(), reply_size);
  exchange.request = std::move(request);
  exchange.matcher = std::move(matcher);
  return exchange;
}

absl::StatusOr<ExchangeGroup> AskOnce(const Dlt645Call& call, uint8_t function, const std::string& data,
                                      size_t reply_size) {
  if (data.size() > dlt645::kDataMax) {
    return base::InvalidArgument("VALUE_TOO_LONG", "the data of a frame has at most 255 bytes",
                                 {{"size", absl::StrCat(data.size())}, {"limit", absl::StrCat(dlt645::kDataMax)}});
  }
  if (call.address == BroadcastAddress()) return TellOnce(call, call.address, function, data);
  return ExchangeGroup{{MakeExchange(call, dlt645::BuildFrame(call.address, function, base::AsBytes(data)),
                                     dlt645::ReplyMatcherOf(call.address, function), reply_size)}};
}

ExchangeGroup TellOnce(const Dlt645Call& call, const dlt645::Address& to, uint8_t function, const std::string& data) {
  Exchange exchange = MakeExchange(call, dlt645::BuildFrame(to, function, base::AsBytes(data)), {}, 0);
  exchange.no_reply = true;
  return {{std::move(exchange)}};
}

absl::StatusOr<std::string> PasswordOf(const Dlt645Call& call, absl::string_view action, const Authority& authority) {
  std::string password = authority.password;
  const auto level = call.profile.password_levels.find(std::string(action));
  const bool by_class = level != call.profile.password_levels.end();
  // What a MAC protects needs no password: class, then zeros.
  if (password.empty() && by_class && level->second > 9) password.assign(kSecretSize, '\0');
  if (password.size() != kSecretSize) {
    return base::InvalidArgument("BAD_PASSWORD_LENGTH", "a DL/T 645 password is 4 bytes: PA P0 P1 P2");
  }
  if (by_class) password[0] = static_cast<char>(level->second);
  VW_RETURN_IF_ERROR(CheckProof(static_cast<uint8_t>(password[0]), authority));
  return password;
}

absl::StatusOr<std::string> OperatorOf(const Dlt645Call& call, const std::string& operator_code) {
  if (operator_code.size() == kSecretSize) return operator_code;
  if (!operator_code.empty()) {
    return base::InvalidArgument("BAD_OPERATOR_LENGTH", "a DL/T 645 operator code is 4 bytes: C0 to C3");
  }
  return call.profile.operator_code.empty() ? std::string(kSecretSize, '\0') : call.profile.operator_code;
}

absl::StatusOr<dlt645::Frame> TakenReply(const Dlt645Call& call, uint8_t function,
                                         const std::vector<ReplyFrames>& replies, size_t place) {
  if (place >= replies.size() || replies[place].empty()) return dlt645::NotUnderstood("no reply", {});
  VW_ASSIGN_OR_RETURN(const dlt645::Frame frame,
                      dlt645::ParseReply(call.address, function, base::AsBytes(replies[place].front())));
  if (frame.is_abnormal()) return dlt645::MeterRefused(frame);
  return frame;
}

std::string PlainData(base::ByteView data) {
  std::string plain;
  plain.reserve(data.size());
  for (const uint8_t byte : data) plain.push_back(static_cast<char>(byte - dlt645::kOffset));
  return plain;
}

absl::Status ActionNotSupported(absl::string_view why) { return base::InvalidArgument("ACTION_NOT_SUPPORTED", why); }

}  // namespace voltwell::codec
