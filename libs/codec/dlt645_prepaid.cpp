// Prepayment of DL/T 645-2007; see dlt645_prepaid.h.
#include "libs/codec/dlt645_prepaid.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/register_table.h"
#include "libs/codec/dlt645/reply.h"
#include "libs/codec/dlt645_plan.h"

namespace voltwell::codec {
namespace {

constexpr uint32_t kAuthenticateDi = 0x070000FF;
constexpr uint32_t kOpenAccountDi = 0x070101FF;
constexpr uint32_t kTopUpDi = 0x070102FF;
constexpr uint32_t kRefundDi = 0x070108FF;
constexpr uint32_t kStatusDi = 0x078102FF;
constexpr size_t kAuthenticationSize = 24;  // Cipher 8, random number 8, factor 8.
constexpr size_t kMacSize = 4;
constexpr size_t kCustomerDigits = 12;
constexpr size_t kOrderDigits = 16;
constexpr size_t kReplyUsual = 64;  // A status is 26 bytes, a software comparison 64.
constexpr int kFenScale = 2;
// The remaining amount is read twice, some seconds apart, while the meter goes on counting.
constexpr int64_t kRemainingDriftFen = 100;
constexpr absl::string_view kStatusLayout = "remaining.bin4 skip4 number.bin4 skip4 customer.bcd6 skip4";
constexpr absl::string_view kNoStatus = "none";
constexpr absl::string_view kSeparator = "\xAA";

// Records of the last purchase, each a read of its own (11H): what it tells, in a money and in an energy wallet.
enum class Told { kNumber, kLast, kAccumulated, kRemaining };
struct RecordRead {
  Told told;
  uint32_t money_di;
  uint32_t energy_di;
};
constexpr RecordRead kRecords[] = {{Told::kNumber, 0x03330201, 0x03320201},
                                   {Told::kLast, 0x03330301, 0x03320301},
                                   {Told::kAccumulated, 0x03330601, 0x03320601},
                                   {Told::kRemaining, 0x00900200, 0x00900100}};

// The register of the record as the profile has it, so that money is read as ReadRegisters would read it.
struct RecordForm {
  uint32_t di = 0;
  dlt645::FieldSpec spec = {};
};
RecordForm FormOf(const Dlt645Call& call, const RecordRead& record) {
  const uint32_t di = call.profile.prepay.energy ? record.energy_di : record.money_di;
  const dlt645::Match match = dlt645::FindByDi(call.edition, di);
  VW_CHECK(match.row != nullptr);
  const WantedRegister wanted = {"", match, OverrideOf(call.edition, match, call.profile)};
  return {IdentifierOf(wanted), SpecOf(wanted)};
}

bool HasStatus(const Dlt645Call& call) { return call.profile.prepay.status_layout != kNoStatus; }

absl::Status CheckEdition(const Dlt645Call& call) {
  if (call.edition == dlt645::Edition::k2007) return absl::OkStatus();
  return ActionNotSupported("DL/T 645-1997 has no security function");
}

absl::StatusOr<Exchange> SecureExchange(const Dlt645Call& call, uint32_t di, const std::string& operator_code,
                                        const std::string& body) {
  VW_RETURN_IF_ERROR(CheckEdition(call));
  std::string data;
  dlt645::AppendIdentifier(data, di, call.edition);
  VW_ASSIGN_OR_RETURN(const std::string code, OperatorOf(call, operator_code));
  data += code;
  data += body;
  if (data.size() > dlt645::kDataMax) {
    return base::InvalidArgument("VALUE_TOO_LONG", "the data of a frame has at most 255 bytes",
                                 {{"size", absl::StrCat(data.size())}, {"limit", absl::StrCat(dlt645::kDataMax)}});
  }
  return MakeExchange(call, dlt645::BuildFrame(call.address, dlt645::kSecurity, base::AsBytes(data)),
                      dlt645::ReadReplyMatcher(call.address, dlt645::kSecurity, di), kReplyUsual);
}

// Of an ordinary meter the low byte first; as many bytes as `size`.
std::string LowFirst(uint64_t number, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
  return bytes;
}

// Digits to BCD, the last pair first.
absl::StatusOr<std::string> DigitBytes(const std::string& digits, size_t count, absl::string_view reason) {
  const bool good = digits.size() == count && std::all_of(digits.begin(), digits.end(),
                                                          [](unsigned char c) { return absl::ascii_isdigit(c) != 0; });
  if (!good) return base::InvalidArgument(reason, absl::StrCat("expected ", count, " digits"));
  VW_ASSIGN_OR_RETURN(std::string bytes, base::FromHex(digits));
  std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

absl::StatusOr<std::string> MacBytes(const Dlt645Call& call, const std::string& mac) {
  if (mac.size() == kMacSize) return mac;
  if (mac.empty() && call.profile.prepay.zero_macs) return std::string(kMacSize, '\0');
  return base::InvalidArgument("BAD_MAC", "a MAC is 4 bytes; only a profile with prepay.zero_macs goes without");
}

absl::StatusOr<uint32_t> PrepayDi(const Dlt645Call& call, PrepayKind kind) {
  switch (kind) {
    case PrepayKind::kOpenAccount:
      return kOpenAccountDi;
    case PrepayKind::kTopUp:
      return kTopUpDi;
    case PrepayKind::kRefund:
      if (call.profile.prepay.order_number) return kRefundDi;
      return ActionNotSupported("only meters with order numbers take a refund (prepay.order_number)");
    case PrepayKind::kUnspecified:
      break;
  }
  return base::InvalidArgument("BAD_PREPAY_KIND", "say whether the account is opened, topped up or refunded");
}

// amount, number or order, MAC1, customer, MAC2; numbers are binary, in fen.
absl::StatusOr<std::string> PrepayBody(const Dlt645Call& call, const Prepay& prepay) {
  const PrepayRules& rules = call.profile.prepay;
  if (prepay.amount_fen < 1 || prepay.amount_fen > std::numeric_limits<uint32_t>::max()) {
    return base::InvalidArgument("BAD_AMOUNT", "an amount is 0.01 to 42949672.95",
                                 {{"fen", absl::StrCat(prepay.amount_fen)}});
  }
  std::string body = LowFirst(static_cast<uint64_t>(prepay.amount_fen), 4);
  if (rules.order_number) {
    VW_ASSIGN_OR_RETURN(const std::string order, DigitBytes(prepay.order_number, kOrderDigits, "BAD_ORDER_NUMBER"));
    body += order;
  } else {
    // A wallet counts its purchases from 1; only the opening of the account may be its number 0.
    if (prepay.purchase_number == 0 && prepay.kind == PrepayKind::kTopUp) {
      return base::InvalidArgument("BAD_PURCHASE_NUMBER", "a top-up's number is the meter's count + 1, so never 0",
                                   {{"number", "0"}});
    }
    body += LowFirst(prepay.purchase_number, 4);
  }
  VW_ASSIGN_OR_RETURN(const std::string mac1, MacBytes(call, prepay.mac1));
  body += mac1;
  if (rules.without_customer) return body;
  if (rules.address_as_customer) {
    body.append(call.address.wire.begin(), call.address.wire.end());
  } else {
    VW_ASSIGN_OR_RETURN(const std::string customer,
                        DigitBytes(prepay.customer_number, kCustomerDigits, "BAD_CUSTOMER_NUMBER"));
    body += customer;
  }
  VW_ASSIGN_OR_RETURN(const std::string mac2, MacBytes(call, prepay.mac2));
  return body + mac2;
}

absl::StatusOr<ExchangeGroup> Authenticate(const Dlt645Call& call, const std::string& authentication,
                                           const std::string& operator_code) {
  if (authentication.size() != kAuthenticationSize) {
    return base::InvalidArgument("BAD_AUTHENTICATION", "an authentication is 24 bytes: cipher, random number, factor");
  }
  VW_ASSIGN_OR_RETURN(Exchange exchange, SecureExchange(call, kAuthenticateDi, operator_code, authentication));
  return ExchangeGroup{{std::move(exchange)}};
}

absl::StatusOr<ExchangeGroup> PrepayItself(const Dlt645Call& call, const Prepay& prepay) {
  VW_ASSIGN_OR_RETURN(const uint32_t di, PrepayDi(call, prepay.kind));
  VW_ASSIGN_OR_RETURN(const std::string body, PrepayBody(call, prepay));
  VW_ASSIGN_OR_RETURN(Exchange exchange, SecureExchange(call, di, prepay.operator_code, body));
  return ExchangeGroup{{std::move(exchange)}};
}

absl::StatusOr<ExchangeGroup> ReadsItself(const Dlt645Call& call, const ReadPrepaid& read) {
  ExchangeGroup group;
  if (HasStatus(call)) {
    VW_ASSIGN_OR_RETURN(Exchange status, SecureExchange(call, kStatusDi, read.operator_code, ""));
    group.exchanges.push_back(std::move(status));
  }
  for (const RecordRead& record : kRecords) {
    const RecordForm form = FormOf(call, record);
    group.exchanges.push_back(MakeExchange(call, dlt645::BuildRead(call.address, form.di),
                                           dlt645::ReadReplyMatcher(call.address, dlt645::kReadData, form.di),
                                           dlt645::kDiSize + form.spec.length));
  }
  return group;
}

// A normal answer to 03H: its identifier and what stands behind it, without 33H.
struct SecureAnswer {
  uint32_t di = 0;
  std::string body = {};
};
absl::StatusOr<SecureAnswer> SecureAnswerAt(const Dlt645Call& call, const std::vector<ReplyFrames>& replies,
                                            size_t place) {
  VW_ASSIGN_OR_RETURN(const dlt645::Frame frame, TakenReply(call, dlt645::kSecurity, replies, place));
  if (frame.data.size() < dlt645::kDiSize) {
    return dlt645::NotUnderstood("too short for a data identifier", base::AsBytes(replies[place].front()));
  }
  return SecureAnswer{dlt645::DataIdentifier(frame.data), PlainData(frame.data.subspan(dlt645::kDiSize))};
}

absl::Status OtherIdentifier(const std::vector<ReplyFrames>& replies) {
  return dlt645::NotUnderstood("the answer has another data identifier", base::AsBytes(replies[0].front()));
}

// None for digits that are none.
std::optional<int64_t> Bcd(absl::string_view plain, bool with_sign) {
  constexpr size_t kBytesMax = 9;  // 18 digits are what a Decimal holds.
  if (plain.size() > kBytesMax) return std::nullopt;
  int64_t number = 0;
  bool negative = false;
  for (size_t i = plain.size(); i-- > 0;) {
    int byte = static_cast<uint8_t>(plain[i]);
    if (with_sign && i + 1 == plain.size() && (byte & 0x80) != 0) {
      negative = true;
      byte &= 0x7F;
    }
    if (byte >> 4 > 9 || (byte & 0x0F) > 9) return std::nullopt;
    number = number * 100 + (byte >> 4) * 10 + (byte & 0x0F);
  }
  return negative ? -number : number;
}

// None where the meter has no value: all bytes FF, or what the profile names. Looked at before the digits are.
bool IsNone(const Dlt645Call& call, absl::string_view plain) {
  const std::vector<std::string>& named = call.profile.sentinels;
  return plain.find_first_not_of('\xFF') == absl::string_view::npos ||
         std::find(named.begin(), named.end(), plain) != named.end();
}

std::optional<int64_t> Binary(absl::string_view plain) {
  uint64_t number = 0;
  for (size_t i = plain.size(); i-- > 0;) number = number << 8 | static_cast<uint8_t>(plain[i]);
  if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::string Digits(absl::string_view plain) {
  const std::string reversed(plain.rbegin(), plain.rend());
  return base::ToHex(base::AsBytes(reversed));
}

void SetNumber(std::optional<int64_t> number, PrepaidState& state) {
  if (number.has_value() && *number >= 0 && *number <= std::numeric_limits<uint32_t>::max()) {
    state.purchase_number = static_cast<uint32_t>(*number);
  }
}

void SetAmount(std::optional<int64_t> units, std::optional<decimal::Decimal>& amount, int scale = kFenScale) {
  if (units.has_value()) amount = decimal::Decimal(*units, scale);
}

// One field of a status layout, which was checked when the profile was read.
struct StatusField {
  absl::string_view name = "";
  bool bcd = false;
  size_t size = 0;
};

std::vector<StatusField> StatusFields(const Dlt645Call& call) {
  const std::string& own = call.profile.prepay.status_layout;
  const absl::string_view layout = own.empty() ? kStatusLayout : absl::string_view(own);
  std::vector<StatusField> fields;
  for (const absl::string_view text : absl::StrSplit(layout, ' ', absl::SkipEmpty())) {
    const size_t digit = text.find_last_not_of("0123456789") + 1;
    StatusField field = {text.substr(0, std::min(text.find('.'), digit)), absl::StrContains(text, ".bcd"), 0};
    VW_CHECK(absl::SimpleAtoi(text.substr(digit), &field.size));
    fields.push_back(field);
  }
  return fields;
}

// A body of another length has another layout: read by this one it would be money that nobody has.
absl::Status TakeStatus(const Dlt645Call& call, absl::string_view body, base::ByteView frame, PrepaidState& state) {
  const std::vector<StatusField> fields = StatusFields(call);
  size_t size = 0;
  for (const StatusField& field : fields) size += field.size;
  if (body.size() != size) return dlt645::NotUnderstood("a status of another length than the profile's layout", frame);
  int sign = 1;  // Of the next field; 0: not known.
  for (const StatusField& field : fields) {
    const absl::string_view bytes = body.substr(0, field.size);
    body.remove_prefix(field.size);
    if (field.name == "skip") continue;
    const bool none = IsNone(call, bytes);
    if (field.name == "customer") {
      state.customer_number = none ? "" : Digits(bytes);
      continue;
    }
    std::optional<int64_t> number;
    if (!none) number = field.bcd ? Bcd(bytes, /*with_sign=*/false) : Binary(bytes);
    if (field.name == "sign") {
      sign = number == 0 ? 1 : number == 1 ? -1 : 0;
      continue;
    }
    if (number.has_value()) number = sign == 0 ? std::nullopt : std::optional(*number * sign);
    sign = 1;
    if (field.name == "number") SetNumber(number, state);
    if (field.name == "remaining") SetAmount(number, state.remaining);
    if (field.name == "accumulated") SetAmount(number, state.accumulated);
    if (field.name == "last") SetAmount(number, state.last_amount);
  }
  return absl::OkStatus();
}

absl::Status Disagree(absl::string_view what, const std::string& status, const std::string& record) {
  return base::DataLoss("PREPAID_DISAGREES", absl::StrCat("status query and records disagree on the ", what),
                        {{"what", std::string(what)}, {"status", status}, {"record", record}});
}

absl::Status MergeAmount(absl::string_view what, const std::optional<decimal::Decimal>& record,
                         const decimal::Decimal& drift, std::optional<decimal::Decimal>& status) {
  if (!status.has_value()) status = record;
  if (!record.has_value()) return absl::OkStatus();
  const bool status_is_less = *status < *record;
  const auto apart = status_is_less ? decimal::Subtract(*record, *status) : decimal::Subtract(*status, *record);
  if (apart.ok() && *apart <= drift) return absl::OkStatus();
  absl::Status error = Disagree(what, status->ToString(), record->ToString());
  status.reset();
  return error;
}

// What both the status query and the records tell must be the same: else one of them is read wrongly, or not up to
// date, and nobody knows which. Neither is told then.
absl::Status Merge(const PrepaidState& records, PrepaidState& state) {
  absl::Status error;
  const auto take = [&error](absl::Status status) {
    if (error.ok()) error = std::move(status);
  };
  if (!state.purchase_number.has_value()) {
    state.purchase_number = records.purchase_number;
  } else if (records.purchase_number.has_value() && *state.purchase_number != *records.purchase_number) {
    take(Disagree("count", absl::StrCat(*state.purchase_number), absl::StrCat(*records.purchase_number)));
    state.purchase_number.reset();
  }
  const decimal::Decimal drift(kRemainingDriftFen, kFenScale);
  take(MergeAmount("remaining", records.remaining, drift, state.remaining));
  take(MergeAmount("last", records.last_amount, {}, state.last_amount));
  take(MergeAmount("accumulated", records.accumulated, {}, state.accumulated));
  return error;
}

absl::Status TakeRecord(const Dlt645Call& call, const RecordRead& record, const ReplyFrames& frames,
                        PrepaidState& state) {
  VW_ASSIGN_OR_RETURN(const dlt645::ReadData data, dlt645::JoinReplies(call.address, frames));
  const RecordForm form = FormOf(call, record);
  const size_t length = form.spec.length;
  if (data.di != form.di) {
    return dlt645::NotUnderstood("the answer has another data identifier", base::AsBytes(frames.front()));
  }
  const std::string plain = PlainData(base::AsBytes(data.data));
  absl::string_view bytes = plain;
  // Some meters end a single value with the separator of blocks.
  if (bytes.size() == length + 1) absl::ConsumeSuffix(&bytes, kSeparator);
  if (bytes.size() != length) {
    return dlt645::NotUnderstood("a purchase record of another length", base::AsBytes(frames.front()));
  }
  if (IsNone(call, bytes)) return absl::OkStatus();
  const std::optional<int64_t> number = Bcd(bytes, form.spec.format == dlt645::Format::kSignedBcd);
  const int scale = form.spec.scale;
  if (record.told == Told::kNumber && scale == 0) SetNumber(number, state);  // Parts of a purchase are none.
  if (record.told == Told::kLast) SetAmount(number, state.last_amount, scale);
  if (record.told == Told::kAccumulated) SetAmount(number, state.accumulated, scale);
  if (record.told == Told::kRemaining) SetAmount(number, state.remaining, scale);
  return absl::OkStatus();
}

// Money has a road of its own, with its guards: whatever stands under 0701, old forms and unknown ones, too. Otherwise
// the standard's families go out, and of a vendor's own, which may move a relay (ABABABDD), those that the profile
// lists.
absl::Status CheckSecureIdentifier(const Profile& profile, uint32_t di) {
  constexpr uint32_t kFamilies[] = {0x0700, 0x0702, 0x0703, 0x0780, 0x0781};
  const uint32_t family = di >> 16;
  if (family == kMoneyIdentifiers) return ActionNotSupported("purchases are commands of their own");
  const auto& own = profile.secure_identifiers;
  if (std::find(std::begin(kFamilies), std::end(kFamilies), family) != std::end(kFamilies) ||
      std::find(own.begin(), own.end(), di) != own.end()) {
    return absl::OkStatus();
  }
  return ActionNotSupported("no security function of the standard, and not in the profile's secure_identifiers");
}

// Whether this is the answer to the authentication that went before.
bool IsAuthentication(const Dlt645Call& call, const std::vector<ReplyFrames>& replies) {
  const auto answer = SecureAnswerAt(call, replies, 0);
  return answer.ok() && answer->di == kAuthenticateDi;
}

void Continue(const Dlt645Call& call, const std::vector<ReplyFrames>& replies, absl::StatusOr<ExchangeGroup> next,
              Decoded& decoded) {
  decoded.body = SecureAnswerAt(call, replies, 0)->body;
  if (next.ok()) {
    decoded.continuation = *std::move(next);
  } else {
    decoded.error = next.status();
  }
}

}  // namespace

absl::StatusOr<ExchangeGroup> EncodeDlt645Secure(const Dlt645Call& call, const Secure& secure) {
  VW_RETURN_IF_ERROR(CheckSecureIdentifier(call.profile, secure.data_identifier));
  VW_ASSIGN_OR_RETURN(Exchange exchange,
                      SecureExchange(call, secure.data_identifier, secure.operator_code, secure.body));
  return ExchangeGroup{{std::move(exchange)}};
}

Decoded DecodeDlt645Secure(const Dlt645Call& call, const Secure& secure, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  const auto answer = SecureAnswerAt(call, replies, 0);
  if (!answer.ok()) {
    decoded.error = answer.status();
  } else if (answer->di != secure.data_identifier) {
    decoded.error = OtherIdentifier(replies);
  } else {
    decoded.body = answer->body;
  }
  return decoded;
}

absl::StatusOr<ExchangeGroup> EncodeDlt645Prepay(const Dlt645Call& call, const Prepay& prepay) {
  // Checked as a whole before the first step: a purchase that cannot be said is refused before the meter hears of it.
  VW_ASSIGN_OR_RETURN(ExchangeGroup itself, PrepayItself(call, prepay));
  if (prepay.authentication.empty()) return itself;
  return Authenticate(call, prepay.authentication, prepay.operator_code);
}

Decoded DecodeDlt645Prepay(const Dlt645Call& call, const Prepay& prepay, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  if (!prepay.authentication.empty() && IsAuthentication(call, replies)) {
    Continue(call, replies, PrepayItself(call, prepay), decoded);
    return decoded;
  }
  const auto di = PrepayDi(call, prepay.kind);
  const auto answer = SecureAnswerAt(call, replies, 0);
  if (!di.ok() || !answer.ok()) {
    decoded.error = di.ok() ? answer.status() : di.status();
  } else if (answer->di != *di) {
    decoded.error = OtherIdentifier(replies);
  } else {
    decoded.body = answer->body;
  }
  return decoded;
}

absl::StatusOr<ExchangeGroup> EncodeDlt645ReadPrepaid(const Dlt645Call& call, const ReadPrepaid& read) {
  VW_RETURN_IF_ERROR(CheckEdition(call));
  if (!read.authentication.empty()) return Authenticate(call, read.authentication, read.operator_code);
  return ReadsItself(call, read);
}

Decoded DecodeDlt645ReadPrepaid(const Dlt645Call& call, const ReadPrepaid& read,
                                const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  decoded.error = CheckEdition(call);
  if (!decoded.error.ok()) return decoded;
  if (!read.authentication.empty() && IsAuthentication(call, replies)) {
    Continue(call, replies, ReadsItself(call, read), decoded);
    return decoded;
  }
  PrepaidState state;
  bool told = false;
  absl::Status refused;
  const auto take = [&](const absl::Status& status) {
    told = told || status.ok();
    absl::Status& first = base::ReasonOf(status) == "METER_REFUSED" ? refused : decoded.error;
    if (first.ok()) first = status;
  };
  size_t place = 0;
  if (HasStatus(call)) {
    const auto answer = SecureAnswerAt(call, replies, place++);
    if (!answer.ok()) {
      take(answer.status());
    } else if (answer->di != kStatusDi) {
      take(OtherIdentifier(replies));
    } else {
      take(TakeStatus(call, answer->body, base::AsBytes(replies.front().front()), state));
    }
  }
  PrepaidState records;
  for (const RecordRead& record : kRecords) {
    const bool came = place < replies.size();
    take(came ? TakeRecord(call, record, replies[place], records) : dlt645::NotUnderstood("no reply", {}));
    ++place;
  }
  if (absl::Status other = Merge(records, state); decoded.error.ok()) decoded.error = std::move(other);
  // A meter rarely has all of them: what it refused is known by what is missing. What was garbled, or did not come,
  // is an error beside the rest, so that a count that was told is never taken for one that is absent.
  if (told) decoded.prepaid = std::move(state);
  if (!told && decoded.error.ok()) decoded.error = refused;
  return decoded;
}

}  // namespace voltwell::codec
