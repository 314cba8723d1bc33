#include <gmock/gmock.h>

#include "base/json.h"
#include "base/testing/shared_data.h"
#include "data/formats/archive.h"
#include "data/testing/archives.h"
#include "data/testing/importing.h"

namespace atelier::data {
namespace {

using ::testing::ElementsAre;
using testing::FakeBlobStore;
using testing::Gzip;
using ::testing::HasSubstr;
using testing::Imported;
using testing::Item;
using testing::Kind;
using testing::Pack;
using testing::Values;

class TextFormatsTest : public ::testing::Test {
 protected:
  Imported Run(const std::vector<std::pair<std::string, std::string>>& files, const ImportOptions& options = {}) {
    std::vector<SourceFile> sources;
    for (const auto& [path, bytes] : files) {
      sources.push_back(blobs_.Source(path, bytes));
    }
    return testing::RunImport(blobs_, sources, options);
  }
  Imported Run(const std::string& path, const std::string& bytes, const ImportOptions& options = {}) {
    return Run({{path, bytes}}, options);
  }
  // A cell of a text column.
  std::string Text(const Imported& imported, const std::string& column, int64_t row) {
    const auto reader = Reader::Open(blobs_, imported.content());
    if (!reader.ok()) {
      return "error: " + reader.error().message;
    }
    const auto text = (*reader)->Bytes(column, row);
    return text.ok() ? std::string(*text) : "error: " + text.error().message;
  }
  std::vector<int32_t> Codes(const Imported& imported, const std::string& column) {
    const auto reader = Reader::Open(blobs_, imported.content());
    return reader.ok() ? Values<int32_t>(**reader, column) : std::vector<int32_t>{};
  }

  FakeBlobStore blobs_;
};

std::vector<std::string> Names(const Imported& imported) {
  std::vector<std::string> names;
  for (const auto& column : imported.content().columns) {
    names.push_back(column.name);
  }
  return names;
}

TEST_F(TextFormatsTest, ReadsTextsByUnit) {
  const std::string text = "\xEF\xBB\xBFOne line,\r\nand another.\n\n\nA second paragraph: 你好\n";
  auto out = Run("a.txt.gz", Gzip(text));
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().format, "text");
  EXPECT_EQ(out.content().target, "");
  EXPECT_EQ(Text(out, "text", 0), text.substr(3));
  ImportOptions options;
  options.unit = "paragraph";
  out = Run("a.txt", text, options);
  ASSERT_EQ(out.content().rows(), 2);
  EXPECT_EQ(Text(out, "text", 0), "One line,\nand another.");
  EXPECT_EQ(Text(out, "text", 1), "A second paragraph: 你好");
  options.unit = "line";
  out = Run("a.txt", text, options);
  ASSERT_EQ(out.content().rows(), 3);
  EXPECT_EQ(Text(out, "text", 1), "and another.");
}

TEST_F(TextFormatsTest, FoldersNameTheClassesOfTexts) {
  auto out = Run({{"train/pos/1.txt", "good\n"},
                  {"train/neg/1.txt", "bad"},
                  {"test/pos/2.txt", "fine"},
                  {"test/neg/3.txt", " \n"}});
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Names(out), ElementsAre("text", "label"));
  EXPECT_THAT(out.column("label").categories, ElementsAre("neg", "pos"));
  EXPECT_EQ(out.content().target, "label");
  EXPECT_EQ(out.content().split_rows[2], 1);
  EXPECT_THAT(out.report.warnings, ElementsAre(HasSubstr("1 empty documents")));
  EXPECT_THAT(Codes(out, "label"), ElementsAre(1, 0, 1));
  EXPECT_THAT(Names(Run({{"a/1.txt", "x"}, {"a/2.txt", "y"}})), ElementsAre("text"));
  EXPECT_THAT(Names(Run({{"train/1.txt", "x"}, {"test/2.txt", "y"}})), ElementsAre("text"));
  out = Run({{"c/cats.txt", "x1 news\nx2 fiction lore\n"}, {"c/x1", "text one"}, {"c/x2", "text two"}});
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(out.column("label").categories, ElementsAre("fiction", "news"));
  EXPECT_THAT(Codes(out, "label"), ElementsAre(1, 0));
  EXPECT_THAT(Run({{"c/cats.txt", "x1 news\n"}, {"c/x1", "a"}, {"c/x2", "b"}}).error,
              HasSubstr("c/x2: cats.txt does not say its class"));
}

