#include "text/language/treebank_words.h"

#include "text/language/characters.h"

namespace atelier::text::language {
namespace {

constexpr RewriteRule kBefore[] = {
    // Opening quotes.
    {"([«“‘„]|`+)", " $1 "},
    {R"(^")", "``"},
    {"(``)", " $1 "},
    {R"re(([ \(\[{<])("|'{2}))re", "$1 `` "},
    {R"((?i)(?<!\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w))", "$1 "},
    // The final period, with what may close after it.
    {R"re(([^.])(\.)([\])}>"' »”’]*+)\s*$)re", "$1 $2 $3 "},
    // Other punctuation.
    {R"(([:,])([^\d]))", " $1 $2"},
    {R"(([:,])$)", " $1 "},
    {R"(\.{2,})", " $0 "},
    {"[;@#$%&]", " $0 "},
    {R"([\x{2012}-\x{2015}])", " $0 "},
    {R"re(([^.])(\.)([\])}>"']*)\s*$)re", "$1 $2$3 "},
    {"[?!]", " $0 "},
    {"([^'])' ", "$1 ' "},
    {R"([*])", " $0 "},
    {R"([\]\[(){}<>])", " $0 "},
    {"--", " -- "},
};

constexpr RewriteRule kAfter[] = {
    // Closing quotes.
    {"([»”’])", " $1 "},
    {"''", " '' "},
    {"\"", " '' "},
    {R"(\s+)", " "},
    // Clitics.
    {"([^' ])('[sS]|'[mM]|'[dD]|') ", "$1 $2 "},
    {"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", "$1 $2 "},
    // Contractions.
    {R"((?i)\b(can)(not)\b)", " $1 $2 "},
    {R"((?i)\b(d)('ye)\b)", " $1 $2 "},
    {R"((?i)\b(gim)(me)\b)", " $1 $2 "},
    {R"((?i)\b(gon)(na)\b)", " $1 $2 "},
    {R"((?i)\b(got)(ta)\b)", " $1 $2 "},
    {R"((?i)\b(lem)(me)\b)", " $1 $2 "},
    {R"((?i)\b(more)('n)\b)", " $1 $2 "},
    {R"((?i)\b(wan)(na)(?=\s))", " $1 $2 "},
    {R"((?i) ('t)(is)\b)", " $1 $2 "},
    {R"((?i) ('t)(was)\b)", " $1 $2 "},
};

}  // namespace

Result<TreebankWords> TreebankWords::Create() {
  ATELIER_ASSIGN(before, Rewriter::Create(kBefore));
  ATELIER_ASSIGN(after, Rewriter::Create(kAfter));
  return TreebankWords(std::move(before), std::move(after));
}

Result<std::vector<std::string>> TreebankWords::Words(std::string_view sentence) const {
  ATELIER_ASSIGN(opened, before_.Apply(std::string(sentence)));
  ATELIER_ASSIGN(closed, after_.Apply(" " + opened + " "));
  const auto words = SplitSpace(closed);
  return std::vector<std::string>(words.begin(), words.end());
}

}  // namespace atelier::text::language
