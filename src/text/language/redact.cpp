#include "text/language/redact.h"

#include <algorithm>

#include "text/language/personal_data.h"

namespace atelier::text::language {
namespace {

using personal_data::Matcher;

constexpr std::array<std::string_view, kPersonalDataKinds> kNames = {"email",      "phone", "ssn",
                                                                     "chinese_id", "card",  "ip"};
struct Kind {
  PersonalData kind;
  Matcher matcher;
};
// The first that matches at a place counts: what is checked best comes first.
constexpr Kind kKinds[] = {
    {PersonalData::kEmail, personal_data::Email},
    {PersonalData::kIp, personal_data::Ip},
    {PersonalData::kChineseId, personal_data::ChineseId},
    {PersonalData::kCard, personal_data::Card},
    {PersonalData::kSsn, personal_data::Ssn},
    {PersonalData::kPhone, personal_data::Phone},
};

std::string Placeholder(PersonalData kind) {
  std::string name = "[" + std::string(Name(kind)) + "]";
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return name;
}

}  // namespace

std::string_view Name(PersonalData kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<PersonalData> PersonalDataFromName(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name);
  return found == kNames.end() ? std::nullopt : std::optional(static_cast<PersonalData>(found - kNames.begin()));
}

std::vector<PersonalDataFound> FindPersonalData(std::string_view text, const PersonalDataKinds& kinds) {
  std::vector<PersonalDataFound> found;
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    for (const auto& [kind, matcher] : kKinds) {
      if (kinds[static_cast<size_t>(kind)] && (length = matcher(text, at)) != 0) {
        found.push_back({kind, {at, at + length}});
        break;
      }
    }
    at += std::max<size_t>(length, 1);
  }
  return found;
}

Redacted Redact(std::string_view text, const PersonalDataKinds& kinds) {
  Redacted redacted;
  size_t at = 0;
  for (const auto& [kind, span] : FindPersonalData(text, kinds)) {
    redacted.text.append(text, at, span.begin - at).append(Placeholder(kind));
    ++redacted.counts[static_cast<size_t>(kind)];
    at = span.end;
  }
  redacted.text.append(text, at);
  return redacted;
}

}  // namespace atelier::text::language
