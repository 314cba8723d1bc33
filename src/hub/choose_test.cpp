#include "hub/choose.h"

#include <gtest/gtest.h>

namespace atelier::hub {
namespace {

std::vector<ListedFile> Files(const std::vector<std::string>& paths) {
  std::vector<ListedFile> files;
  for (const auto& path : paths) {
    files.push_back({path});
  }
  return files;
}

// The paths that are chosen, with spaces between; or the reason of the refusal.
std::string Chosen(const std::vector<std::string>& paths, const std::string& wanted = "") {
  const auto files = Files(paths);
  const auto chosen = ChooseFiles(files, wanted);
  if (!chosen.ok()) {
    return chosen.error().reason;
  }
  std::string text;
  for (const size_t i : *chosen) {
    text += (text.empty() ? "" : " ") + files[i].path;
  }
  return text;
}

const std::vector<std::string> kQuants{"m-BF16.gguf", "m-Q2_K.gguf",          "m-Q4_K_M.gguf", "m-Q4_K_S.gguf",
                                       "m-Q8_0.gguf", "mmproj-m-Q4_K_M.gguf", "README.md"};

TEST(ChooseFiles, PrefersLikeOthers) {
  EXPECT_EQ(Chosen(kQuants), "m-Q4_K_M.gguf");
  EXPECT_EQ(Chosen({"m-f16.gguf", "m-q8_0.gguf"}), "m-q8_0.gguf");
  EXPECT_EQ(Chosen({"b.gguf", "a.gguf"}), "a.gguf");
  EXPECT_EQ(Chosen({"model.safetensors", "config.json", "m.Q4_0.gguf"}), "m.Q4_0.gguf");
}

TEST(ChooseFiles, TakesWhatIsNamed) {
  EXPECT_EQ(Chosen(kQuants, "q8_0"), "m-Q8_0.gguf");
  EXPECT_EQ(Chosen(kQuants, "Q4_K"), "hub_file_not_found");  // a word is whole
  EXPECT_EQ(Chosen(kQuants, "mmproj-m-Q4_K_M.gguf"), "mmproj-m-Q4_K_M.gguf");
  EXPECT_EQ(Chosen(kQuants, "Q5_0"), "hub_file_not_found");
  EXPECT_EQ(Chosen({"Q8_0/m.gguf", "Q4_0/m.gguf"}, "Q8_0"), "Q8_0/m.gguf");
  EXPECT_EQ(Chosen({"pytorch_model.bin"}, "pytorch_model.bin"), "no_model_files");
}

TEST(ChooseFiles, TakesAllPartsOrNone) {
  const std::vector<std::string> parts{"m-Q8_0-00002-of-00002.gguf", "m-Q8_0-00001-of-00002.gguf"};
  EXPECT_EQ(Chosen(parts), "m-Q8_0-00001-of-00002.gguf m-Q8_0-00002-of-00002.gguf");
  EXPECT_EQ(Chosen(parts, parts[0]), "m-Q8_0-00001-of-00002.gguf m-Q8_0-00002-of-00002.gguf");
  EXPECT_EQ(Chosen({"m-00001-of-00003.gguf"}), "hub_file_not_found");
}

TEST(ChooseFiles, TakesFoldersWithoutPickles) {
  EXPECT_EQ(Chosen({"config.json", "model.safetensors", "pytorch_model.bin", "tokenizer.json", "onnx/model.onnx",
                    "1_Pooling/config.json", "consolidated.safetensors", "x/y.safetensors", "run.py"}),
            "config.json model.safetensors tokenizer.json 1_Pooling/config.json");
  EXPECT_EQ(Chosen({"config.json", "pytorch_model.bin"}), "no_model_files");
  EXPECT_EQ(Chosen({}), "no_model_files");
}

TEST(SplitName, IsReadStrictly) {
  EXPECT_EQ(ParseSplitName("a/b-00002-of-00010.gguf")->front, "a/b");
  EXPECT_EQ(PartName(*ParseSplitName("a-00002-of-00010.gguf"), 3), "a-00003-of-00010.gguf");
  for (const char* name : {"a-00000-of-00002.gguf", "a-00003-of-00002.gguf", "a-00001-of-09999.gguf",
                           "a-0001-of-00002.gguf", "-00001-of-00002.gguf", "a-00001-of-00002.bin"}) {
    EXPECT_FALSE(ParseSplitName(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace atelier::hub
