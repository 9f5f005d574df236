// Words of explanations in two languages, and the cursor that leaves no byte out.
#pragma once

#include <string>
#include <vector>

#include "libs/codec/command.h"
#include "libs/codec/dlt645/register_table.h"
#include "libs/codec/dlt645/reply.h"

namespace voltwell::codec::dlt645 {

// Chooses the language.
class Speech {
 public:
  explicit Speech(Language language) : language_(language) {}
  Language language() const { return language_; }
  bool chinese() const { return language_ == Language::kChinese; }
  std::string Say(absl::string_view zh, absl::string_view en) const { return std::string(chinese() ? zh : en); }
  // ": " and ", ".
  absl::string_view colon() const { return chinese() ? "：" : ": "; }
  absl::string_view comma() const { return chinese() ? "，" : ", "; }

 private:
  Language language_;
};

// Collects explanations; each Take moves on, so that no byte is left out or taken twice.
class Cursor {
 public:
  Cursor(base::ByteView bytes, const ExplainOptions& options)
      : bytes_(bytes), speech_(options.language), show_secrets_(options.show_secrets) {}

  const Speech& speech() const { return speech_; }
  size_t at() const { return at_; }
  base::ByteView rest() const { return bytes_.subspan(at_); }
  base::ByteView Peek(size_t length) const { return rest().first(std::min(length, rest().size())); }

  void Take(size_t length, absl::string_view kind, std::string meaning);
  void TakeSecret(size_t length, absl::string_view kind, std::string meaning);
  void TakeUnknown(size_t length, std::string meaning);
  // Not understood, so that it may hold a password.
  void TakeMasked(size_t length, std::string meaning);
  void TakeUnknownIdentifier(size_t length, std::string meaning);
  // From here on only so many bytes of all are there, until the next call.
  void EndAt(base::ByteView bytes) { bytes_ = bytes; }
  std::vector<Explanation> Finish() && { return std::move(explanations_); }

 private:
  void Add(size_t length, absl::string_view kind, std::string meaning, bool secret, bool understood);

  base::ByteView bytes_;
  Speech speech_;
  bool show_secrets_;
  size_t at_ = 0;
  std::vector<Explanation> explanations_;
};

// Bytes without 33H as hexadecimal.
std::string PlainHex(base::ByteView bytes);

Edition EditionOf(uint8_t control, Protocol wanted);
std::string FunctionName(const Speech& speech, Edition edition, uint8_t function);
std::string ControlMeaning(const Speech& speech, Edition edition, uint8_t control);
// "refused: no such data".
std::string ErrorMeaning(const Speech& speech, uint8_t function, base::ByteView data);
std::string RelayActionMeaning(const Speech& speech, uint8_t n1);
// "2.69 kWh", "0050H (relay open, ...)".
std::string ValueText(const Speech& speech, const FieldSpec& spec, const FieldValue& value);
std::string FieldMeaning(const Speech& speech, const Field& field);
bool IsKnownIdentifier(Edition edition, uint32_t di);
// "00010000: forward active energy, total".
std::string IdentifierMeaning(const Speech& speech, Edition edition, uint32_t di);

}  // namespace voltwell::codec::dlt645
