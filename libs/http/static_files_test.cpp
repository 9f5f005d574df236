// The rules of caching, and that nothing outside the directory can be had.
#include "libs/http/static_files.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "libs/os/files.h"

namespace voltwell::http {
namespace {

struct Site {
  Site() {
    char pattern[] = "/tmp/voltwell-static-XXXXXX";
    REQUIRE(::mkdtemp(pattern) != nullptr);
    outer = pattern;
    std::filesystem::create_directories(outer + "/dist/assets");
    Write("secret.txt", "no");
    Write("dist/index.html", "<html>");
    Write("dist/sw.js", "sw");
    Write("dist/.env", "no");
    Write("dist/assets/a-1234.js", "plain");
    Write("dist/assets/a-1234.js.gz", "zipped");
    std::filesystem::create_symlink(outer + "/secret.txt", outer + "/dist/link.txt");
  }
  ~Site() { std::filesystem::remove_all(outer); }
  void Write(const std::string& name, const std::string& text) {
    REQUIRE(os::WriteFile(outer + "/" + name, text).ok());
  }
  static std::string Field(const StaticAnswer& answer, const std::string& name) {
    for (const auto& [field, value] : answer.headers.fields) {
      if (field == name) return value;
    }
    return "";
  }
  std::optional<StaticAnswer> Find(const std::string& path, std::multimap<std::string, std::string> headers = {},
                                   const std::string& method = "GET") const {
    Request request;
    request.method = method;
    request.path = path;
    request.headers = std::move(headers);
    return StaticFiles(outer + "/dist", {"/voltwell.", "/notify/"}).Find(request);
  }
  std::string outer;
};

}  // namespace

TEST_CASE("a hashed asset is cached for ever, the page is asked for each time") {
  Site site;
  const auto asset = site.Find("/assets/a-1234.js");
  REQUIRE(asset.has_value());
  CHECK(asset->body == "plain");
  CHECK(Site::Field(*asset, "cache-control") == "public, max-age=31536000, immutable");
  CHECK(Site::Field(*asset, "content-type") == "text/javascript; charset=utf-8");
  const auto page = site.Find("/");
  REQUIRE(page.has_value());
  CHECK(page->body == "<html>");
  CHECK(Site::Field(*page, "cache-control") == "no-cache");
  CHECK(Site::Field(*site.Find("/sw.js"), "cache-control") == "no-cache");
}

TEST_CASE("the packed file is served to whom it may be, with its own validator") {
  Site site;
  const auto packed = site.Find("/assets/a-1234.js", {{"accept-encoding", "br, gzip"}});
  REQUIRE(packed.has_value());
  CHECK(packed->body == "zipped");
  CHECK(Site::Field(*packed, "content-encoding") == "gzip");
  CHECK(Site::Field(*packed, "content-type") == "text/javascript; charset=utf-8");
  CHECK(Site::Field(*packed, "etag") != Site::Field(*site.Find("/assets/a-1234.js"), "etag"));
  CHECK(site.Find("/assets/a-1234.js", {{"accept-encoding", "gzip;q=0"}})->body == "plain");
}

TEST_CASE("a validator that still holds is answered with 304") {
  Site site;
  const auto first = site.Find("/");
  const auto second = site.Find("/", {{"if-none-match", "W/\"x\", " + Site::Field(*first, "etag")}});
  REQUIRE(second.has_value());
  CHECK(second->headers.status == 304);
  CHECK(second->body.empty());
  site.Write("dist/index.html", "<html>2");
  CHECK(site.Find("/", {{"if-none-match", Site::Field(*first, "etag")}})->headers.status == 200);
}

TEST_CASE("an unknown path is the page for a browser that navigates, and nothing else") {
  Site site;
  CHECK(site.Find("/meters/7", {{"accept", "text/html,*/*"}})->body == "<html>");
  CHECK_FALSE(site.Find("/meters/7", {{"accept", "application/json"}}).has_value());
  CHECK_FALSE(site.Find("/voltwell.x.v1.S/M", {{"accept", "text/html"}}).has_value());
  CHECK_FALSE(site.Find("/notify/alipay/1", {{"accept", "text/html"}}).has_value());
  CHECK_FALSE(site.Find("/", {}, "POST").has_value());
}

TEST_CASE("a file one byte larger than may be is not served") {
  Site site;
  site.Write("dist/large.bin", "x");
  std::filesystem::resize_file(site.outer + "/dist/large.bin", kStaticFileMax);
  CHECK(site.Find("/large.bin")->body.size() == kStaticFileMax);
  std::filesystem::resize_file(site.outer + "/dist/large.bin", kStaticFileMax + 1);
  CHECK_FALSE(site.Find("/large.bin").has_value());
}

TEST_CASE("nothing outside the directory, hidden or linked from outside is served") {
  Site site;
  for (const char* path : {"/../secret.txt", "/assets/../../secret.txt", "/.env", "/link.txt", "/assets",
                           "//etc/passwd", "/..\\secret.txt", "/assets/./a-1234.js"}) {
    INFO(path);
    CHECK_FALSE(site.Find(path).has_value());
  }
}

}  // namespace voltwell::http
