#include "base/file_sink.h"

#include <gtest/gtest.h>

#include <iterator>
#include <string>

namespace atelier {
namespace {

TEST(FileSink, WritesPiecesAndSaysWhatItCannotWrite) {
  const auto path = std::filesystem::temp_directory_path() / "file-sink-test";
  FileSink sink(path);
  for (const std::string piece : {"ab", "", "c"}) {
    ASSERT_TRUE(sink.Write(std::as_bytes(std::span(piece))).ok());
  }
  ASSERT_TRUE(sink.Close().ok());
  std::ifstream stream(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), "abc");
  std::filesystem::remove(path);

  FileSink full("/dev/full");
  const std::string much(1 << 20, 'x');
  const auto written = full.Write(std::as_bytes(std::span(much)));
  const auto closed = full.Close();
  EXPECT_EQ((written.ok() ? closed : written).error().reason, "storage_full");
  const auto nowhere = FileSink(path / "no" / "folder").Write({});
  EXPECT_EQ(nowhere.error().code, Code::kResourceExhausted);
  EXPECT_NE(nowhere.error().message.find("no/folder"), std::string::npos);
}

}  // namespace
}  // namespace atelier
