// Bodies of security commands; see security_bodies.h.
#include "libs/codec/dlt645/security_bodies.h"

#include "libs/codec/dlt645/specs.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr BodyPart Hex(uint8_t length, absl::string_view zh, absl::string_view en, bool secret = false) {
  return {As(Plain(Format::kHex, length), "", zh, en), secret};
}
constexpr BodyPart Number(uint8_t length, absl::string_view zh, absl::string_view en) {
  return {As({.format = Format::kBinary, .length = length}, "", zh, en)};
}
constexpr BodyPart Amount(absl::string_view zh, absl::string_view en) {
  return {As({.format = Format::kBinary, .length = 4, .scale = 2, .unit = "CNY"}, "", zh, en)};
}
constexpr BodyPart Name(uint8_t length, absl::string_view zh, absl::string_view en) {
  return {As(Digits(length), "", zh, en)};
}

constexpr BodyPart kMac = Hex(4, "MAC", "MAC");
constexpr BodyPart kCount = Number(4, "购电次数", "purchase number");
constexpr BodyPart kCustomer = Name(6, "客户编号", "customer number");

constexpr BodyPart kAuthentication[] = {Hex(8, "密文1", "cipher 1"), Hex(8, "随机数1", "random 1"),
                                        Hex(8, "分散因子", "diversification factor")};
constexpr BodyPart kAuthenticated[] = {Hex(4, "随机数2", "random 2"), Hex(8, "ESAM序列号", "ESAM serial number")};
constexpr BodyPart kAuthenticated2014[] = {Hex(4, "随机数2", "random 2"), Hex(8, "ESAM序列号", "ESAM serial number"),
                                           Number(2, "认证时效（分钟）", "validity in minutes")};
constexpr BodyPart kValidity[] = {Number(2, "认证时效（分钟）", "validity in minutes"), kMac};
constexpr BodyPart kEnded[] = {kCustomer, Amount("剩余金额", "remaining amount"), kCount,
                               Hex(4, "密钥状态", "key state")};
constexpr BodyPart kInfrared[] = {Hex(8, "密文", "cipher")};
constexpr BodyPart kFile[] = {Hex(1, "文件号", "file"), Hex(2, "偏移", "offset"), Hex(0, "数据", "data"), kMac};
constexpr BodyPart kPurchase[] = {Amount("购电金额", "amount"), kCount, Hex(4, "MAC1", "MAC 1"), kCustomer,
                                  Hex(4, "MAC2", "MAC 2")};
constexpr BodyPart kVendorPurchase[] = {Amount("购电金额", "amount"), Name(8, "订单号", "order number"),
                                        Hex(4, "MAC1", "MAC 1"), Name(6, "表地址", "meter address"),
                                        Hex(4, "MAC2", "MAC 2")};
constexpr BodyPart kWallet[] = {Amount("预置金额", "amount"), Hex(4, "MAC1", "MAC 1"), kCount, Hex(4, "MAC2", "MAC 2")};
constexpr BodyPart kKeyUpdate[] = {Hex(4, "密钥信息", "key information"), Hex(32, "密钥", "key", true), kMac};
constexpr BodyPart kKeys[] = {Hex(0, "密钥数据", "keys", true), kMac};
constexpr BodyPart kReadBack[] = {Number(2, "长度", "length"), Hex(2, "起始地址", "start"), Hex(2, "文件号", "file"),
                                  Hex(2, "目录号", "directory")};
constexpr BodyPart kReadBackReply[] = {Number(2, "长度", "length"), Hex(2, "起始地址", "start"),
                                       Hex(2, "文件号", "file"),    Hex(2, "目录号", "directory"),
                                       Hex(0, "数据", "data"),      kMac};
constexpr BodyPart kComparison[] = {Hex(1, "CPU号", "CPU"), Hex(1, "密钥索引", "key index"),
                                    Hex(4, "因子地址", "factor address"), Hex(4, "数据地址", "data address")};
