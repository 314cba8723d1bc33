// A real model from its files to its story: imported, loaded, asked over a worker's socket.
#include <gtest/gtest.h>

#include "base/testing/shared_data.h"
#include "engine/importing/import.h"
#include "engine/service/generator.h"
#include "serving/generative_service.h"
#include "serving/generative_wire.h"
#include "serving/testing/fake_generator.h"
#include "serving/testing/fake_predictor.h"
#include "serving/worker_client.h"

namespace atelier::serving {
namespace {

using testing::KeptAnswer;

constexpr std::string_view kStory =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.";

TEST(Story, IsToldFromItsFilesOverTheSocket) {
  const auto stories = SharedData() / "weights" / "llama2c_stories260K";
  if (!std::filesystem::exists(stories)) {
    GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
  }
  const testing::TempDir dir;
  SystemClock clock;
  const auto model = engine::ImportModel(
      {{"stories260K.bin", stories / "stories260K.bin"}, {"tok512.bin", stories / "tok512.bin"}}, dir.path(), 1, clock);
  ASSERT_TRUE(model.ok()) << model.error().message;
  engine::GeneratorOptions options;
  options.kv_bytes = 16U << 20U;
  auto generator = engine::OpenGenerator(dir.path(), options, clock);
  ASSERT_TRUE(generator.ok()) << generator.error().message;

  const std::string socket = (dir.path() / "w.sock").string();
  GenerativeService service;
  auto server = Listen(socket, service);
  ASSERT_TRUE(server.ok()) << server.error().message;
  service.SetGenerator(std::move(generator).value());
  WorkerClient client(socket);
  std::vector<std::shared_ptr<KeptAnswer>> answers;
  for (int i = 0; i < 8; ++i) {
    engine::GenerationRequest request;
    request.prompt = engine::TextPrompt{i % 2 == 0 ? "" : "Once upon a time"};
    request.sampling.temperature = 0;
    request.max_tokens = 60;
    answers.push_back(std::make_shared<KeptAnswer>());
    client.Generate(ToWire(std::move(request)), 60000, answers.back());
  }
  for (size_t i = 0; i < answers.size(); ++i) {
    ASSERT_TRUE(answers[i]->WaitEnd());
    ASSERT_TRUE(answers[i]->status().ok()) << answers[i]->status().error().message;
    const std::string text = (i % 2 == 0 ? "" : "Once upon a time") + answers[i]->text();
    const size_t begin = text.find_first_not_of(' ');
    EXPECT_TRUE(std::string_view(text).substr(begin).starts_with(kStory)) << text;
    EXPECT_EQ(answers[i]->usage().completion_tokens, 60);
    EXPECT_EQ(answers[i]->last().finish, engine::FinishReason::kLength);
  }
  (*server)->Shutdown(std::chrono::system_clock::now());
}

}  // namespace
}  // namespace atelier::serving
