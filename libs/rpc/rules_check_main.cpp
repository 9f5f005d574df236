// Run by the build: fails it when a method of ours lacks its rules (docs/adding-an-rpc.md).
//   voltwell_rules_check build/dev/gen/voltwell.descriptors.pb
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "google/protobuf/descriptor.pb.h"
#include "voltwell/rpc/v1/options.pb.h"

namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::MethodDescriptorProto;
using voltwell::rpc::v1::MethodRules;

// Open to any identity: the caller's own session, and a stream that shows only what its caller may see.
const std::set<std::string> kWithoutPermission = {"voltwell.registry.v1.SessionService.Logout",
                                                  "voltwell.registry.v1.SessionService.GetMe",
                                                  "voltwell.front.v1.LiveService.Watch"};

int failures = 0;

void Fail(const std::string& method, const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", method.c_str(), what.c_str());
  ++failures;
}

const DescriptorProto* FindMessage(const FileDescriptorProto& file, const std::string& full_name) {
  for (const DescriptorProto& message : file.message_type()) {
    if (full_name == "." + file.package() + "." + message.name()) return &message;
  }
  return nullptr;
}

bool HasRequestId(const DescriptorProto& message) {
  for (const auto& field : message.field()) {
    if (field.name() == "request_id" && field.type() == google::protobuf::FieldDescriptorProto::TYPE_STRING)
      return true;
  }
  return false;
}

bool HasAudience(const MethodRules& rules, voltwell::rpc::v1::Audience wanted) {
  for (const int audience : rules.audience()) {
    if (audience == wanted) return true;
  }
  return false;
}

void CheckMethod(const FileDescriptorProto& file, const std::string& name, const MethodDescriptorProto& method) {
  if (!method.options().HasExtension(voltwell::rpc::v1::rules)) return Fail(name, "has no (voltwell.rpc.v1.rules)");
  const MethodRules& rules = method.options().GetExtension(voltwell::rpc::v1::rules);
  if (rules.idempotency() == voltwell::rpc::v1::IDEMPOTENCY_UNSPECIFIED) Fail(name, "rules.idempotency is not set");
  if (!rules.has_max_deadline()) Fail(name, "rules.max_deadline is not set");
  const bool endless =
      rules.has_max_deadline() && rules.max_deadline().seconds() == 0 && rules.max_deadline().nanos() == 0;
  if (endless && !method.server_streaming()) Fail(name, "rules.max_deadline is 0, which only streams may have");
  if (rules.permission().empty() && !HasAudience(rules, voltwell::rpc::v1::AUDIENCE_PUBLIC) &&
      kWithoutPermission.count(name) == 0) {
    Fail(name, "rules.permission is empty, and it is neither PUBLIC nor a listed exception");
  }
  const DescriptorProto* request = FindMessage(file, method.input_type());
  if (request == nullptr) return Fail(name, "its request is not in the same file: the door finds methods by it");
  if (rules.idempotency() == voltwell::rpc::v1::IDEMPOTENCY_KEYED && !HasRequestId(*request)) {
    Fail(name, "is KEYED, but its request has no string request_id");
  }
}

void CheckFile(const FileDescriptorProto& file, std::map<std::string, std::string>& method_of) {
  for (const auto& service : file.service()) {
    for (const MethodDescriptorProto& method : service.method()) {
      const std::string name = file.package() + "." + service.name() + "." + method.name();
      const auto [first, added] = method_of.emplace(method.input_type(), name);
      if (!added) Fail(name, "shares its request message with " + first->second);
      CheckMethod(file, name, method);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  FileDescriptorSet set;
  std::ifstream in(argc == 2 ? argv[1] : "");
  if (!set.ParseFromIstream(&in) || set.file_size() == 0) {
    std::fprintf(stderr, "usage: voltwell_rules_check DESCRIPTOR_SET (which must exist)\n");
    return 2;
  }
  std::map<std::string, std::string> method_of;  // By request message.
  for (const FileDescriptorProto& file : set.file()) {
    if (file.package().rfind("voltwell.", 0) == 0) CheckFile(file, method_of);
  }
  return failures == 0 ? 0 : 1;
}
