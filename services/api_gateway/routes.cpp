#include "services/api_gateway/routes.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver_util.h"
#include "libs/base/status.h"
#include "libs/log/log.h"
#include "services/api_gateway/type_cache.h"

namespace voltwell::front {
namespace {

namespace pb = google::protobuf;

constexpr char kTypePrefix[] = "type.googleapis.com";

std::string TypeUrl(const std::string& full_name) { return absl::StrCat(kTypePrefix, "/", full_name); }

bool ForOutside(const voltwell::rpc::v1::MethodRules& rules) {
  for (const int audience : rules.audience()) {
    if (audience == voltwell::rpc::v1::AUDIENCE_PUBLIC || audience == voltwell::rpc::v1::AUDIENCE_OPERATOR ||
        audience == voltwell::rpc::v1::AUDIENCE_RESIDENT || audience == voltwell::rpc::v1::AUDIENCE_KIOSK) {
      return true;
    }
  }
  return false;
}

Route MakeRoute(const pb::MethodDescriptor& method, const voltwell::rpc::v1::MethodRules& rules) {
  Route route;
  route.path = absl::StrCat("/", method.service()->full_name(), "/", method.name());
  route.name = method.full_name();
  const std::vector<std::string> package = absl::StrSplit(method.file()->package(), '.');
  route.package = package.size() > 1 ? package[1] : package[0];
  route.method = &method;
  route.rules = rules;
  route.connect.streaming = method.server_streaming();
  route.connect.get_allowed = method.options().idempotency_level() == pb::MethodOptions::NO_SIDE_EFFECTS;
  const auto& longest = rules.max_deadline();
  if (longest.seconds() > 0 || longest.nanos() > 0) {
    route.max_deadline = absl::Seconds(longest.seconds()) + absl::Nanoseconds(longest.nanos());
  }
  for (const int audience : rules.audience()) {
    if (audience == voltwell::rpc::v1::AUDIENCE_PUBLIC) route.open_to_all = true;
  }
  return route;
}

}  // namespace

struct Routes::State {
  pb::DescriptorPool pool;
  pb::DynamicMessageFactory factory{&pool};
  TypeCache resolver{
      std::unique_ptr<pb::util::TypeResolver>(pb::util::NewTypeResolverForDescriptorPool(kTypePrefix, &pool))};
};

Routes::Routes() : state_(std::make_unique<State>()) {}
Routes::~Routes() = default;

absl::StatusOr<std::unique_ptr<Routes>> Routes::Parse(const std::string& descriptor_set) {
  pb::FileDescriptorSet files;
  if (!files.ParseFromString(descriptor_set) || files.file_size() == 0) {
    return base::InvalidArgument("BAD_DESCRIPTORS", "not a set of file descriptors");
  }
  std::unique_ptr<Routes> routes(new Routes());
  for (pb::FileDescriptorProto& file : *files.mutable_file()) {
    file.clear_source_code_info();  // Comments: nobody reads them here.
    const pb::FileDescriptor* built = routes->state_->pool.BuildFile(file);
    if (built == nullptr) {
      return base::InvalidArgument("BAD_DESCRIPTORS", absl::StrCat(file.name(), " does not build"),
                                   {{"file", file.name()}});
    }
    for (int i = 0; i < built->service_count(); ++i) {
      for (int j = 0; j < built->service(i)->method_count(); ++j) {
        const pb::MethodDescriptor& method = *built->service(i)->method(j);
        const auto& rules = method.options().GetExtension(voltwell::rpc::v1::rules);
        if (method.client_streaming() || !ForOutside(rules)) continue;
        Route route = MakeRoute(method, rules);
        const std::string path = route.path;
        routes->by_path_.emplace(path, std::move(route));
      }
    }
  }
  return routes;
}

const Route* Routes::Find(const std::string& path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : &found->second;
}

absl::StatusOr<std::string> Routes::ToWire(const pb::Descriptor& type, Codec codec, std::string message) const {
  if (codec == Codec::kProto) {
    // Parsed only to refuse here what the service behind would answer with INTERNAL.
    const std::unique_ptr<pb::Message> probe(state_->factory.GetPrototype(&type)->New());
    if (!probe->ParseFromString(message)) {
      return base::InvalidArgument("BAD_MESSAGE", absl::StrCat("the body is no ", type.full_name()));
    }
    return message;
  }
  if (message.find_first_not_of(" \t\r\n") == std::string::npos) return std::string();
  pb::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // As other Connect servers do: an older server must not refuse a newer page.
  std::string wire;
  const auto status =
      pb::util::JsonToBinaryString(&state_->resolver, TypeUrl(type.full_name()), message, &wire, options);
  if (!status.ok()) {
    // The parser's text holds pieces of the input, and line breaks.
    log::Debug("JSON refused", {{"type", type.full_name()}, {"why", std::string(status.message())}});
    return base::InvalidArgument("BAD_MESSAGE", absl::StrCat("the body is no JSON of ", type.full_name()));
  }
  return wire;
}

absl::StatusOr<std::string> Routes::FromWire(const pb::Descriptor& type, Codec codec, std::string wire) const {
  if (codec == Codec::kProto) return wire;
  std::string json;
  const auto status = pb::util::BinaryToJsonString(&state_->resolver, TypeUrl(type.full_name()), wire, &json);
  if (!status.ok()) return base::Internal("BAD_ANSWER", absl::StrCat("an answer that is no ", type.full_name()));
  return json;
}

std::string Routes::DebugJson(const std::string& type_name, const std::string& wire) const {
  std::string json;
  if (state_->pool.FindMessageTypeByName(type_name) == nullptr) return json;
  const auto status = pb::util::BinaryToJsonString(&state_->resolver, TypeUrl(type_name), wire, &json);
  return status.ok() ? json : std::string();
}

}  // namespace voltwell::front