constexpr BodyPart kCompared[] = {Hex(64, "比对数据", "comparison data")};
constexpr BodyPart kRandom[] = {Hex(8, "随机数1", "random 1")};
constexpr BodyPart kInfraredReply[] = {Name(6, "表号", "meter number"), Hex(8, "ESAM序列号", "ESAM serial number"),
                                       Hex(8, "密文", "cipher"), Hex(8, "随机数2", "random 2")};
constexpr BodyPart kStatus[] = {
    Amount("剩余金额", "remaining amount"), Hex(4, "MAC1", "MAC 1"), kCount, Hex(4, "MAC2", "MAC 2"), kCustomer,
    Hex(4, "密钥状态", "key state")};

constexpr SecurityBody kBodies[] = {
    {0x070000FF, false, 24, "身份认证", "identity authentication", kAuthentication},
    {0x070000FF, true, 12, "身份认证", "identity authentication", kAuthenticated},
    {0x070000FF, true, 14, "身份认证", "identity authentication", kAuthenticated2014},
    {0x070001FF, false, 6, "设置认证时效", "set validity of the authentication", kValidity},
    {0x070001FF, true, 0, "设置认证时效", "set validity of the authentication", {}},
    {0x070002FF, false, 0, "身份认证失效", "end of the authentication", {}},
    {0x070002FF, true, 18, "身份认证失效", "end of the authentication", kEnded},
    {0x07000201, true, 18, "身份认证失效", "end of the authentication", kEnded},
    {0x070003FF, false, 8, "红外认证", "infrared authentication", kInfrared},
    {0x070004FF, false, 0, "ESAM文件明文+MAC写", "write ESAM file, plain with MAC", kFile},
    {0x070005FF, false, 0, "ESAM文件密文+MAC写", "write ESAM file, cipher with MAC", kFile},
    {0x070101FF, false, 22, "开户", "open account", kPurchase},
    {0x070101FF, false, 26, "开户", "open account", kVendorPurchase},
    {0x070102FF, false, 22, "充值", "recharge", kPurchase},
    {0x070102FF, false, 26, "充值", "recharge", kVendorPurchase},
    {0x070108FF, false, 26, "退费", "refund", kVendorPurchase},
    {0x070103FF, false, 16, "钱包初始化", "wallet initialisation", kWallet},
    {0x070201FF, false, 40, "参数密钥更新", "update of the parameter key", kKeyUpdate},
    {0x070202FF, false, 40, "控制密钥更新", "update of the control key", kKeyUpdate},
    {0x070203FF, false, 40, "身份认证密钥更新", "update of the identity key", kKeyUpdate},
    {0x070204FF, false, 40, "主控密钥更新", "update of the main key", kKeyUpdate},
    {0x070301FF, false, 0, "密钥更新", "key update", kKeys},
    {0x078001FF, false, 8, "数据回抄", "data read-back", kReadBack},
    {0x07800101, false, 8, "数据回抄", "data read-back", kReadBack},
    {0x078001FF, true, 0, "数据回抄", "data read-back", kReadBackReply},
    {0x07800101, true, 0, "数据回抄", "data read-back", kReadBackReply},
    {0x078002FF, false, 10, "软件比对", "software comparison", kComparison},
    {0x078002FF, true, 64, "软件比对", "software comparison", kCompared},
    {0x078003FF, false, 8, "红外认证查询", "infrared authentication query", kRandom},
    {0x078003FF, true, 30, "红外认证查询", "infrared authentication query", kInfraredReply},
    {0x078102FF, false, 0, "状态查询", "status query", {}},
    {0x078102FF, true, 26, "状态查询", "status query", kStatus},
    {0x07810201, false, 0, "状态查询", "status query", {}},
    {0x07810201, true, 26, "状态查询", "status query", kStatus},
};

}  // namespace

const SecurityBody* FindSecurityBody(uint32_t di, bool reply, size_t length) {
  const SecurityBody* named = nullptr;
  for (const SecurityBody& body : kBodies) {
    if (body.di != di) continue;
    named = named == nullptr ? &body : named;
    if (body.reply == reply && (body.length == 0 || body.length == length)) return &body;
  }
  return named;
}

}  // namespace voltwell::codec::dlt645
