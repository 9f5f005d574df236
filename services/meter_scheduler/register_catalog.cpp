#include "services/meter_scheduler/register_catalog.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::scheduler {

using voltwell::codec::v1::CodecService;

absl::StatusOr<std::set<std::string>> RegisterCatalog::Learn(const std::vector<std::string>& registers,
                                                             const rpc::Call& call) {
  const rpc::CallOptions options = {.parent = &call, .tenant = call.identity.tenant};
  VW_ASSIGN_OR_RETURN(const auto protocols, clients_.codec.Call(&CodecService::Stub::ListProtocols,
                                                                voltwell::codec::v1::ListProtocolsRequest(), options));
  std::vector<RegisterStore::Register> known;
  for (const int protocol : protocols.protocols()) {
    voltwell::codec::v1::ListRegistersRequest request;
    request.set_protocol(static_cast<voltwell::codec::v1::Protocol>(protocol));
    request.mutable_registers()->Add(registers.begin(), registers.end());
    VW_ASSIGN_OR_RETURN(const auto table, clients_.codec.Call(&CodecService::Stub::ListRegisters, request, options));
    for (const auto& row : table.registers()) known.push_back({row.register_(), row.unit()});
  }
  // Their numbers are there before the first value is stored: the road need not make them.
  VW_RETURN_IF_ERROR(registers_.Ensure(known));
  const std::lock_guard lock(mutex_);
  if (known_.size() + known.size() > kCatalogMax) known_.clear();
  std::set<std::string> found;
  for (const RegisterStore::Register& row : known) {
    known_.insert(row.first);
    found.insert(row.first);
  }
  return found;
}

absl::Status RegisterCatalog::Check(const google::protobuf::RepeatedPtrField<std::string>& registers,
                                    const rpc::Call& call) {
  if (registers.empty())
    return base::InvalidArgument("NO_REGISTERS", "name at least one register", {{"field", "registers"}});
  if (registers.size() > kRegistersMax) {
    return base::InvalidArgument("TOO_MANY_REGISTERS", "at most 32 registers",
                                 {{"limit", absl::StrCat(kRegistersMax)}});
  }
  std::vector<std::string> unknown;
  {
    const std::lock_guard lock(mutex_);
    if (clock_.Monotonic() >= until_) {
      known_.clear();
      until_ = clock_.Monotonic() + kCatalogFor;
    }
    for (const std::string& id : registers) {
      if (!known_.contains(id)) unknown.push_back(id);
    }
  }
  // Judged by what this call has seen: the book may be emptied by another one meanwhile.
  std::set<std::string> found;
  if (!unknown.empty()) {
    VW_ASSIGN_OR_RETURN(found, Learn(unknown, call));
  }
  const std::set<std::string> asked(unknown.begin(), unknown.end());
  std::set<std::string> seen;
  for (int i = 0; i < registers.size(); ++i) {
    const base::ErrorMetadata where = {{"register", registers[i]}, {"position", absl::StrCat(i)}};
    if (asked.contains(registers[i]) && !found.contains(registers[i])) {
      return base::InvalidArgument("UNKNOWN_REGISTER", absl::StrCat("no protocol has register ", registers[i]), where);
    }
    if (!seen.insert(registers[i]).second) {
      return base::InvalidArgument("REGISTER_TWICE", absl::StrCat("register ", registers[i], " is named twice"), where);
    }
  }
  return absl::OkStatus();
}

}  // namespace voltwell::scheduler
