// Reading profile files; see profiles.h.
#include "services/protocol_codec/profiles.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::codec_service {
namespace {

absl::Status Bad(const std::string& file, absl::string_view why) {
  return base::InvalidArgument("BAD_PROFILE", absl::StrCat(file, ": ", why),
                               {{"file", file}, {"line", "0"}, {"key", ""}, {"why", std::string(why)}});
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kProfileBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (in.bad() || (!in.is_open() && !in.eof())) return Bad(path, "cannot be read");
  if (text.size() > kProfileBytesMax) return Bad(path, "is longer than 64 KiB");
  return text;
}

}  // namespace

absl::StatusOr<codec::ProfileBook> LoadProfiles(const std::string& directory) {
  codec::ProfileBook book;
  if (directory.empty()) return book;
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".profile") paths.push_back(entry.path().string());
  }
  if (error) return Bad(directory, error.message());
  if (paths.size() > kProfileFilesMax) return Bad(directory, "holds more than 1024 profiles");
  std::sort(paths.begin(), paths.end());  // The first mistake is always the same one.
  for (const std::string& path : paths) {
    VW_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    VW_ASSIGN_OR_RETURN(codec::Profile profile, codec::ParseProfile(text, path));
    const std::string name = profile.name;
    if (!book.emplace(name, std::move(profile)).second) return Bad(path, absl::StrCat("the name ", name, " is taken"));
  }
  return book;
}

absl::StatusOr<const codec::ProfileBook*> Merge(const codec::ProfileBook& own,
                                                const google::protobuf::RepeatedPtrField<std::string>& texts,
                                                codec::ProfileBook& merged) {
  if (texts.empty()) return &own;
  if (texts.size() > kInlineProfilesMax) {
    return base::InvalidArgument("TOO_MANY_PROFILES", "a call brings at most 16 profiles",
                                 {{"size", absl::StrCat(texts.size())}, {"limit", absl::StrCat(kInlineProfilesMax)}});
  }
  merged = own;
  for (int i = 0; i < texts.size(); ++i) {
    const std::string file = absl::StrCat("profiles[", i, "]");
    if (texts[i].size() > kProfileBytesMax) return Bad(file, "is longer than 64 KiB");
    VW_ASSIGN_OR_RETURN(codec::Profile profile, codec::ParseProfile(texts[i], file));
    std::string name = profile.name;
    merged.insert_or_assign(std::move(name), std::move(profile));
  }
  return &merged;
}

}  // namespace voltwell::codec_service
