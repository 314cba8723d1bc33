// Expected values: sacrebleu, rouge_score and jiwer (tests/golden/metrics.py), in English and Chinese; SQuAD's official
// script by its definition; and for WMT15 the figures of Moses' multi-bleu.perl and NIST's mteval-v13a.pl.
#include "learning/metrics/generation.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "base/testing/shared_data.h"
#include "learning/metrics/bleu.h"
#include "learning/metrics/chrf.h"
#include "learning/metrics/edit_rate.h"
#include "learning/metrics/testing/golden.h"

namespace atelier::learning {
namespace {

using testing::Golden;
using testing::List;

struct Corpus {
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;

  std::vector<std::vector<std::string>> First(size_t count) const {
    auto cut = references;
    for (auto& list : cut) {
      list.resize(count);
    }
    return cut;
  }
};

Corpus ReadCorpus(const json::value& golden) {
  Corpus corpus;
  for (const auto& pair : golden.at("pairs").as_array()) {
    corpus.hypotheses.emplace_back(pair.at(0).as_string());
    corpus.references.push_back(testing::Texts(pair.at(1)));
  }
  return corpus;
}

double Number(const json::value& value) { return value.to_number<double>(); }

BleuOptions OptionsFrom(const json::object& object) {
  BleuOptions options;
  options.tokens = BleuTokensFromName(GetString(object, "tokenize")).value();
  const std::string smoothing = GetString(object, "smooth_method", "exp");
  options.smoothing = smoothing == "none"    ? Smoothing::kNone
                      : smoothing == "floor" ? Smoothing::kFloor
                      : smoothing == "add-k" ? Smoothing::kAddK
                                             : Smoothing::kExp;
  options.value = GetNumber(object, "smooth_value", -1);
  options.effective_order = GetBool(object, "effective_order");
  options.lowercase = GetBool(object, "lowercase");
  return options;
}

class Language : public ::testing::TestWithParam<const char*> {
 protected:
  const json::value golden_ = Golden("generation").at(GetParam());
  const Corpus corpus_ = ReadCorpus(golden_);
};

TEST_P(Language, BleuIsSacrebleus) {
  for (const auto& one : golden_.at("bleu").as_array()) {
    SCOPED_TRACE(json::serialize(one.at("options")));
    const BleuOptions options = OptionsFrom(one.at("options").as_object());
    const auto references = corpus_.First(static_cast<size_t>(one.at("references").as_int64()));
    const BleuScore score = CorpusBleu(corpus_.hypotheses, references, options);
    EXPECT_NEAR(score.score, Number(one.at("score")), 1e-9);
    EXPECT_NEAR(score.brevity_penalty, Number(one.at("brevity_penalty")), 1e-12);
    for (size_t n = 0; n < kBleuOrder; ++n) {
      EXPECT_NEAR(score.precisions[n], Number(one.at("precisions").at(n)), 1e-9);
    }
    const auto sentences = List<double>(one.at("sentences"));
    ASSERT_EQ(sentences.size(), corpus_.hypotheses.size());
    for (size_t i = 0; i < sentences.size(); ++i) {
      const auto statistics = BleuOf(corpus_.hypotheses[i], references[i], options);
      EXPECT_NEAR(Score(statistics, options).score, sentences[i], 1e-9) << corpus_.hypotheses[i];
    }
  }
}

TEST_P(Language, ChrfIsSacrebleus) {
  for (const auto& one : golden_.at("chrf").as_array()) {
    const ChrfOptions options{.word_order = static_cast<size_t>(one.at("word_order").as_int64()),
                              .lowercase = one.at("lowercase").as_bool()};
    const auto references = corpus_.First(static_cast<size_t>(one.at("references").as_int64()));
    EXPECT_NEAR(CorpusChrf(corpus_.hypotheses, references, options), Number(one.at("score")), 1e-9);
    const auto sentences = List<double>(one.at("sentences"));
    for (size_t i = 0; i < sentences.size(); ++i) {
      EXPECT_NEAR(Score(ChrfOf(corpus_.hypotheses[i], references[i], options), options), sentences[i], 1e-9)
          << corpus_.hypotheses[i];
    }
  }
}

void ExpectEqual(const PrecisionRecall& got, const json::value& expected) {
  EXPECT_NEAR(got.precision, Number(expected.at(0)), 1e-12);
  EXPECT_NEAR(got.recall, Number(expected.at(1)), 1e-12);
  EXPECT_NEAR(got.f1, Number(expected.at(2)), 1e-12);
}

TEST_P(Language, RougeIsRougeScoresAndAnswersAreSquads) {
  const auto& rows = golden_.at("rouge").as_array();
  ASSERT_EQ(rows.size(), corpus_.hypotheses.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string& hypothesis = corpus_.hypotheses[i];
    SCOPED_TRACE(hypothesis);
    const std::string& reference = corpus_.references[i][0];
    const auto wanted = RougeTokens(reference);
    const auto given = RougeTokens(hypothesis);
    ExpectEqual(RougeN(wanted, given, 1), rows[i].at("rouge1"));
    ExpectEqual(RougeN(wanted, given, 2), rows[i].at("rouge2"));
    ExpectEqual(RougeL(wanted, given), rows[i].at("rougeL"));
    EXPECT_NEAR(TokenOverlap(reference, hypothesis).f1, Number(rows[i].at("answer_f1")), 1e-12);
    EXPECT_EQ(ExactMatch(reference, hypothesis), rows[i].at("exact").as_bool());
  }
}

TEST_P(Language, ErrorRatesAreJiwers) {
  const auto& edits = golden_.at("edits");
  std::vector<std::string> references;
  for (const auto& list : corpus_.references) {
    references.push_back(list[0]);
  }
  const auto metrics = RecognitionMetrics(references, corpus_.hypotheses);
  EXPECT_NEAR(Number(metrics.at("wer")), Number(edits.at("wer")), 1e-12);
  EXPECT_NEAR(Number(metrics.at("cer")), Number(edits.at("cer")), 1e-12);
  for (size_t i = 0; i < references.size(); ++i) {
    EXPECT_NEAR(WordEdits(references[i], corpus_.hypotheses[i]).Rate(), Number(edits.at("words").at(i)), 1e-12);
    EXPECT_NEAR(CharacterEdits(references[i], corpus_.hypotheses[i]).Rate(), Number(edits.at("characters").at(i)),
                1e-12);
  }
}

TEST_P(Language, TheTokeniserIsGuessed) {
  const auto metrics = GenerationMetrics(corpus_.hypotheses, corpus_.references);
  EXPECT_EQ(metrics.at("tokenize").as_string(), std::string(GetParam()) == "chinese" ? "zh" : "13a");
  EXPECT_GT(Number(metrics.at("bleu")), 5);
}

INSTANTIATE_TEST_SUITE_P(Both, Language, ::testing::Values("english", "chinese"));

TEST(EditRate, OfNothing) {
  EXPECT_EQ(WordEdits("", " ").Rate(), 0);
  EXPECT_EQ(CharacterEdits("", "ab").Rate(), 1);
}

TEST(Perplexity, IsTheExponentOfTheMean) {
  EXPECT_DOUBLE_EQ(Perplexity(20 * std::log(7.0), 20), 7);
  EXPECT_DOUBLE_EQ(Perplexity(0, 0), 1);
}

// The lines of a file in the archive; none where it cannot be read.
std::vector<std::string> Unzipped(const std::filesystem::path& archive, const std::string& name) {
  struct Close {
    void operator()(FILE* pipe) const { ::pclose(pipe); }
  };
  const std::unique_ptr<FILE, Close> pipe(
      ::popen(("unzip -p '" + archive.string() + "' wmt15_eval/" + name + " 2>/dev/null").c_str(), "r"));
  std::string text;
  char buffer[4096];
  while (const size_t count = pipe ? std::fread(buffer, 1, sizeof buffer, pipe.get()) : 0) {
    text.append(buffer, count);
  }
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

// What stands between <seg ...> and </seg>.
std::vector<std::string> Segments(const std::vector<std::string>& lines) {
  std::vector<std::string> segments;
  for (const auto& line : lines) {
    const size_t open = line.find("<seg");
    const size_t close = line.find("</seg>");
    if (open != std::string::npos && close != std::string::npos) {
      const size_t start = line.find('>', open) + 1;
      segments.push_back(line.substr(start, close - start));
    }
  }
  return segments;
}

std::vector<std::vector<std::string>> Singles(const std::vector<std::string>& lines) {
  std::vector<std::vector<std::string>> references;
  for (const auto& line : lines) {
    references.push_back({line});
  }
  return references;
}

TEST(Bleu, Wmt15IsAsMosesAndNistPrintIt) {
  const auto archive = SharedData() / "golden/bleu_wmt15_nltk/wmt15_eval.zip";
  const auto hypotheses = Unzipped(archive, "google.ru");
  if (hypotheses.empty()) {
    GTEST_SKIP() << "there is no " << archive << ", or no unzip";
  }
  // multi-bleu.perl: BLEU = 23.17, 53.8/29.6/17.6/10.3 (BP=1.000, ratio=1.074, hyp_len=1989, ref_len=1852)
  const auto references = Singles(Unzipped(archive, "ref.ru"));
  ASSERT_EQ(references.size(), hypotheses.size());
  const BleuScore tokenised =
      CorpusBleu(hypotheses, references, {.tokens = BleuTokens::kNone, .smoothing = Smoothing::kNone});
  EXPECT_NEAR(tokenised.score, 23.17, 0.005);
  EXPECT_NEAR(tokenised.precisions[0], 53.8, 0.05);
  EXPECT_NEAR(tokenised.precisions[3], 10.3, 0.05);
  EXPECT_EQ(tokenised.brevity_penalty, 1);
  // mteval-v13a.pl: BLEU score = 0.2318, 1-gram 0.5415, 4-gram 0.1025
  const auto segments = Segments(Unzipped(archive, "newstest2015-100sents-enru-google.ru.sgm"));
  const auto wanted = Singles(Segments(Unzipped(archive, "newstest2015-100sents-enru-ref.ru.sgm")));
  ASSERT_EQ(segments.size(), 100U);
  ASSERT_EQ(wanted.size(), 100U);
  const BleuScore score = CorpusBleu(segments, wanted, {});
  EXPECT_NEAR(score.score, 23.18, 0.005);
  EXPECT_NEAR(score.precisions[0], 54.15, 0.005);
  EXPECT_NEAR(score.precisions[3], 10.25, 0.005);
}

}  // namespace
}  // namespace atelier::learning
