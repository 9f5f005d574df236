// Profiles of meters: files that the process reads once at start, and those that come with a call.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"
#include "libs/codec/profile.h"

namespace voltwell::codec_service {

// Files of a directory, and bytes of one of them: more is a mistake.
inline constexpr size_t kProfileFilesMax = 1024;
inline constexpr size_t kProfileBytesMax = 64 * 1024;
// Profiles that come with a call.
inline constexpr int kInlineProfilesMax = 16;

// Every *.profile of the directory; none for an empty path. BAD_PROFILE with metadata file, line and key: of the first
// mistake, of a name that stands twice, of a directory that cannot be read.
absl::StatusOr<codec::ProfileBook> LoadProfiles(const std::string& directory);

// Those of the process, and before them those of a call, for which `merged` makes room. TOO_MANY_PROFILES, BAD_PROFILE.
absl::StatusOr<const codec::ProfileBook*> Merge(const codec::ProfileBook& own,
                                                const google::protobuf::RepeatedPtrField<std::string>& texts,
                                                codec::ProfileBook& merged);

}  // namespace voltwell::codec_service
