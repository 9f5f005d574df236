#include "services/api_gateway/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/base/status.h"

namespace voltwell::front {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for the gzip format.
constexpr int kFast = 1;  // JSON shrinks to a sixth already; higher levels cost more time than they save wire.
constexpr size_t kStep = 64 * 1024;

Bytef* Bytes(const char* data) { return reinterpret_cast<Bytef*>(const_cast<char*>(data)); }

}  // namespace

std::string Gzip(absl::string_view data) {
  z_stream stream{};
  VW_CHECK(deflateInit2(&stream, kFast, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, data.size()), '\0');
  stream.next_in = Bytes(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = Bytes(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  VW_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

absl::StatusOr<std::string> Gunzip(absl::string_view data, size_t max) {
  z_stream stream{};
  VW_CHECK(inflateInit2(&stream, kGzipWindow) == Z_OK);
  stream.next_in = Bytes(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  std::string plain;
  int state = Z_OK;
  while (state == Z_OK && plain.size() <= max) {
    const size_t before = plain.size();
    plain.resize(std::min(before + kStep, max + 1));
    stream.next_out = Bytes(plain.data() + before);
    stream.avail_out = static_cast<uInt>(plain.size() - before);
    state = inflate(&stream, Z_NO_FLUSH);
    plain.resize(plain.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (plain.size() > max) {
    return base::ResourceExhausted("MESSAGE_TOO_LARGE", absl::StrCat("more than ", max, " bytes unfolded"),
                                   {{"limit", absl::StrCat(max)}});
  }
  if (state != Z_STREAM_END) return base::InvalidArgument("BAD_GZIP", "the body is not gzip");
  return plain;
}

}  // namespace voltwell::front
