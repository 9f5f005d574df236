// For tests: a blocking HTTP client on a raw socket, that sends exactly what it is told, byte by byte if need be.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace voltwell::http {

struct TestAnswer {
  int status = 0;  // 0: the connection ended without an answer.
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  bool complete = false;  // The body ended as it should.
};

class TestClient {
 public:
  explicit TestClient(int port) : TestClient(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port) {}
  // With a socket made before; it is closed with the client.
  TestClient(int socket, int port) : fd_(socket) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~TestClient() { Close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return connected_; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // Not the end of what we say, but the end of all.
  void Reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    Close();
  }
  void ShutdownSend() { ::shutdown(fd_, SHUT_WR); }

  bool Send(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  // One whole answer; the next one's bytes are kept.
  TestAnswer Read(bool head_only = false) {
    TestAnswer answer = ReadHead();
    if (answer.status == 0) return answer;
    if (head_only || answer.status == 304 || answer.status == 204) {
      answer.complete = true;
    } else if (answer.headers["transfer-encoding"] == "chunked") {
      for (;;) {
        std::string chunk;
        const int state = ReadChunk(chunk);
        answer.body += chunk;
        if (state == kLast) answer.complete = true;
        if (state != kMore) break;
      }
    } else if (answer.headers.count("content-length") != 0) {
      const size_t length = std::strtoul(answer.headers["content-length"].c_str(), nullptr, 10);
      answer.complete = Fill(length);
      answer.body = Take(answer.complete ? length : buffer_.size());
    } else {
      while (More()) {
      }
      answer.body = Take(buffer_.size());
      answer.complete = true;
    }
    return answer;
  }

  // For streams: the head, then chunks one by one.
  TestAnswer ReadHead() {
    TestAnswer answer;
    size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!More()) return answer;
    }
    const std::string head = Take(end + 4);
    for (const absl::string_view line : absl::StrSplit(absl::string_view(head).substr(0, end), "\r\n")) {
      if (answer.status == 0) {
        answer.status = std::atoi(std::string(line.substr(9, 3)).c_str());
        continue;
      }
      const std::pair<absl::string_view, absl::string_view> field = absl::StrSplit(line, absl::MaxSplits(':', 1));
      std::string& value = answer.headers[absl::AsciiStrToLower(field.first)];
      if (!value.empty()) value += "\n";  // Fields that come twice: set-cookie.
      value += std::string(absl::StripAsciiWhitespace(field.second));
    }
    if (answer.status == 100) return ReadHead();
    return answer;
  }
  static constexpr int kMore = 0, kLast = 1, kBroken = 2;
  int ReadChunk(std::string& chunk) {
    size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      if (!More()) return kBroken;
    }
    const size_t size = std::strtoul(Take(end + 2).c_str(), nullptr, 16);
    if (!Fill(size + 2)) return kBroken;
    chunk = Take(size + 2).substr(0, size);
    return size == 0 ? kLast : kMore;
  }

  // Waits until the server closed; false when it sent something or nothing happened for ten seconds.
  bool WaitClosed() { return buffer_.empty() && !More() && closed_; }
  std::string& buffer() { return buffer_; }
  bool More() {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, 10'000) != 1) return false;
    char bytes[4096];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) {
      closed_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<size_t>(n));
    return true;
  }

 private:
  bool Fill(size_t size) {
    while (buffer_.size() < size) {
      if (!More()) return false;
    }
    return true;
  }
  std::string Take(size_t size) {
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }

  int fd_;
  bool connected_ = false;
  bool closed_ = false;
  std::string buffer_;
};

inline std::string Get(absl::string_view path, absl::string_view more = "") {
  return absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: h\r\n", more, "\r\n");
}
inline std::string Post(absl::string_view path, absl::string_view type, absl::string_view body,
                        absl::string_view more = "") {
  return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: h\r\nContent-Type: ", type,
                      "\r\nContent-Length: ", body.size(), "\r\n", more, "\r\n", body);
}

}  // namespace voltwell::http
