// Files of profiles: what is read at start, and what stops it.
#include "services/protocol_codec/profiles.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "libs/base/status.h"
#include "libs/testing/process.h"
#include "libs/testing/status.h"

namespace voltwell::codec_service {
namespace {

void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

TEST_CASE("all profiles of a directory are read, other files are not") {
  testing::TempDirectory directory{"profiles"};
  Write(directory.path() + "/a.profile", "name a\nprotocol MBUS\n");
  Write(directory.path() + "/b.profile", "name b\nprotocol CJT188\n");
  Write(directory.path() + "/README.md", "not a profile");
  const auto book = LoadProfiles(directory.path());
  REQUIRE_OK(book);
  CHECK(book->size() == 2);
  CHECK(book->at("b").protocol == codec::Protocol::kCjt188);
  CHECK(LoadProfiles("")->empty());
}

TEST_CASE("a broken file stops the start with its name and line") {
  testing::TempDirectory directory{"profiles"};
  const std::string path = directory.path() + "/broken.profile";
  Write(path, "name a\nprotocol MBUS\nturnaround never\n");
  const absl::Status status = LoadProfiles(directory.path()).status();
  CHECK_REASON(status, "BAD_PROFILE");
  CHECK(status.message().find(path + ":3: turnaround") != std::string::npos);
  Write(path, std::string(kProfileBytesMax + 1, '#'));
  CHECK_REASON(LoadProfiles(directory.path()), "BAD_PROFILE");
  Write(path, std::string(kProfileBytesMax - 30, '#') + "\nname a\nprotocol MBUS\n");
  CHECK(LoadProfiles(directory.path()).ok());
}

TEST_CASE("two profiles of one name, and a directory that is not there, stop the start") {
  testing::TempDirectory directory{"profiles"};
  Write(directory.path() + "/a.profile", "name a\nprotocol MBUS\n");
  Write(directory.path() + "/b.profile", "name a\nprotocol CJT188\n");
  CHECK_REASON(LoadProfiles(directory.path()), "BAD_PROFILE");
  CHECK_REASON(LoadProfiles(directory.path() + "/nowhere"), "BAD_PROFILE");
}

TEST_CASE("1024 files are read and 1025 refused") {
  testing::TempDirectory directory{"profiles"};
  for (size_t i = 0; i < kProfileFilesMax; ++i) {
    const std::string name = std::to_string(i);
    Write(directory.path() + "/" + name + ".profile", "name p" + name + "\nprotocol MBUS\n");
  }
  CHECK(LoadProfiles(directory.path())->size() == kProfileFilesMax);
  Write(directory.path() + "/more.profile", "name more\nprotocol MBUS\n");
  CHECK_REASON(LoadProfiles(directory.path()), "BAD_PROFILE");
}

TEST_CASE("the profiles that the project ships are read") {
  const char* const source = std::getenv("VOLTWELL_SOURCE_DIR");
  REQUIRE(source != nullptr);
  const auto book = LoadProfiles(std::string(source) + "/deploy/profiles");
  REQUIRE_OK(book);
  CHECK(book->contains("dlt645_single"));
  // deploy/profiles/README.md names files; a meter says the same.
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(source) + "/deploy/profiles")) {
    if (entry.path().extension() != ".profile") continue;
    CAPTURE(entry.path());
    CHECK(book->contains(entry.path().stem().string()));
    ++files;
  }
  CHECK(files == book->size());
}

}  // namespace
}  // namespace voltwell::codec_service
