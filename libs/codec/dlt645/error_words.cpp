// Error words; see error_words.h.
#include "libs/codec/dlt645/error_words.h"

#include <algorithm>

#include "libs/codec/dlt645/frame.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr ErrorBit kErr[] = {
    {"other", "其他错误（1997：非法数据）", "other error (1997: illegal data)"},
    {"no_such_data", "无请求数据", "no such data"},
    {"password_or_authority", "密码错或未授权", "wrong password or not authorised"},
    {"baud_rate", "通信速率不能更改", "baud rate cannot be changed"},
    {"too_many_year_zones", "年时区数超", "too many year zones"},
    {"too_many_day_periods", "日时段数超", "too many day periods"},
    {"too_many_tariffs", "费率数超", "too many tariffs"},
    {"reserved", "保留位", "reserved bit"},
};
constexpr ErrorBit kSerr[] = {
    {"other", "其他错误", "other error"},
    {"duplicate_recharge", "重复充值", "duplicate recharge"},
    {"esam_verification", "ESAM验证失败", "ESAM verification failed (MAC)"},
    {"authentication", "身份认证失败", "identity authentication failed"},
    {"customer_number", "客户编号不匹配", "customer number does not match"},
    {"purchase_count", "充值次数错误", "wrong purchase count"},
    {"hoarding_limit", "购电超囤积", "hoarding limit exceeded"},
    {"address", "地址异常", "address abnormal"},
    {"suspended", "电能表挂起", "meter suspended"},
    {"close_failed", "合闸失败", "closing failed"},
};
constexpr ErrorBit kControl[] = {
    {"suspended", "电能表挂起", "meter suspended"},
    {"mac", "MAC校验失败", "MAC check failed"},
    {"password", "密码错误", "wrong password"},
    {"not_authenticated", "未身份认证", "not authenticated"},
    {"expiry", "命令有效截止时间错", "expiry not valid"},
    {"keep_power_refuses_trip", "保电状态，拒绝跳闸", "power is kept: trip refused"},
    {"keep_power_alarm", "保电状态，拒绝预跳闸", "power is kept: pre-trip refused"},
    {"pre_trip_duration_zero", "预跳闸时间为零", "pre-trip duration is zero"},
    {"already_tripped", "已跳闸，拒绝预跳闸", "already tripped: pre-trip refused"},
};

}  // namespace

std::span<const ErrorBit> ErrorBitsOf(uint8_t function, size_t size) {
  if (function != kSecurity && function != kRelayControl) return kErr;
  if (size == 1) return kErr;
  if (size == 2) return function == kSecurity ? std::span<const ErrorBit>(kSerr) : std::span<const ErrorBit>(kControl);
  return {};
}

uint32_t ErrorWord(base::ByteView data) {
  uint32_t word = 0;
  for (size_t i = 0; i < std::min<size_t>(data.size(), 2); ++i) {
    word |= uint32_t{static_cast<uint8_t>(data[i] - kOffset)} << (8 * i);
  }
  return word;
}

}  // namespace voltwell::codec::dlt645