TEST_F(TextFormatsTest, ReadsMembersOfArchivesAlike) {
  const std::vector<Item> items{{"r/pos/1.txt", "good"},
                                {"r/neg/1.txt.gz", Gzip("bad")},
                                {"r/LICENSE", "free"},
                                {"r/more.zip", "PK"},
                                {"r/.hidden", "x"}};
  std::string manifest;
  for (const auto& [name, kind] : std::vector<std::pair<std::string, Kind>>{
           {"a.tar", Kind::kTar}, {"a.tar.gz", Kind::kTarGz}, {"a.tar.xz", Kind::kTarXz}, {"a.zip", Kind::kZip}}) {
    const auto out = Run(name, Pack(kind, items));
    ASSERT_EQ(out.error, "") << name;
    EXPECT_THAT(out.column("label").categories, ElementsAre("neg", "pos"));
    EXPECT_EQ(Text(out, "text", 1), "bad");
    EXPECT_EQ(out.report.warnings.size(), 2U);
    EXPECT_TRUE(manifest.empty() || manifest == out.report.manifest.sha256) << name;
    manifest = out.report.manifest.sha256;
  }
  const auto table = Run("t.zip", Pack(Kind::kZip, {{"test.csv", "x,y\n1,a\n2,b\n"}, {"train.csv", "x,y\n3,a\n"}}));
  ASSERT_EQ(table.error, "");
  EXPECT_EQ(table.content().split_rows[2], 2);
  EXPECT_EQ(table.column("x").statistics.maximum, 3);
  // Side by side within one archive, the later file first.
  const auto pair = Run("p.tar.gz", Pack(Kind::kTarGz, {{"x/train.en", "a\nb\n"}, {"x/train.de", "c\nd\n"}}));
  ASSERT_EQ(pair.error, "");
  EXPECT_THAT(Names(pair), ElementsAre("de", "en"));
  EXPECT_EQ(Text(pair, "de", 1), "d");
}

TEST_F(TextFormatsTest, RefusesHostileArchives) {
  EXPECT_EQ(Run("a.tar", Pack(Kind::kTar, {{"../x.txt", "x"}})).reason, "unsafe_archive");
  EXPECT_EQ(Run("a.zip", Pack(Kind::kZip, {{"x.txt", "", AE_IFLNK, "/etc/passwd"}})).reason, "unsafe_archive");
  const std::string zeros(40U << 20U, '\0');
  EXPECT_EQ(Run("a.zip", Pack(Kind::kZip, {{"x.txt", zeros}})).reason, "request_too_large");
  EXPECT_EQ(Run("a.tar.gz", Pack(Kind::kTarGz, {{"x.txt", zeros}})).reason, "request_too_large");
  // A bomb within an archive: gzip in a tar.
  EXPECT_EQ(Run("a.tar", Pack(Kind::kTar, {{"x.txt.gz", Gzip(zeros + zeros)}})).reason, "request_too_large");
  EXPECT_EQ(Run("a.txt.gz", Gzip("hello hello hello").substr(0, 15)).reason, "invalid_archive");
  EXPECT_EQ(Run("a.zip", "no archive").reason, "invalid_archive");
  EXPECT_THAT(Run("a.tar", Pack(Kind::kTar, {{"README", "x"}})).error, HasSubstr("a.tar: there is no file in it"));
}

TEST_F(TextFormatsTest, ReadsParallelTexts) {
  auto out = Run({{"test_2016.en", "t\n"},
                  {"test_2016.de.gz", Gzip("T\n")},
                  {"val.de", "V\n"},
                  {"val.en", "v\n"},
                  {"train.en", "a b\n\n c\n"},
                  {"train.de", "A B\n\n\r\n"}});
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Names(out), ElementsAre("de", "en"));
  EXPECT_EQ(out.content().rows(), 4);
  EXPECT_EQ(out.content().split_rows[1], 1);
  EXPECT_EQ(out.content().split_rows[2], 1);
  EXPECT_EQ(Text(out, "en", 0), "a b");
  EXPECT_EQ(Text(out, "en", 1), "c");
  EXPECT_EQ(out.column("de").statistics.missing, 1);
  EXPECT_THAT(Run({{"a.en", "1\n2\n"}, {"a.de", "1\n"}}).error, HasSubstr("a.de has 1 lines, a.en has more"));
  EXPECT_THAT(Run({{"a.en", "1\n"}, {"b.de", "1\n"}}).error, HasSubstr("beside it there is no"));
  EXPECT_THAT(Run({{"a.zh_CN", "1\n"}, {"a.en", "\xFF\n"}}).error, HasSubstr("a.en: line 1 is no UTF-8"));
}

