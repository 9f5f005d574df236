// Checks what is common to all protocols and hands over to the one asked for; see codec.h.
#include "libs/codec/codec.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645_commands.h"

namespace voltwell::codec {
namespace {

absl::Status NotSupported(Protocol protocol) {
  return base::InvalidArgument("PROTOCOL_NOT_SUPPORTED", "this build does not speak the protocol",
                               {{"protocol", absl::StrCat(static_cast<int>(protocol))}});
}

}  // namespace

absl::StatusOr<ExchangeGroup> Encode(const Command& command) {
  if (command.protocol != Protocol::kDlt645_2007) return NotSupported(command.protocol);
  return EncodeDlt645(command);
}

Decoded Decode(const Answer& answer) {
  if (answer.command.protocol == Protocol::kDlt645_2007) return DecodeDlt645(answer);
  Decoded decoded;
  decoded.error = NotSupported(answer.command.protocol);
  return decoded;
}

absl::Status CheckBatch(size_t size) {
  if (size <= kBatchMax) return absl::OkStatus();
  return base::InvalidArgument("BATCH_TOO_LARGE", "a batch holds at most 512 items",
                               {{"size", absl::StrCat(size)}, {"limit", absl::StrCat(kBatchMax)}});
}

absl::StatusOr<ExplainedBytes> Explain(base::ByteView bytes, Protocol protocol, bool show_secrets) {
  if (bytes.size() > kExplainMax) {
    return base::InvalidArgument("FRAME_TOO_LONG", "at most 4096 bytes are explained at once",
                                 {{"size", absl::StrCat(bytes.size())}, {"limit", absl::StrCat(kExplainMax)}});
  }
  // Unspecified means by shape; DL/T 645 is the only shape so far.
  if (protocol != Protocol::kUnspecified && protocol != Protocol::kDlt645_2007) return NotSupported(protocol);
  return ExplainDlt645(bytes, show_secrets);
}

std::vector<Protocol> ListProtocols() { return {Protocol::kDlt645_2007}; }

absl::StatusOr<std::vector<RegisterInfo>> ListRegisters(Protocol protocol) {
  if (protocol != Protocol::kDlt645_2007) return NotSupported(protocol);
  return ListDlt645Registers();
}

}  // namespace voltwell::codec
