// Options by name: from the environment first, then from the arguments, each value checked where it is set.
#include "libs/config/config.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/check.h"
#include "libs/base/status.h"

namespace voltwell::config {

struct Options::Option {
  std::string name;
  std::string help;
  std::string limits;  // For --help; empty when there are none.
  bool boolean = false;
  bool secret = false;
  bool required = false;
  // Sets the value, or says what is wrong with the text.
  std::function<std::string(absl::string_view)> set;
  std::function<std::string()> get;
};

namespace {

constexpr absl::string_view kFileSuffix = "-file";

std::string EnvironmentName(absl::string_view option) {
  return absl::StrCat("VOLTWELL_", absl::StrReplaceAll(absl::AsciiStrToUpper(option), {{"-", "_"}}));
}

absl::Status BadOption(absl::string_view option, absl::string_view message) {
  return base::InvalidArgument("BAD_OPTION", absl::StrCat("--", option, ": ", message),
                               {{"option", std::string(option)}});
}

// Levenshtein's distance: how many letters to change, add or drop.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

template <typename Number>
std::string SetInt(absl::string_view text, Number* value, const IntLimits& limits) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return absl::StrCat("\"", text, "\" is not a whole number");
  if (number < limits.min) return absl::StrCat(number, " is less than ", limits.min);
  if (number > limits.max) return absl::StrCat(number, " is more than ", limits.max);
  *value = static_cast<Number>(number);
  return "";
}

std::string DescribeLimits(const IntLimits& limits) {
  const IntLimits none;
  if (limits.min == none.min && limits.max == none.max) return "";
  if (limits.max == none.max) return absl::StrCat("at least ", limits.min);
  if (limits.min == none.min) return absl::StrCat("at most ", limits.max);
  return absl::StrCat(limits.min, " to ", limits.max);
}

std::string SetBool(absl::string_view text, bool* value) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") {
    *value = true;
  } else if (text == "false" || text == "0" || text == "no" || text == "off") {
    *value = false;
  } else {
    return absl::StrCat("\"", text, "\" is neither true nor false");
  }
  return "";
}

std::string SetDuration(absl::string_view text, absl::Duration* value, absl::Duration min, absl::Duration max) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration))
    return absl::StrCat("\"", text, "\" is not a duration such as 250ms or 2s");
  if (duration < min) return absl::StrCat(text, " is less than ", absl::FormatDuration(min));
  if (duration > max) return absl::StrCat(text, " is more than ", absl::FormatDuration(max));
  *value = duration;
  return "";
}

std::string DescribeLimits(absl::Duration min, absl::Duration max) {
  if (max == absl::InfiniteDuration()) {
    return min == absl::ZeroDuration() ? "" : absl::StrCat("at least ", absl::FormatDuration(min));
  }
  return absl::StrCat(absl::FormatDuration(min), " to ", absl::FormatDuration(max));
}

}  // namespace

Options::Options() = default;
Options::~Options() = default;

Options::Option& Options::Add(std::string name, std::string help) {
  for (const auto& option : options_) VW_CHECK(option->name != name);  // Declared twice.
  options_.push_back(std::make_unique<Option>());
  options_.back()->name = std::move(name);
  options_.back()->help = std::move(help);
  return *options_.back();
}

void Options::Int(std::string name, int* value, std::string help, IntLimits limits) {
  limits.min = std::max<int64_t>(limits.min, std::numeric_limits<int>::min());
  limits.max = std::min<int64_t>(limits.max, std::numeric_limits<int>::max());
  Option& option = Add(std::move(name), std::move(help));
  option.limits = DescribeLimits(limits);
  option.set = [value, limits](absl::string_view text) { return SetInt(text, value, limits); };
  option.get = [value] { return absl::StrCat(*value); };
}

void Options::Int(std::string name, int64_t* value, std::string help, IntLimits limits) {
  Option& option = Add(std::move(name), std::move(help));
  option.limits = DescribeLimits(limits);
  option.set = [value, limits](absl::string_view text) { return SetInt(text, value, limits); };
  option.get = [value] { return absl::StrCat(*value); };
}

void Options::Bool(std::string name, bool* value, std::string help) {
  Option& option = Add(std::move(name), std::move(help));
  option.boolean = true;
  option.set = [value](absl::string_view text) { return SetBool(text, value); };
  option.get = [value] { return std::string(*value ? "true" : "false"); };
}

void Options::Text(std::string name, std::string* value, std::string help, const TextRules& rules) {
  Option& option = Add(std::move(name), std::move(help));
  option.secret = rules.secret;
  option.required = rules.required;
  option.limits = rules.required ? "required" : absl::StrJoin(rules.choices, ", ");
  option.set = [value, choices = rules.choices](absl::string_view text) {
    if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
      return absl::StrCat("\"", text, "\" is none of ", absl::StrJoin(choices, ", "));
    }
    *value = std::string(text);
    return std::string();
  };
  option.get = [value] { return *value; };
}

void Options::Duration(std::string name, absl::Duration* value, std::string help, absl::Duration min,
                       absl::Duration max) {
  Option& option = Add(std::move(name), std::move(help));
  option.limits = DescribeLimits(min, max);
  option.set = [value, min, max](absl::string_view text) { return SetDuration(text, value, min, max); };
  option.get = [value] { return absl::FormatDuration(*value); };
}

void Options::List(std::string name, std::vector<std::string>* value, std::string help) {
  Option& option = Add(std::move(name), std::move(help));
  option.set = [value](absl::string_view text) {
    value->clear();
    for (const absl::string_view item : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
      value->emplace_back(absl::StripAsciiWhitespace(item));
    }
    return std::string();
  };
  option.get = [value] { return absl::StrJoin(*value, ","); };
}