TEST_F(TextFormatsTest, ReadsConllColumns) {
  auto out = Run({{"x.train.gz", Gzip("-DOCSTART- -X- O\n\nSao NC B-LOC\nPaulo VMI I-LOC\n\n\n( Fpa O\r\n")},
                  {"x.testa", "a\tb\tO\n\nc\td\tO"}});
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Names(out), ElementsAre("tokens", "pos", "tags"));
  EXPECT_EQ(out.content().split_rows[0], 2);
  EXPECT_EQ(out.content().split_rows[1], 2);
  EXPECT_EQ(Text(out, "tokens", 0), "Sao Paulo");
  EXPECT_EQ(Text(out, "tags", 0), "B-LOC I-LOC");
  ImportOptions options;
  options.columns = {"words", "chunks"};
  out = Run("a.txt", "He PRP\nran VBD\n\nYes UH\n", options);
  EXPECT_THAT(Names(out), ElementsAre("words", "chunks"));
  EXPECT_EQ(out.content().rows(), 2);
  options = {};
  options.format = "conll";
  EXPECT_THAT(Run("a.conll", "a b\n\nc d\ne\n").error, HasSubstr("a.conll: line 4 has 1 columns"));
  EXPECT_THAT(Run("a.conll", "a\tb c\n", options).error, HasSubstr("line 1 has a space within"));
  EXPECT_THAT(Run("a.conll", std::string("a\0 b\n", 5), options).error, HasSubstr("line 1 is no UTF-8 text"));
  EXPECT_THAT(Run("a.conll", "\n\n", options).error, HasSubstr("no sentences"));
}

TEST_F(TextFormatsTest, ReadsTaggedWords) {
  const auto out = Run({{"b/cats.txt", "ca01 news\ncb01 lore\n"},
                        {"b/ca01", "\n\tThe/at Fulton/np-tl and/or/cc ./.\n\n  It/pps\n"},
                        {"b/cb01", "said/vbd //sym\n"}});
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().format, "tagged");
  EXPECT_EQ(Text(out, "tokens", 0), "The Fulton and/or .");
  EXPECT_EQ(Text(out, "tags", 0), "at np-tl cc .");
  EXPECT_EQ(Text(out, "tokens", 2), "said /");
  EXPECT_THAT(Codes(out, "label"), ElementsAre(1, 1, 0));
  ImportOptions options;
  options.format = "tagged";
  EXPECT_THAT(Run("a.txt", "a/b c\n", options).error, HasSubstr("a.txt: line 1 has a word that is no word/TAG"));
}

TEST_F(TextFormatsTest, ReadsLabelledLines) {
  auto out = Run("a.train", "__label__good I like , it\n\n__label__bad never again\n__label__good NULL\n");
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().target, "label");
  EXPECT_EQ(out.content().split_rows[0], 3);
  EXPECT_THAT(out.column("label").categories, ElementsAre("bad", "good"));
  EXPECT_EQ(Text(out, "text", 0), "I like , it");
  EXPECT_EQ(Text(out, "text", 2), "NULL");
  ImportOptions options;
  options.format = "labelled";
  out = Run("qc.txt", "NUM:dist How far ?\nHUM:desc Who was he ?\nNUM:date When ?\n", options);
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Names(out), ElementsAre("label", "fine", "text"));
  EXPECT_THAT(out.column("label").categories, ElementsAre("HUM", "NUM"));
  EXPECT_THAT(out.column("fine").categories, ElementsAre("HUM:desc", "NUM:date", "NUM:dist"));
  options.delimiter = ",";
  out = Run("a.txt", "very good,yes, it is\nbad,no\n", options);
  EXPECT_THAT(out.column("label").categories, ElementsAre("bad", "very good"));
  EXPECT_EQ(Text(out, "text", 0), "yes, it is");
  EXPECT_THAT(Run("a.txt", "x,y\nbad\n", options).error, HasSubstr("a.txt: line 2: the line is no label"));
  EXPECT_THAT(Run("a.txt", "__label__a __label__b x\n").error, HasSubstr("more than one label"));
}

