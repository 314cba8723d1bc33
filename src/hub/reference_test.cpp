#include "hub/reference.h"

#include <gtest/gtest.h>

namespace atelier::hub {
namespace {

Reference Parsed(const std::string& text) {
  auto reference = ParseReference(text);
  EXPECT_TRUE(reference.ok()) << text;
  return reference.ok() ? *reference : Reference{};
}

TEST(Reference, ReadsEachHub) {
  const auto hf = Parsed("hf:org/name.v1:sub/file-Q4_0.gguf@refs/pr/1");
  EXPECT_EQ(hf.hub, Hub::kHuggingFace);
  EXPECT_EQ(hf.repository, "org/name.v1");
  EXPECT_EQ(hf.file, "sub/file-Q4_0.gguf");
  EXPECT_EQ(hf.revision, "refs/pr/1");
  EXPECT_EQ(Parsed("hf:gpt2").repository, "gpt2");
  EXPECT_EQ(Parsed("modelscope:Qwen/Qwen3@master").hub, Hub::kModelScope);
  const auto ollama = Parsed("ollama:smollm:135m");
  EXPECT_EQ(ollama.repository, "library/smollm");
  EXPECT_EQ(ollama.revision, "135m");
  EXPECT_EQ(Parsed("ollama:someone/thing").revision, "latest");
  EXPECT_EQ(Parsed("ollama:example.com:8443/a/b:c").host, "example.com:8443");
  const auto url = Parsed("https://example.com/a/m.gguf?x=1#sha256=" + std::string(64, 'a'));
  EXPECT_EQ(url.url, "https://example.com/a/m.gguf?x=1");
  EXPECT_EQ(url.sha256, std::string(64, 'a'));
}

TEST(Reference, IsWrittenAsItIsRead) {
  for (const std::string text :
       {"hf:org/name:Q4_K_M@main", "hf:org/name", "modelscope:a/b:c.gguf", "ollama:smollm:135m", "ollama:me/it:latest",
        "ollama:example.com/library/it:latest", "https://example.com/m.gguf"}) {
    EXPECT_EQ(ToText(Parsed(text)), text);
  }
}

TEST(Reference, RefusesOthers) {
  for (const std::string text : {"",
                                 "org/name",
                                 "hf:",
                                 "hf:a/b/c",
                                 "hf:../b",
                                 "hf:a/..",
                                 "hf:a/b:../c",
                                 "hf:a/b:/etc/passwd",
                                 "hf:a/b@",
                                 "hf:a/b@x y",
                                 "hf:a/b@../../x",
                                 "modelscope:name",
                                 "ollama:",
                                 "ollama:a/b/c/d",
                                 "ollama:x:..",
                                 "ollama:x:",
                                 "ftp://example.com/m",
                                 "file:///etc/passwd",
                                 "https://",
                                 "https://u:p@example.com/m.gguf",
                                 "https://example.com/m.gguf#sha256=AB",
                                 "https://example.com/m.gguf#x",
                                 "https://example.com/a\\b",
                                 "https://example.com/..%2fx%2F",
                                 "https://exa mple.com/m"}) {
    auto reference = ParseReference(text);
    ASSERT_FALSE(reference.ok()) << text;
    EXPECT_EQ(reference.error().code, Code::kInvalidArgument) << text;
    EXPECT_EQ(reference.error().param, "source") << text;
  }
  EXPECT_FALSE(ParseReference("hf:" + std::string(5000, 'a')).ok());
}

TEST(Reference, ReadsNamesOfOllama) {
  const auto hf = ParseOllamaName("hf.co/org/repo:Q8_0").value();
  EXPECT_EQ(hf.hub, Hub::kHuggingFace);
  EXPECT_EQ(hf.repository, "org/repo");
  EXPECT_EQ(hf.file, "Q8_0");
  EXPECT_EQ(ParseOllamaName("hf.co/org/repo:latest").value().file, "");
  EXPECT_EQ(ParseOllamaName("modelscope.cn/a/b").value().hub, Hub::kModelScope);
  EXPECT_EQ(ParseOllamaName("smollm").value().repository, "library/smollm");
  EXPECT_EQ(ParseOllamaName("hf:a/b").value().hub, Hub::kHuggingFace);
  EXPECT_FALSE(ParseOllamaName("../../x").ok());
}

TEST(Reference, NamesModels) {
  EXPECT_EQ(ModelNameOf(Parsed("hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF:q4_0")), "Qwen2.5-0.5B-Instruct-GGUF");
  EXPECT_EQ(ModelNameOf(Parsed("ollama:smollm:135m")), "smollm-135m");
  EXPECT_EQ(ModelNameOf(Parsed("ollama:me/smollm")), "smollm");
  EXPECT_EQ(ModelNameOf(Parsed("https://example.com/x/story-00001-of-00002.gguf")), "story");
  EXPECT_EQ(ModelNameOf(Parsed("https://example.com/a%20b.gguf")), "a-b");
  EXPECT_EQ(PlainName(".._"), "model");
}

}  // namespace
}  // namespace atelier::hub
