#include "families/word_vectors/words.h"

#include <unicode/locid.h>
#include <unicode/ubrk.h>
#include <unicode/ucasemap.h>
#include <unicode/unistr.h>
#include <unicode/utext.h>

#include "text/utf8.h"

namespace atelier::families::word_vectors {
namespace {

constexpr size_t kMaxLine = size_t{1} << 30U;
constexpr std::string_view kSpace = " \t\r\n\v\f";

struct CloseIcu {
  void operator()(UBreakIterator* breaks) const { ubrk_close(breaks); }
  void operator()(UCaseMap* map) const { ucasemap_close(map); }
  void operator()(UText* text) const { utext_close(text); }
};

class Splitter final : public WordSplitter {
 public:
  explicit Splitter(const SplitOptions& options) : options_(options) {}

  Status Open() {
    UErrorCode error = U_ZERO_ERROR;
    if (options_.splitting == Splitting::kWords) {
      breaks_.reset(ubrk_open(UBRK_WORD, "", nullptr, 0, &error));
    }
    if (options_.lowercase) {
      lower_.reset(ucasemap_open("", 0, &error));
    }
    return Check(error);
  }

  Status Split(std::string_view line, const std::function<void(std::string_view)>& take) override {
    if (line.size() > kMaxLine) {
      return InvalidArgument("a line of text has more than 1 GiB", "dataset", "dataset_unsuitable");
    }
    if (options_.lowercase) {
      ATELIER_TRY(Lower(line));
      line = lowered_;
    }
    if (options_.splitting == Splitting::kWords) {
      return SplitWords(line, take);
    }
    SplitSpaces(line, take);
    return {};
  }

 private:
  static Status Check(UErrorCode error) {
    return U_FAILURE(error) ? Status(Internal(std::string("ICU: ") + u_errorName(error))) : Status();
  }

  static void Take(std::string_view word, const std::function<void(std::string_view)>& take) {
    if (!word.empty() && word.size() <= kMaxWordBytes) {
      take(word);
    }
  }

  // Ill-formed bytes become U+FFFD on the way.
  Status Lower(std::string_view line) {
    lowered_.resize(line.size() + line.size() / 4 + 16);
    for (;;) {
      UErrorCode error = U_ZERO_ERROR;
      const int32_t length = ucasemap_utf8ToLower(lower_.get(), lowered_.data(), static_cast<int32_t>(lowered_.size()),
                                                  line.data(), static_cast<int32_t>(line.size()), &error);
      const bool fits = error != U_BUFFER_OVERFLOW_ERROR;
      if (fits) {
        ATELIER_TRY(Check(error));
      }
      lowered_.resize(static_cast<size_t>(length));
      if (fits) {
        return {};
      }
    }
  }

  Status SplitWords(std::string_view line, const std::function<void(std::string_view)>& take) {
    UErrorCode error = U_ZERO_ERROR;
    const std::unique_ptr<UText, CloseIcu> text(
        utext_openUTF8(nullptr, line.data(), static_cast<int64_t>(line.size()), &error));
    ubrk_setUText(breaks_.get(), text.get(), &error);
    ATELIER_TRY(Check(error));
    int32_t begin = ubrk_first(breaks_.get());
    for (int32_t end = ubrk_next(breaks_.get()); end != UBRK_DONE; end = ubrk_next(breaks_.get())) {
      if (ubrk_getRuleStatus(breaks_.get()) >= UBRK_WORD_NONE_LIMIT) {
        Take(line.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), take);
      }
      begin = end;
    }
    return {};
  }

  static void SplitSpaces(std::string_view line, const std::function<void(std::string_view)>& take) {
    for (size_t at = line.find_first_not_of(kSpace); at != std::string_view::npos;
         at = line.find_first_not_of(kSpace, at)) {
      const size_t end = std::min(line.find_first_of(kSpace, at), line.size());
      Take(line.substr(at, end - at), take);
      at = end;
    }
  }

  SplitOptions options_;
  std::unique_ptr<UBreakIterator, CloseIcu> breaks_;
  std::unique_ptr<UCaseMap, CloseIcu> lower_;
  std::string lowered_;
};

}  // namespace

std::string LowerCase(std::string_view text) {
  std::string lower;
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
      .toLower(icu::Locale::getRoot())
      .toUTF8String(lower);
  return lower;
}

Result<std::unique_ptr<WordSplitter>> WordSplitter::Create(const SplitOptions& options) {
  auto splitter = std::make_unique<Splitter>(options);
  ATELIER_TRY(splitter->Open());
  return std::unique_ptr<WordSplitter>(std::move(splitter));
}

}  // namespace atelier::families::word_vectors
