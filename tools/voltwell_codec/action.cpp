#include "tools/voltwell_codec/action.h"

#include <functional>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"

namespace voltwell::codec_cli {
namespace {

using codec::Command;
using Words = std::vector<std::string>;

struct Action {
  std::string help;  // The words, as the user would write them.
  size_t least = 0;
  size_t most = 0;
  std::function<absl::Status(const Words&, const Options&, Command&)> make;
};

codec::Authority AuthorityOf(const Options& options) {
  return {.password = options.password,
          .operator_code = options.operator_code,
          .cipher = options.cipher,
          .mac = options.mac};
}

absl::Status BadAction(const std::string& why) { return base::InvalidArgument("BAD_ACTION", why); }

// Whether the optional word stands at `place`; any other there is a mistake.
absl::StatusOr<bool> Says(const Words& words, size_t place, const char* word) {
  if (words.size() <= place) return false;
  if (words[place] == word) return true;
  return BadAction(absl::StrCat("expected ", word, ", not ", words[place]));
}

absl::StatusOr<int32_t> Number(const std::string& word) {
  int32_t number = 0;
  if (word == "*") return -1;
  if (!absl::SimpleAtoi(word, &number)) return BadAction(absl::StrCat("not a number: ", word));
  return number;
}

const std::map<std::string, codec::RelayAction>& RelayActions() {
  static const auto* const actions =
      new std::map<std::string, codec::RelayAction>{{"open", codec::RelayAction::kOpen},
                                                    {"permit-close", codec::RelayAction::kPermitClose},
                                                    {"close", codec::RelayAction::kClose},
                                                    {"alarm-on", codec::RelayAction::kAlarmOn},
                                                    {"alarm-off", codec::RelayAction::kAlarmOff},
                                                    {"keep-power-on", codec::RelayAction::kKeepPowerOn},
                                                    {"keep-power-off", codec::RelayAction::kKeepPowerOff},
                                                    {"pre-trip", codec::RelayAction::kPreTrip},
                                                    {"pre-trip-permit", codec::RelayAction::kPreTripPermit}};
  return *actions;
}

absl::Status MakeRelay(const Words& words, const Options& options, Command& command) {
  const auto action = RelayActions().find(words[0]);
  if (action == RelayActions().end()) return BadAction(absl::StrCat("no such relay action: ", words[0]));
  command.action = codec::ControlRelay{.action = action->second,
                                       .authority = AuthorityOf(options),
                                       .expires_local_time = words.size() > 1 ? words[1] : "",
                                       .delay_minutes = options.delay_minutes};
  return absl::OkStatus();
}

absl::Status MakeFreeze(const Words& words, const Options&, Command& command) {
  codec::Freeze freeze;
  int32_t* const fields[] = {&freeze.month, &freeze.day, &freeze.hour, &freeze.minute};
  for (size_t i = 0; i < 4; ++i) {
    VW_ASSIGN_OR_RETURN(*fields[i], Number(words[i]));
  }
  VW_ASSIGN_OR_RETURN(freeze.broadcast, Says(words, 4, "broadcast"));
  command.action = freeze;
  return absl::OkStatus();
}

absl::Status MakeClear(const Words& words, const Options& options, Command& command) {
  static const auto* const what = new std::map<std::string, codec::ClearWhat>{{"demand", codec::ClearWhat::kDemand},
                                                                              {"meter", codec::ClearWhat::kMeter},
                                                                              {"events", codec::ClearWhat::kEvents}};
  const auto found = what->find(words[0]);
  if (found == what->end()) return BadAction("clear demand, meter or events");
  command.action = codec::Clear{found->second, words.size() > 1 ? words[1] : "", AuthorityOf(options)};
  return absl::OkStatus();
}

absl::Status MakePrepay(codec::PrepayKind kind, const Words& words, const Options& options, Command& command) {
  codec::Prepay prepay = {.kind = kind, .order_number = options.order, .operator_code = options.operator_code};
  if (!absl::SimpleAtoi(words[0], &prepay.amount_fen)) return BadAction("the amount is a number of fen");
  if (!absl::SimpleAtoi(words[1], &prepay.purchase_number)) return BadAction("the purchase number is a number");
  if (words.size() > 2) prepay.customer_number = words[2];
  if (words.size() > 3) {
    VW_ASSIGN_OR_RETURN(prepay.mac1, base::FromHex(words[3]));
  }
  if (words.size() > 4) {
    VW_ASSIGN_OR_RETURN(prepay.mac2, base::FromHex(words[4]));
  }
  command.action = std::move(prepay);
  return absl::OkStatus();
}

absl::Status MakeChangePassword(const Words& words, const Options&, Command& command) {
  codec::ChangePassword change;
  VW_ASSIGN_OR_RETURN(change.level, Number(words[0]));
  VW_ASSIGN_OR_RETURN(change.old_password, base::FromHex(words[1]));
  VW_ASSIGN_OR_RETURN(change.new_password, base::FromHex(words[2]));
  command.action = std::move(change);
  return absl::OkStatus();
}

absl::Status MakeSecure(const Words& words, const Options& options, Command& command) {
  codec::Secure secure = {.operator_code = options.operator_code};
  if (!absl::SimpleHexAtoi(words[0], &secure.data_identifier)) return BadAction("the identifier is hexadecimal");
  VW_ASSIGN_OR_RETURN(secure.body, base::FromHex(words.size() > 1 ? words[1] : ""));
  command.action = std::move(secure);
  return absl::OkStatus();
}

absl::Status MakeLoadProfile(const Words& words, const Options&, Command& command) {
  codec::ReadLoadProfile read = {.reg = words[0]};
  if (words.size() > 1) {
    VW_ASSIGN_OR_RETURN(read.records, Number(words[1]));
  }
  if (words.size() > 2) read.from_local = words[2];
  command.action = std::move(read);
  return absl::OkStatus();
}

// Actions that only hand their words over.
std::map<std::string, Action> SimpleActions() {
  return {
      {"read",
       {"read REGISTER...", 0, codec::kRegistersMax,
        [](const Words& words, const Options&, Command& command) {
          command.action = codec::ReadRegisters{words};
          return absl::OkStatus();
        }}},
      {"read-address",
       {"read-address", 0, 0,
        [](const Words&, const Options&, Command& command) {
          command.action = codec::ReadAddress{};
          return absl::OkStatus();
        }}},
      {"search",
       {"search   (wildcards in --address)", 0, 0,
        [](const Words&, const Options&, Command& command) {
          command.action = codec::Search{};
          return absl::OkStatus();
        }}},
      {"read-prepaid",
       {"read-prepaid", 0, 0,
        [](const Words&, const Options& options, Command& command) {
          command.action = codec::ReadPrepaid{.operator_code = options.operator_code};
          return absl::OkStatus();
        }}},
      {"write",
       {"write REGISTER VALUE", 2, 2,
        [](const Words& words, const Options& options, Command& command) {
          command.action = codec::WriteRegister{words[0], words[1], AuthorityOf(options)};
          return absl::OkStatus();
        }}},
      {"write-address",
       {"write-address ADDRESS", 1, 1,
        [](const Words& words, const Options& options, Command& command) {
          command.action = codec::WriteAddress{words[0], AuthorityOf(options)};
          return absl::OkStatus();
        }}},
      {"clock",
       {"clock YYYY-MM-DDThh:mm:ss [broadcast]", 1, 2,
        [](const Words& words, const Options& options, Command& command) -> absl::Status {
          VW_ASSIGN_OR_RETURN(const bool broadcast, Says(words, 1, "broadcast"));
          command.action = codec::SetClock{words[0], broadcast, AuthorityOf(options)};
          return absl::OkStatus();
        }}},
      {"baud",
       {"baud RATE", 1, 1,
        [](const Words& words, const Options&, Command& command) -> absl::Status {
          VW_ASSIGN_OR_RETURN(const int32_t baud, Number(words[0]));
          command.action = codec::ChangeBaud{baud};
          return absl::OkStatus();
        }}},
      {"reset",
       {"reset [application]", 0, 1,
        [](const Words& words, const Options&, Command& command) -> absl::Status {
          VW_ASSIGN_OR_RETURN(const bool application, Says(words, 0, "application"));
          command.action = codec::Reset{.application = application};
          return absl::OkStatus();
        }}},
      {"raw",
       {"raw HEX", 1, 1,
        [](const Words& words, const Options&, Command& command) -> absl::Status {
          codec::Raw raw;
          VW_ASSIGN_OR_RETURN(raw.request, base::FromHex(words[0]));
          command.action = std::move(raw);
          return absl::OkStatus();
        }}},
  };
}

const std::map<std::string, Action>& Actions() {
  static const auto* const actions = [] {
    auto* all = new std::map<std::string, Action>(SimpleActions());
    const auto prepay = [](codec::PrepayKind kind) {
      return [kind](const Words& words, const Options& options, Command& command) {
        return MakePrepay(kind, words, options, command);
      };
    };
    (*all)["relay"] = {
        "relay open|permit-close|close|alarm-on|alarm-off|keep-power-on|keep-power-off|pre-trip|pre-trip-permit "
        "[EXPIRY]",
        1, 2, MakeRelay};
    (*all)["freeze"] = {"freeze MONTH DAY HOUR MINUTE [broadcast]   (* is every)", 4, 5, MakeFreeze};
    (*all)["clear"] = {"clear demand|meter|events [REGISTER]", 1, 2, MakeClear};
    (*all)["open-account"] = {"open-account FEN NUMBER [CUSTOMER [MAC1 [MAC2]]]", 2, 5,
                              prepay(codec::PrepayKind::kOpenAccount)};
    (*all)["top-up"] = {"top-up FEN NUMBER [CUSTOMER [MAC1 [MAC2]]]", 2, 5, prepay(codec::PrepayKind::kTopUp)};
    (*all)["refund"] = {"refund FEN NUMBER [CUSTOMER [MAC1 [MAC2]]]", 2, 5, prepay(codec::PrepayKind::kRefund)};
    (*all)["change-password"] = {"change-password LEVEL OLD NEW   (hexadecimal)", 3, 3, MakeChangePassword};
    (*all)["secure"] = {"secure IDENTIFIER [BODY]", 1, 2, MakeSecure};
    (*all)["load-profile"] = {"load-profile REGISTER [RECORDS [YYYY-MM-DDThh:mm]]", 1, 3, MakeLoadProfile};
    return all;
  }();
  return *actions;
}

}  // namespace

absl::StatusOr<Command> ToCommand(const Options& options) {
  if (options.words.empty()) return BadAction("which action? see voltwell-codec help");
  const auto action = Actions().find(options.words[0]);
  if (action == Actions().end()) return BadAction(absl::StrCat("no such action: ", options.words[0]));
  const Words words(options.words.begin() + 1, options.words.end());
  if (words.size() < action->second.least || words.size() > action->second.most) {
    return BadAction(absl::StrCat("usage: ", action->second.help));
  }
  Command command = {
      .protocol = options.protocol, .address = options.address, .profile = options.profile, .baud = options.baud};
  VW_RETURN_IF_ERROR(action->second.make(words, options, command));
  return command;
}

std::string ActionHelp() {
  std::string help;
  for (const auto& [name, action] : Actions()) absl::StrAppend(&help, "  ", action.help, "\n");
  return help;
}

}  // namespace voltwell::codec_cli
