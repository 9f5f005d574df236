// Vite names what it builds by its content (assets/index-B1x9.js): such files never change and are cached for ever, all
// others are asked for again each time and mostly answered with 304.
#include "libs/http/static_files.h"

#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/os/files.h"

namespace voltwell::http {
namespace {

namespace fs = std::filesystem;

struct ContentType {
  absl::string_view suffix;
  absl::string_view type;
};

constexpr ContentType kContentTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".wasm", "application/wasm"},
};

absl::string_view TypeOf(absl::string_view path) {
  for (const auto& [suffix, type] : kContentTypes) {
    if (absl::EndsWith(path, suffix)) return type;
  }
  return "application/octet-stream";
}

// No segment may begin with a dot: neither ".." nor ".git".
bool SafePath(absl::string_view path) {
  if (path.empty() || path.front() != '/' || absl::StrContains(path, "\\")) return false;
  for (const absl::string_view segment : absl::StrSplit(path.substr(1), '/')) {
    if (absl::StartsWith(segment, ".")) return false;
  }
  return true;
}

bool Accepts(const Request& request, absl::string_view coding) {
  for (const absl::string_view part : absl::StrSplit(request.Header("accept-encoding"), ',')) {
    const std::vector<absl::string_view> pieces = absl::StrSplit(part, ';');
    if (absl::StripAsciiWhitespace(pieces.front()) != coding) continue;
    return pieces.size() < 2 || absl::StripAsciiWhitespace(pieces[1]) != "q=0";
  }
  return false;
}

std::optional<struct stat> RegularFile(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return info;
}

bool TagMatches(const std::string& if_none_match, const std::string& tag) {
  for (absl::string_view candidate : absl::StrSplit(if_none_match, ',')) {
    candidate = absl::StripAsciiWhitespace(candidate);
    absl::ConsumePrefix(&candidate, "W/");
    if (candidate == tag || candidate == "*") return true;
  }
  return false;
}

}  // namespace

StaticFiles::StaticFiles(const std::string& directory, std::vector<std::string> not_pages)
    : not_pages_(std::move(not_pages)) {
  std::error_code error;
  if (!directory.empty()) root_ = fs::canonical(directory, error).string();
  if (error) root_.clear();
}

std::optional<StaticFiles::Found> StaticFiles::Locate(absl::string_view path) const {
  std::error_code error;
  const fs::path canonical = fs::canonical(absl::StrCat(root_, path), error);
  if (error || !absl::StartsWith(canonical.string(), root_ + "/"))
    return std::nullopt;  // Also a link that leads outside.
  if (!RegularFile(canonical.string()).has_value()) return std::nullopt;
  return Found{canonical.string(), absl::StartsWith(path, "/assets/")};
}

std::optional<StaticAnswer> StaticFiles::Find(const Request& request) const {
  if (root_.empty() || (request.method != "GET" && request.method != "HEAD") || !SafePath(request.path)) {
    return std::nullopt;
  }
  if (const auto found = Locate(request.path == "/" ? "/index.html" : request.path)) return Serve(request, *found);
  for (const std::string& prefix : not_pages_) {
    if (absl::StartsWith(request.path, prefix)) return std::nullopt;
  }
  if (!absl::StrContains(request.Header("accept"), "text/html")) return std::nullopt;
  if (const auto page = Locate("/index.html")) return Serve(request, *page);
  return std::nullopt;
}

std::optional<StaticAnswer> StaticFiles::Serve(const Request& request, const Found& found) const {
  std::string path = found.path;
  std::string coding;
  for (const auto& [name, suffix] : {std::pair<const char*, const char*>{"br", ".br"}, {"gzip", ".gz"}}) {
    if (!Accepts(request, name) || !RegularFile(found.path + suffix).has_value()) continue;
    path = found.path + suffix;
    coding = name;
    break;
  }
  const auto info = RegularFile(path);
  if (!info.has_value()) return std::nullopt;
  const std::string tag = absl::StrCat("\"", absl::Hex(info->st_mtim.tv_sec), "-", absl::Hex(info->st_mtim.tv_nsec),
                                       "-", absl::Hex(info->st_size), coding.empty() ? "" : "-", coding, "\"");
  StaticAnswer answer;
  auto& fields = answer.headers.fields;
  fields.emplace_back("etag", tag);
  fields.emplace_back("cache-control", found.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  fields.emplace_back("vary", "accept-encoding");
  if (TagMatches(request.Header("if-none-match"), tag)) {
    answer.headers.status = 304;
    return answer;
  }
  auto content = os::ReadFile(path, kStaticFileMax);
  if (!content.ok()) return std::nullopt;
  fields.emplace_back("content-type", std::string(TypeOf(found.path)));
  if (!coding.empty()) fields.emplace_back("content-encoding", coding);
  answer.body = *std::move(content);
  return answer;
}

}  // namespace voltwell::http
