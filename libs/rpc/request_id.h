// The id by which one request is followed through all processes' log lines. It is for people and decides nothing.
#pragma once

#include <string>

namespace voltwell::rpc {

// 16 hexadecimal digits.
std::string NewRequestId();
// As sent, if it is 1 to 64 characters of [A-Za-z0-9._-]; else empty: it goes into logs and further calls.
std::string CleanRequestId(const std::string& sent);

}  // namespace voltwell::rpc