Options::Option* Options::Find(absl::string_view name) const {
  for (const auto& option : options_) {
    if (option->name == name) return option.get();
  }
  return nullptr;
}

absl::Status Options::Set(const Option& option, absl::string_view text) {
  const std::string mistake = option.set(text);
  return mistake.empty() ? absl::OkStatus() : BadOption(option.name, mistake);
}

absl::Status Options::SetFromFile(const Option& option, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return BadOption(absl::StrCat(option.name, kFileSuffix), absl::StrCat("cannot read ", path));
  const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return Set(option, absl::StripTrailingAsciiWhitespace(content));  // Editors end a file with a newline.
}

absl::Status Options::Unknown(absl::string_view name) const {
  const Option* nearest = nullptr;
  size_t least = std::max<size_t>(3, name.size() / 3) + 1;  // Farther than that is no spelling mistake.
  for (const auto& option : options_) {
    const size_t distance = Distance(name, option->name);
    if (distance >= least) continue;
    least = distance;
    nearest = option.get();
  }
  if (nearest == nullptr) return BadOption(name, "there is no such option; --help lists them");
  return BadOption(name, absl::StrCat("there is no such option; did you mean --", nearest->name, "?"));
}

absl::Status Options::ParseEnvironment(const Environment& environment) {
  for (const auto& option : options_) {
    const std::string name = EnvironmentName(option->name);
    if (option->secret) {
      const char* path = environment(absl::StrCat(name, "_FILE").c_str());
      if (path != nullptr) VW_RETURN_IF_ERROR(SetFromFile(*option, path));
    }
    const char* text = environment(name.c_str());
    if (text != nullptr) VW_RETURN_IF_ERROR(Set(*option, text));
  }
  return absl::OkStatus();
}

absl::Status Options::ParseArguments(const std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view argument = arguments[i];
    if (!absl::ConsumePrefix(&argument, "--") || argument.empty()) {
      return base::InvalidArgument("BAD_OPTION", absl::StrCat("\"", arguments[i], "\" is not an option (--name value)"),
                                   {{"option", arguments[i]}});
    }
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(argument, absl::MaxSplits('=', 1));
    const bool has_value = absl::StrContains(argument, '=');
    absl::string_view name = parts.first;
    const Option* option = Find(name);
    const bool negated = option == nullptr && absl::StartsWith(name, "no-") && Find(name.substr(3)) != nullptr &&
                         Find(name.substr(3))->boolean;
    if (negated) option = Find(name.substr(3));
    const Option* secret = nullptr;
    if (option == nullptr && absl::EndsWith(name, kFileSuffix)) {
      secret = Find(name.substr(0, name.size() - kFileSuffix.size()));
      if (secret != nullptr && !secret->secret) secret = nullptr;
    }
    if (option == nullptr && secret == nullptr) return Unknown(name);
    if (option != nullptr && option->boolean && !has_value) {
      VW_RETURN_IF_ERROR(Set(*option, negated ? "false" : "true"));
      continue;
    }
    if (negated) return BadOption(name, "takes no value");
    if (!has_value && i + 1 == arguments.size()) return BadOption(name, "a value is missing");
    const std::string value = has_value ? std::string(parts.second) : arguments[++i];
    VW_RETURN_IF_ERROR(secret != nullptr ? SetFromFile(*secret, value) : Set(*option, value));
  }
  return absl::OkStatus();
}

absl::Status Options::Parse(const std::vector<std::string>& arguments, const Environment& environment) {
  VW_RETURN_IF_ERROR(ParseEnvironment(environment));
  VW_RETURN_IF_ERROR(ParseArguments(arguments));
  for (const auto& option : options_) {
    if (option->required && option->get().empty()) return BadOption(option->name, "must be given");
  }
  return absl::OkStatus();
}

std::string Options::Help() const {
  std::string help = "Options (flag, then environment variable, what it is, default):\n";
  for (const auto& option : options_) {
    const std::string value = option->secret ? std::string("secret") : absl::StrCat("default: ", option->get());
    absl::StrAppend(&help, "  --", option->boolean ? "[no-]" : "", option->name, "  ", EnvironmentName(option->name),
                    "\n      ", option->help, " (", value, option->limits.empty() ? "" : "; ", option->limits, ")\n");
    if (option->secret) absl::StrAppend(&help, "      or --", option->name, "-file PATH\n");
  }
  absl::StrAppend(&help, "  --help  --print-config  --check-config\n");
  return help;
}

std::string Options::Print() const {
  std::string text;
  for (const auto& option : options_) {
    const std::string value = option->get();
    absl::StrAppend(&text, option->name, "=", option->secret && !value.empty() ? "***" : value, "\n");
  }
  return text;
}

void ParseOrExit(Options& options, int argc, char** argv) {
  bool help = false;
  bool print = false;
  bool check = false;
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    help = help || argument == "--help";
    print = print || argument == "--print-config";
    check = check || argument == "--check-config";
    if (argument != "--help" && argument != "--print-config" && argument != "--check-config") {
      arguments.emplace_back(argument);
    }
  }
  if (help) {
    std::fputs(options.Help().c_str(), stdout);
    std::exit(0);
  }
  const absl::Status parsed = options.Parse(arguments, [](const char* name) { return std::getenv(name); });
  if (!parsed.ok()) {
    std::fprintf(stderr, "%s\n", std::string(parsed.message()).c_str());
    std::exit(2);
  }
  if (print) std::fputs(options.Print().c_str(), stdout);
  if (print || check) std::exit(0);
}

}  // namespace voltwell::config