TEST_F(TextFormatsTest, TakesLinesApartByAPattern) {
  ImportOptions options;
  options.pattern = R"((?<word>\S+) \d+ (?<phonemes>.+))";
  options.task = "none";
  options.types = {{"word", "text"}, {"phonemes", "text"}};
  auto out = Run("cmudict.gz", Gzip("A 1 AH0\nNULL 1 N AH1 L\n"), options);
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Names(out), ElementsAre("word", "phonemes"));
  EXPECT_EQ(Text(out, "word", 1), "NULL");
  EXPECT_EQ(Text(out, "phonemes", 1), "N AH1 L");
  EXPECT_THAT(Run("a.txt", "A 1 B\n?\n", options).error, HasSubstr("a.txt: line 2: the pattern does not fit '?'"));
  options.types = {};
  options.pattern = "(?<n>\\d+) (?<label>\\w+)";
  options.task = "";
  out = Run("a.txt", "1 a\n2 b\n3 a\n", options);
  EXPECT_EQ(out.column("n").type, ColumnType::kNumber);
  EXPECT_EQ(out.content().target, "label");
  for (const char* bad : {"(", "abc", "(?<x>\\C)"}) {
    options.pattern = bad;
    EXPECT_EQ(Run("a.txt", "x\n", options).reason, "invalid_pattern") << bad;
  }
  options.pattern = "(?<x>(a+)+)b";
  EXPECT_THAT(Run("a.txt", std::string(40, 'a') + "\n", options).error, HasSubstr("the pattern"));
}

TEST_F(TextFormatsTest, KeepsChatsAsJson) {
  auto out = Run("chat.json.gz", Gzip(R"([
    {"messages": [{"role": "user", "content": "1, [2] \"x\""}], "tools": [], "n": [1, 2]},
    {"messages": [], "tools": null, "n": null, "system": ""}])"));
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Names(out), ElementsAre("messages", "tools", "n", "system"));
  EXPECT_EQ(out.content().target, "");
  EXPECT_EQ(Text(out, "messages", 0), R"([{"role":"user","content":"1, [2] \"x\""}])");
  EXPECT_EQ(Text(out, "messages", 1), "[]");
  EXPECT_EQ(out.column("n").type, ColumnType::kNumber);
  EXPECT_EQ(out.column("system").type, ColumnType::kText);
  ImportOptions options;
  options.types = {{"lines", "lines"}, {"n", "text"}};
  out = Run("a.json", R"({"lines": ["春眠", "不觉晓"], "n": [1,[2]]})", options);
  EXPECT_EQ(Text(out, "lines", 0), "春眠\n不觉晓");
  EXPECT_EQ(Text(out, "n", 0), "[1,[2]]");
}

TEST_F(TextFormatsTest, FindsLabelsOfTables) {
  std::string rows;
  for (int i = 0; i < 12; ++i) {
    rows += std::to_string(i % 3) + "\tsentence , number " + std::to_string(i) + (i == 11 ? "\t" : "\n");
  }
  rows.back() = '\n';
  auto out = Run("a.tsv", "label\ttext\n" + rows);
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().target, "label");
  EXPECT_EQ(out.column("text").type, ColumnType::kText);
  out = Run({{"class.txt", "sports\n财经\nscience\n"}, {"a.tsv", "label\ttext\n" + rows}});
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(out.column("label").categories, ElementsAre("sports", "财经", "science"));
  EXPECT_EQ(Codes(out, "label")[2], 2);
  EXPECT_THAT(Run({{"class.txt", "a\nb\n"}, {"a.tsv", "label\ttext\n" + rows}}).error,
              HasSubstr("class.txt has 2 names, but column 'label' has the class '2'"));
  EXPECT_THAT(Run({{"class.txt", "a\na\n"}, {"a.tsv", rows}}).error, HasSubstr("class.txt: line 2"));
}

TEST_F(TextFormatsTest, QuotesBetweenTabsAreMostlyText) {
  ImportOptions options;
  options.columns = {"en", "zh"};
  options.task = "none";
  const std::string text = "\"Look ,\" she said.\t“看啊！”\nI\t\"我\n";
  auto out = Run("cmn.txt", text, options);
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Names(out), ElementsAre("en", "zh"));
  out = Run("cmn.tsv", "a \"b\"\tc\n\"x\ty\"\td\n\"say \"\"hi\"\"\"\te\n\"x\"\ty\n", options);
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.column("en").categories.size() + out.column("zh").categories.size(), 8U);
  EXPECT_THAT(out.column("en").categories, ElementsAre("a \"b\"", "say \"hi\"", "x", "x\ty"));
  options.columns = {"one"};
  EXPECT_THAT(Run("cmn.tsv", text, options).error, HasSubstr("the option columns names 1"));
}

