// The most common trigrams of letters of each language, three characters each, most common first; words have a space at
// both ends.
#pragma once

#include <string_view>

namespace atelier::text::language {

extern const std::string_view kProfileEn;
extern const std::string_view kProfileDe;
extern const std::string_view kProfileFr;
extern const std::string_view kProfileEs;
extern const std::string_view kProfileIt;
extern const std::string_view kProfilePt;
extern const std::string_view kProfileNl;
extern const std::string_view kProfileSv;
extern const std::string_view kProfileDa;
extern const std::string_view kProfileNb;
extern const std::string_view kProfileFi;
extern const std::string_view kProfilePl;
extern const std::string_view kProfileCs;
extern const std::string_view kProfileSk;
extern const std::string_view kProfileHu;
extern const std::string_view kProfileRo;
extern const std::string_view kProfileTr;
extern const std::string_view kProfileVi;
extern const std::string_view kProfileId;
extern const std::string_view kProfileRu;
extern const std::string_view kProfileUk;
extern const std::string_view kProfileBg;
extern const std::string_view kProfileAr;
extern const std::string_view kProfileFa;
extern const std::string_view kProfileUr;

}  // namespace atelier::text::language
