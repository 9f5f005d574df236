#include "services/api_gateway/type_cache.h"

#include <mutex>

namespace voltwell::front {
namespace {

namespace pb = google::protobuf;

// Entries are never taken out, and the nodes of the map never move.
template <typename Type, typename Make>
pb::util::Status Find(std::shared_mutex& mutex, std::unordered_map<std::string, Type>& known, const std::string& url,
                      Type* type, Make make) {
  const Type* found = nullptr;
  {
    const std::shared_lock lock(mutex);
    const auto place = known.find(url);
    if (place != known.end()) found = &place->second;
  }
  if (found != nullptr) {
    *type = *found;
    return {};
  }
  const pb::util::Status made = make();
  if (!made.ok()) return made;  // What a client made up is not remembered.
  const std::unique_lock lock(mutex);
  known.emplace(url, *type);
  return made;
}

}  // namespace

pb::util::Status TypeCache::ResolveMessageType(const std::string& url, pb::Type* type) {
  return Find(mutex_, messages_, url, type, [&] { return source_->ResolveMessageType(url, type); });
}

pb::util::Status TypeCache::ResolveEnumType(const std::string& url, pb::Enum* type) {
  return Find(mutex_, enums_, url, type, [&] { return source_->ResolveEnumType(url, type); });
}

}  // namespace voltwell::front