TEST_F(TextFormatsTest, ReadsOtherEncodings) {
  ImportOptions options;
  options.encoding = "gb18030";
  const std::string gbk = "\xC4\xE3\xBA\xC3\n\xD6\xD0\xCE\xC4\n";  // 你好, 中文
  auto out = Run("a.txt", gbk, options);
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(Text(out, "text", 0), "你好\n中文\n");
  EXPECT_EQ(Run("a.txt", gbk.substr(0, 1), options).reason, "invalid_encoding");
  EXPECT_THAT(Run("a.txt", "ok \xFF\xFF", options).error, HasSubstr("a.txt: byte 4 is not gb18030"));
  EXPECT_THAT(Run("a.txt", gbk).error, HasSubstr("no UTF-8 text (the option encoding"));
  options.encoding = "latin-1";
  out = Run("a.txt", "se\xF1or", options);
  EXPECT_EQ(Text(out, "text", 0), "señor");
}

TEST_F(TextFormatsTest, ReadsXmlLists) {
  ImportOptions options;
  options.target = "value";
  const std::string head =
      "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!DOCTYPE c SYSTEM \"rte.dtd\">\n<!-- <x> -->\n<c n='1'>";
  auto out = Run("a.xml",
                 head +
                     "<pair id=\"1\" value = 'YES'><t>A &amp; <b>b</b>&#x4E2D;</t>\n<h><![CDATA[<c>]]></h></pair>\n"
                     "<pair value=\"NO\" id=\"2\"><t/><h> x </h></pair></c>\n",
                 options);
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Names(out), ElementsAre("id", "value", "t", "h"));
  EXPECT_THAT(out.column("value").categories, ElementsAre("NO", "YES"));
  EXPECT_THAT(out.column("t").categories, ElementsAre("A & b中"));
  EXPECT_THAT(out.column("h").categories, ElementsAre("<c>", "x"));
  const std::string lol = "<!DOCTYPE x [<!ENTITY a \"b\">]><x><y>&a;</y></x>";
  for (const std::string& bad :
       {lol, std::string("<x><y>&a;</y></x>"), std::string("<x><y></x></y>"), std::string("<x><y a=1/></x>"),
        std::string("<x><y>"), std::string("<x></x><x></x>"), std::string("<x>text</x>"),
        std::string("<x><y></y></x>z"), std::string("<x><y><z/><z/></y></x>"), std::string("<x><y><z>&#0;</z></y></x>"),
        std::string("<"), std::string(100, '<')}) {
    EXPECT_EQ(Run("a.xml", bad).reason, "invalid_xml") << bad;
  }
  std::string deep = "<x>";
  for (int i = 0; i < 100; ++i) {
    deep += "<y>";
  }
  EXPECT_THAT(Run("a.xml", deep).error, HasSubstr("too deep"));
}

struct Set {
  std::vector<std::string> files;
  ImportOptions options;
  std::vector<std::string> columns;
  std::string target;
  int64_t train, validation, test;  // rows, counted with wc and Python
};

