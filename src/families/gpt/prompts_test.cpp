#include "families/gpt/prompts.h"

#include <gmock/gmock.h>

#include "families/gpt/blocks.h"

namespace atelier::families::gpt {
namespace {

using ::testing::ElementsAre;

// Letters, digits and signs as tokens of a byte, and the tokens of a conversation.
std::unique_ptr<text::Tokenizer> Bytes(bool add_bos = false, bool add_space_prefix = false) {
  text::TokenizerSpec spec;
  spec.kind = text::TokenizerKind::kSentencePieceBpe;
  spec.tokens = {"<s>", "</s>", "<|im_start|>", "<|im_end|>"};
  spec.kinds.assign(4, text::TokenKind::kControl);
  for (unsigned byte = 0; byte < 256; ++byte) {
    char token[8];
    std::snprintf(token, sizeof(token), "<0x%02X>", byte);
    spec.tokens.emplace_back(token);
    spec.kinds.push_back(text::TokenKind::kByte);
  }
  spec.scores.assign(spec.tokens.size(), 0);
  spec.bos = 0;
  spec.eos = 1;
  spec.add_bos = add_bos;
  spec.add_space_prefix = add_space_prefix;
  return text::Tokenizer::Make(std::move(spec)).value();
}

std::string Spell(const text::Tokenizer& tokenizer, const Sequence& sequence, bool learnt) {
  std::string out;
  for (size_t i = 0; i < sequence.ids.size(); ++i) {
    const auto id = static_cast<size_t>(sequence.ids[i]);
    if (sequence.learnt[i] == learnt) {
      out += id < 4 ? tokenizer.spec().tokens[id] : std::string(tokenizer.Bytes(sequence.ids[i]));
    }
  }
  // The token's own spelling of a blank.
  for (size_t at = out.find("\u2581"); at != std::string::npos; at = out.find("\u2581", at)) {
    out.replace(at, std::string_view("\u2581").size(), " ");
  }
  return out;
}

json::array Messages(std::string_view text) { return ParseJson(text)->as_array(); }

TEST(PromptsTest, LearnsAnswersOnly) {
  const auto tokenizer = Bytes();
  const auto prompts = Prompts::Make(*tokenizer, PlainChatTemplate());
  ASSERT_TRUE(prompts.ok()) << prompts.error().message;
  const auto chat = prompts->Chat(
      Messages(R"([{"role":"system","content":"S"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},)"
               R"({"role":"user","content":"c"},{"role":"assistant","content":"d"},{"role":"user","content":"e"}])"));
  ASSERT_TRUE(chat.ok()) << chat.error().message;
  EXPECT_EQ(Spell(*tokenizer, *chat, true), "b<|im_end|>\nd<|im_end|>\n");
  EXPECT_EQ(Spell(*tokenizer, *chat, false),
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"
            "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n");
  const auto instruction = prompts->Instruction("Add", "1 2", "3");
  ASSERT_TRUE(instruction.ok());
  EXPECT_EQ(Spell(*tokenizer, *instruction, false), "<|im_start|>user\nAdd\n\n1 2<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(Spell(*tokenizer, *instruction, true), "3<|im_end|>\n");
}

TEST(PromptsTest, KeepsTheLastAnswerWhereATemplateForgets) {
  const auto tokenizer = Bytes();
  // Writes the last question alone, as templates do that take off earlier thoughts.
  const auto prompts = Prompts::Make(
      *tokenizer,
      "{% for m in messages %}{% if loop.index0 >= (messages|length) - 1 - (0 if add_generation_prompt else 1) %}"
      "[{{ m.content }}]{% endif %}{% endfor %}");
  ASSERT_TRUE(prompts.ok()) << prompts.error().message;
  const auto chat = prompts->Chat(Messages(R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"},)"
                                           R"({"role":"user","content":"c"},{"role":"assistant","content":"d"}])"));
  ASSERT_TRUE(chat.ok()) << chat.error().message;
  EXPECT_EQ(Spell(*tokenizer, *chat, true), "[d]");
  EXPECT_EQ(Spell(*tokenizer, *chat, false), "[c]");
}

TEST(PromptsTest, WritesInstructionsWithoutATemplate) {
  const auto tokenizer = Bytes(true);
  const auto prompts = Prompts::Make(*tokenizer, "");
  ASSERT_TRUE(prompts.ok());
  const auto instruction = prompts->Instruction("Add", "1 2", "3");
  EXPECT_EQ(Spell(*tokenizer, *instruction, false), "<s>### Instruction:\nAdd\n\n### Input:\n1 2\n\n### Response:\n");
  EXPECT_EQ(Spell(*tokenizer, *instruction, true), "3</s>");
  const Sequence text = prompts->Text("a<s>");  // of a text, not a token
  EXPECT_EQ(text.ids.size(), 6U);
  EXPECT_EQ(Spell(*tokenizer, text, true), "a<s></s>");
  EXPECT_EQ(prompts->Chat(Messages(R"([{"role":"user","content":"a"}])")).error().reason, "no_chat_template");
}

TEST(PromptsTest, LeavesOutAnswersWithoutWeight) {
  const auto tokenizer = Bytes();
  const auto prompts = Prompts::Make(*tokenizer, "{% for m in messages %}[{{ m.content }}]{% endfor %}");
  ASSERT_TRUE(prompts.ok());
  const auto chat = prompts->Chat(Messages(R"([{"role":"assistant","content":"a","weight":0},)"
                                           R"({"role":"assistant","content":"b","weight":1}])"));
  ASSERT_TRUE(chat.ok()) << chat.error().message;
  EXPECT_EQ(Spell(*tokenizer, *chat, true), "[b]");
  EXPECT_EQ(Spell(*tokenizer, *chat, false), "[a]");
  EXPECT_FALSE(prompts->Chat(Messages(R"([{"role":"assistant","content":"a","weight":0}])")).ok());
}

TEST(PromptsTest, ShowsTheToolsOfAConversation) {
  const auto tokenizer = Bytes();
  const auto prompts =
      Prompts::Make(*tokenizer,
                    "{% if tools %}{{ tools[0].name }}:{% endif %}{% for m in messages %}{{ m.content }}"
                    "{% endfor %}");
  ASSERT_TRUE(prompts.ok());
  const auto messages = Messages(R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"}])");
  EXPECT_EQ(Spell(*tokenizer, *prompts->Chat(messages, Messages(R"([{"name":"f"}])")), false), "f:a");
  EXPECT_EQ(Spell(*tokenizer, *prompts->Chat(messages), false), "a");
}

TEST(PromptsTest, PutsASpaceBeforeTheWholeAlone) {
  const auto tokenizer = Bytes(true, true);
  const auto prompts = Prompts::Make(*tokenizer, "");
  ASSERT_TRUE(prompts.ok());
  const Sequence completion = prompts->Completion("2+2=", "4");
  EXPECT_EQ(Spell(*tokenizer, completion, false), "<s> 2+2=");
  EXPECT_EQ(Spell(*tokenizer, completion, true), "4</s>");
}

TEST(PromptsTest, GoesOnWithAPrompt) {
  const auto tokenizer = Bytes(true);
  const auto prompts = Prompts::Make(*tokenizer, "");
  ASSERT_TRUE(prompts.ok());
  const Sequence completion = prompts->Completion("2+2=", " 4");
  EXPECT_EQ(Spell(*tokenizer, completion, false), "<s>2+2=");
  EXPECT_EQ(Spell(*tokenizer, completion, true), " 4</s>");
}

TEST(PromptsTest, RefusesWhatIsNoConversation) {
  const auto tokenizer = Bytes();
  const auto prompts = Prompts::Make(*tokenizer, PlainChatTemplate());
  for (const auto* messages : {"[]", "[1]", R"([{"role":"user","content":"a"}])", R"([{"role":"assistant"}])",
                               R"([{"content":"a"}])", R"([{"role":1,"content":"a"}])"}) {
    const auto chat = prompts->Chat(Messages(messages));
    ASSERT_FALSE(chat.ok()) << messages;
    EXPECT_EQ(chat.error().code, Code::kInvalidArgument) << messages;
  }
  EXPECT_FALSE(Prompts::Make(*tokenizer, "{% if %}").ok());
}

Sequence Row(std::vector<int32_t> ids, std::vector<bool> learnt) { return {std::move(ids), std::move(learnt)}; }

TEST(BlocksTest, CutsAStream) {
  const std::vector<int32_t> ids{1, 2, 3, 4, 5, 6, 7, 8};
  const Blocks blocks = CutStream(ids, 3);
  EXPECT_EQ(blocks.rows(), 3);
  EXPECT_THAT(blocks.inputs, ElementsAre(1, 2, 3, 4, 5, 6, 7, 0, 0));
  EXPECT_THAT(blocks.targets, ElementsAre(2, 3, 4, 5, 6, 7, 8, kNotLearnt, kNotLearnt));
  EXPECT_EQ(CutStream(std::vector<int32_t>{1}, 3).rows(), 0);
}

TEST(BlocksTest, PacksSequences) {
  const Blocks blocks = Pack(
      {Row({1, 2, 3}, {false, true, true}), Row({4, 5}, {false, true}), Row({6, 7, 8, 9}, {false, false, true, true}),
       Row({1, 1}, {true, false}), Row({}, {}), Row({9, 8, 7, 6, 5, 4}, {true, true, true, true, true, true})},
      4);
  ASSERT_EQ(blocks.rows(), 3);
  EXPECT_EQ(blocks.cut, 1);
  EXPECT_THAT(blocks.inputs, ElementsAre(1, 2, 4, 0, 6, 7, 8, 0, 9, 8, 7, 6));
  EXPECT_THAT(blocks.targets, ElementsAre(2, 3, 5, kNotLearnt, kNotLearnt, 8, 9, kNotLearnt, 8, 7, 6, 5));
  EXPECT_THAT(blocks.segments, ElementsAre(1, 1, 2, 0, 1, 1, 1, 0, 1, 1, 1, 1));
  const std::vector<int64_t> rows{0};
  const BlockBatch batch = Gather(blocks, rows);
  EXPECT_TRUE(torch::equal(batch.positions, torch::tensor({{0, 1, 0}}, torch::kInt64)));
}

}  // namespace
}  // namespace atelier::families::gpt
