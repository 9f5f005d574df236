#include "services/meter_scheduler/commands.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::scheduler {

using voltwell::codec::v1::Command;
using voltwell::codec::v1::Protocol;

Protocol ToProtocol(const std::string& name) {
  Protocol protocol = voltwell::codec::v1::PROTOCOL_UNSPECIFIED;
  voltwell::codec::v1::Protocol_Parse(absl::StrCat("PROTOCOL_", name), &protocol);
  return protocol;
}

absl::StatusOr<Command> ToCommand(const domain::Item& item, voltwell::codec::v1::RelayAction action,
                                  SecurityModule& security, absl::TimeZone meter_zone, absl::Time now) {
  Command command;
  command.set_protocol(ToProtocol(item.protocol));
  if (command.protocol() == voltwell::codec::v1::PROTOCOL_UNSPECIFIED) {
    return base::InvalidArgument("UNKNOWN_PROTOCOL", "the codec has no such protocol", {{"protocol", item.protocol}});
  }
  command.set_address(item.address);
  command.set_profile(item.profile);
  command.set_baud(item.baud);
  if (item.phase == domain::Phase::kVerify) {
    command.mutable_read()->add_registers(domain::kRelayRegister);
  } else if (item.phase == domain::Phase::kRead) {
    for (const std::string& id : item.work->registers) command.mutable_read()->add_registers(id);
  } else {
    VW_ASSIGN_OR_RETURN(const RelaySecret secret, security.ForRelay(item));
    auto& relay = *command.mutable_relay();
    relay.set_action(action);
    relay.mutable_authority()->set_password(secret.password);
    relay.mutable_authority()->set_operator_code(secret.operator_code);
    relay.set_expires_local_time(absl::FormatTime("%Y-%m-%dT%H:%M:%S", now + kCommandExpiry, meter_zone));
  }
  return command;
}

}  // namespace voltwell::scheduler
