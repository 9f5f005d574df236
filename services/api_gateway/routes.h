// What the front door serves: every method of the contract whose audience lies outside the suite, found by its path.
// From the descriptors alone; there is no code for a method here.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/type_resolver.h"
#include "services/api_gateway/connect.h"
#include "voltwell/rpc/v1/options.pb.h"

namespace voltwell::front {

struct Route {
  std::string path = {};     // "/voltwell.registry.v1.MeterService/GetMeter"
  std::string name = {};     // "voltwell.registry.v1.MeterService.GetMeter"
  std::string package = {};  // "registry": who serves it.
  const google::protobuf::MethodDescriptor* method = nullptr;
  voltwell::rpc::v1::MethodRules rules = {};
  ConnectRules connect = {};
  absl::Duration max_deadline = absl::InfiniteDuration();
  bool open_to_all = false;  // Audience holds PUBLIC.
};

class Routes {
 public:
  // BAD_DESCRIPTORS (INVALID_ARGUMENT) when it is no file descriptor set.
  static absl::StatusOr<std::unique_ptr<Routes>> Parse(const std::string& descriptor_set);
  ~Routes();
  // nullptr: not served here (unknown, or for services only).
  const Route* Find(const std::string& path) const;
  size_t size() const { return by_path_.size(); }
  const std::unordered_map<std::string, Route>& all() const { return by_path_; }

  // The input's wire form from the codec of the call. BAD_MESSAGE (INVALID_ARGUMENT).
  absl::StatusOr<std::string> ToWire(const google::protobuf::Descriptor& type, Codec codec, std::string message) const;
  // BAD_ANSWER (INTERNAL) when it is not what its type says.
  absl::StatusOr<std::string> FromWire(const google::protobuf::Descriptor& type, Codec codec, std::string wire) const;
  // JSON of a message by its type's name, for the debug part of errors; empty when the type is unknown.
  std::string DebugJson(const std::string& type_name, const std::string& wire) const;

 private:
  Routes();
  struct State;
  std::unique_ptr<State> state_;
  std::unordered_map<std::string, Route> by_path_;
};

}  // namespace voltwell::front