std::vector<Set> SharedSets() {
  ImportOptions plain;
  ImportOptions labelled;
  labelled.format = "labelled";
  ImportOptions pairs;
  pairs.columns = {"en", "zh"};
  pairs.types = {{"en", "text"}, {"zh", "text"}};
  ImportOptions sounds;
  sounds.pattern = R"((?<word>\S+) \d+ (?<phonemes>.+))";
  ImportOptions entailment;
  entailment.target = "value";
  const std::string t = "text/";
  return {
      {{t + "sentiment_zh_chnsenticorp_htl/htl.csv"}, plain, {"label", "review"}, "label", 6212, 0, 0},
      {{t + "sentiment_en_rtpolarity/rt_polarity.tsv"}, plain, {"label", "text"}, "label", 8530, 0, 0},
      {{t + "subjectivity_en/subjectivity.tsv"}, plain, {"label", "text"}, "label", 8000, 0, 0},
      {{t + "sentiment_en_moviereviews/movie_reviews.tar.gz"}, plain, {"text", "label"}, "label", 1600, 0, 0},
      {{t + "topic_zh_thucnews/thucnews_titles.tsv", t + "topic_zh_thucnews/class.txt"},
       plain,
       {"column_1", "column_2"},
       "column_2",
       16000,
       0,
       0},
      {{t + "question_class_trec/qc.txt"}, labelled, {"label", "fine", "text"}, "label", 4762, 0, 0},
      {{t + "entailment_rte/rte1_dev.xml"}, entailment, {"id", "value", "task", "t", "h"}, "value", 567, 0, 0},
      {{t + "ner_conll2002_es/esp.train.gz", t + "ner_conll2002_es/esp.testa.gz"},
       plain,
       {"tokens", "pos", "tags"},
       "",
       6658,
       1532,
       0},
      {{t + "chunk_pos_conll2000/train.txt.gz", t + "chunk_pos_conll2000/test.txt.gz"},
       plain,
       {"tokens", "pos", "tags"},
       "",
       7149,
       0,
       1610},
      {{t + "g2p_cmudict/cmudict.gz"}, sounds, {"word", "phonemes"}, "", 106990, 0, 0},
      {{t + "instruct/alpaca_zh_demo.json.gz"}, plain, {"instruction", "input", "output"}, "", 800, 0, 0},
      {{t + "instruct/identity.json.gz"}, plain, {"instruction", "input", "output"}, "", 73, 0, 0},
      {{t + "instruct/dpo_en_demo.json.gz"}, plain, {"conversations", "chosen", "rejected"}, "", 240, 0, 0},
      {{"lm/tang_poems/tang.jsonl.gz"}, plain, {"title", "author", "paragraphs"}, "", 20000, 0, 0},
      {{"lm/tinyshakespeare/input.txt"}, plain, {"text"}, "", 1, 0, 0},
      {{"translation/tatoeba_en_zh/cmn.txt"}, pairs, {"en", "zh"}, "", 16322, 0, 0},
  };
}

TEST_F(TextFormatsTest, ReadsTheSharedTexts) {
  const auto root = SharedData();
  if (root.empty() || !std::filesystem::exists(root / "text")) {
    GTEST_SKIP() << "no shared data";
  }
  for (const auto& set : SharedSets()) {
    std::vector<SourceFile> files;
    for (const auto& file : set.files) {
      files.push_back(blobs_.SourceFrom(std::filesystem::path(file).filename(), root / file));
    }
    const auto out = testing::RunImport(blobs_, files, set.options);
    ASSERT_EQ(out.error, "") << set.files[0];
    EXPECT_EQ(Names(out), set.columns) << set.files[0];
    EXPECT_EQ(out.content().target, set.target) << set.files[0];
    EXPECT_EQ(out.content().split_rows[0], set.train) << set.files[0];
    EXPECT_EQ(out.content().split_rows[1], set.validation) << set.files[0];
    EXPECT_EQ(out.content().split_rows[2], set.test) << set.files[0];
    for (const auto& column : out.content().columns) {
      const bool text = column.name == "text" || column.name == "review" || column.name == "t" ||
                        column.name == "input" || column.name == "conversations" || column.name == "word" ||
                        column.name == "phonemes" || column.name == "paragraphs" || column.name == "column_1";
      EXPECT_TRUE(!text || column.type == ColumnType::kText) << set.files[0] << " " << column.name;
    }
  }
}

TEST_F(TextFormatsTest, ReadsTheSharedCorporaOfManyFiles) {
  const auto root = SharedData();
  if (root.empty() || !std::filesystem::exists(root / "text/brown")) {
    GTEST_SKIP() << "no shared data";
  }
  auto out = testing::RunImport(blobs_, {blobs_.SourceFrom("brown.tar.gz", root / "text/brown/brown.tar.gz")});
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.content().format, "tagged");
  EXPECT_EQ(out.column("label").categories.size(), 15U);
  EXPECT_THAT(Text(out, "tokens", 0), HasSubstr("The Fulton County Grand Jury said Friday"));
  std::vector<SourceFile> files;
  for (const char* name : {"test_2016_flickr", "train", "val"}) {
    for (const char* language : {".de.gz", ".en.gz"}) {
      const std::string file = std::string(name) + language;
      files.push_back(blobs_.SourceFrom(file, root / "translation/multi30k_en_de" / file));
    }
  }
  out = testing::RunImport(blobs_, files);
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Names(out), ElementsAre("de", "en"));
  EXPECT_EQ(out.content().split_rows[0], 23200);
  EXPECT_EQ(out.content().split_rows[1], 1014);
  EXPECT_EQ(out.content().split_rows[2], 1000);
  EXPECT_EQ(Text(out, "en", 0), "Several men in hard hats are operating a giant pulley system.");
}

}  // namespace
}  // namespace atelier::data
