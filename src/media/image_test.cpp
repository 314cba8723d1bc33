#include "media/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>

namespace atelier::media {
namespace {

std::string Encode(const cv::Mat& picture, const std::string& extension, std::vector<int> parameters = {}) {
  std::vector<uint8_t> bytes;
  cv::imencode(extension, picture, bytes, parameters);
  return {bytes.begin(), bytes.end()};
}

// Left half red, right half blue (BGR order of OpenCV).
cv::Mat RedBlue(int height = 10, int width = 20) {
  cv::Mat picture(height, width, CV_8UC3, cv::Scalar(0, 0, 255));
  picture.colRange(width / 2, width).setTo(cv::Scalar(255, 0, 0));
  return picture;
}

std::string Big(uint32_t value) {
  return {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U), static_cast<char>(value >> 8U),
          static_cast<char>(value)};
}
std::string Bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) {
    out.push_back(static_cast<char>(value));
  }
  return out;
}

// An EXIF block that says: turn by 90 degrees clockwise to see it upright (orientation 6).
std::string WithOrientation6(const std::string& jpeg) {
  const std::string tiff = std::string("MM\0*\0\0\0\x08", 8) + std::string("\0\x01", 2) +
                           std::string("\x01\x12\0\x03\0\0\0\x01\0\x06\0\0", 12) + std::string(4, '\0');
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  const auto length = static_cast<uint32_t>(body.size() + 2);
  return jpeg.substr(0, 2) + Bytes({0xFF, 0xE1, static_cast<int>(length >> 8U), static_cast<int>(length & 255U)}) +
         body + jpeg.substr(2);
}

uint8_t PixelAt(const Image& image, int64_t c, int64_t y, int64_t x) {
  return image.pixels[static_cast<size_t>((c * image.height + y) * image.width + x)];
}

TEST(ProbeTest, KnowsTheSizeOfEveryFormat) {
  for (const auto& [extension, name] : std::vector<std::pair<std::string, std::string>>{
           {".png", "png"}, {".jpg", "jpeg"}, {".bmp", "bmp"}, {".webp", "webp"}}) {
    const auto info = Probe(Encode(RedBlue(), extension));
    ASSERT_TRUE(info.ok()) << extension << info.error().message;
    EXPECT_EQ(info->format, name);
    EXPECT_EQ(info->width, 20);
    EXPECT_EQ(info->height, 10);
  }
  const auto lossless = Probe(Encode(RedBlue(), ".webp", {cv::IMWRITE_WEBP_QUALITY, 101}));
  ASSERT_TRUE(lossless.ok());
  EXPECT_EQ(lossless->width, 20);
  const auto gif = Probe(std::string("GIF89a\x03\0\x02\0\0\0\0", 13));
  ASSERT_TRUE(gif.ok());
  EXPECT_EQ(gif->width, 3);
  EXPECT_EQ(gif->height, 2);
}

TEST(ProbeTest, RefusesOtherFormats) {
  const std::vector<std::string> others{
      "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>",
      std::string("II*\0", 4) + std::string(60, '\0'),
      std::string("\0\0\0\x0cjP  \r\n\x87\n", 12) + std::string(60, '\0'),
      std::string("\0\0\0\x18"
                  "ftypheic",
                  12) +
          std::string(60, '\0'),
      std::string("\0\0\x01\0\x01\0", 6) + std::string(60, '\0'),
      "8BPS" + std::string(60, '\0'),
      "P6\n1 1\n255\nabc",
      "RIFF____WAVEfmt " + std::string(60, '\0'),
      "hello",
  };
  for (const auto& bytes : others) {
    const auto info = Probe(bytes);
    ASSERT_FALSE(info.ok());
    EXPECT_EQ(info.error().reason, "unsupported_media_type") << bytes.substr(0, 12);
    EXPECT_FALSE(Decode(bytes, 3).ok());
  }
}

TEST(ProbeTest, RefusesDamageAndBombsBeforeDecoding) {
  const std::string png = Encode(RedBlue(), ".png");
  const auto sized = [&](uint32_t width, uint32_t height) {
    return png.substr(0, 16) + Big(width) + Big(height) + png.substr(24);
  };
  EXPECT_EQ(Probe(sized(30000, 30000)).error().reason, "image_too_large");
  EXPECT_EQ(Probe(sized(0xFFFFFFFF, 0xFFFFFFFF)).error().reason, "image_too_large");
  EXPECT_EQ(Probe(sized(0, 5)).error().reason, "invalid_image");
  EXPECT_EQ(Probe(png.substr(0, 20)).error().reason, "invalid_image");
  EXPECT_EQ(Probe("").error().reason, "invalid_image");
  EXPECT_EQ(Probe(png, {.max_bytes = 10, .max_pixels = 1000}).error().reason, "image_too_large");
  EXPECT_EQ(Probe(png, {.max_bytes = 10000, .max_pixels = 199}).error().reason, "image_too_large");
}

TEST(DecodeTest, GivesRgbPlanes) {
  for (const auto* extension : {".png", ".bmp"}) {
    const auto image = Decode(Encode(RedBlue(), extension), 3);
    ASSERT_TRUE(image.ok()) << image.error().message;
    EXPECT_EQ(image->channels, 3);
    EXPECT_EQ(image->height, 10);
    EXPECT_EQ(image->width, 20);
    EXPECT_EQ(image->pixels.size(), 600U);
    EXPECT_EQ(PixelAt(*image, 0, 5, 2), 255);  // red on the left
    EXPECT_EQ(PixelAt(*image, 2, 5, 2), 0);
    EXPECT_EQ(PixelAt(*image, 0, 5, 15), 0);  // blue on the right
    EXPECT_EQ(PixelAt(*image, 2, 5, 15), 255);
  }
  const auto grey = Decode(Encode(RedBlue(), ".png"), 1);
  ASSERT_TRUE(grey.ok());
  EXPECT_EQ(grey->channels, 1);
  EXPECT_EQ(PixelAt(*grey, 0, 5, 2), 76);  // ITU-R BT.601: 0.299 * 255
}

TEST(DecodeTest, ConvertsDepthAlphaAndGrey) {
  const cv::Mat deep(4, 6, CV_16UC1, cv::Scalar(0x8080));
  const auto eight = Decode(Encode(deep, ".png"), 3);
  ASSERT_TRUE(eight.ok()) << eight.error().message;
  EXPECT_EQ(PixelAt(*eight, 1, 2, 2), 0x80);

  cv::Mat half(4, 6, CV_8UC4, cv::Scalar(200, 100, 50, 128));
  half.colRange(3, 6).setTo(cv::Scalar(200, 100, 50, 0));
  const auto over_black = Decode(Encode(half, ".png"), 3);
  ASSERT_TRUE(over_black.ok());
  EXPECT_NEAR(PixelAt(*over_black, 0, 1, 1), 25, 1);
  EXPECT_NEAR(PixelAt(*over_black, 2, 1, 1), 100, 1);
  EXPECT_EQ(PixelAt(*over_black, 2, 1, 5), 0);

  const auto from_grey = Decode(Encode(cv::Mat(3, 3, CV_8UC1, cv::Scalar(77)), ".jpg"), 3);
  ASSERT_TRUE(from_grey.ok());
  EXPECT_NEAR(PixelAt(*from_grey, 0, 1, 1), 77, 2);
}

TEST(DecodeTest, TurnsByExif) {
  const auto image = Decode(WithOrientation6(Encode(RedBlue(16, 32), ".jpg")), 3);
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(image->height, 32);
  EXPECT_EQ(image->width, 16);
  EXPECT_GT(PixelAt(*image, 0, 4, 8), 200);  // the left, red, is now the top
  EXPECT_GT(PixelAt(*image, 2, 28, 8), 200);
}

TEST(DecodeTest, Resizes) {
  const auto small = Decode(Encode(RedBlue(), ".png"), 3, 5, 10);
  ASSERT_TRUE(small.ok());
  EXPECT_EQ(small->height, 5);
  EXPECT_EQ(small->width, 10);
  EXPECT_EQ(PixelAt(*small, 0, 2, 2), 255);
  const auto large = Decode(Encode(RedBlue(), ".png"), 1, 40, 80);
  ASSERT_TRUE(large.ok());
  EXPECT_EQ(large->pixels.size(), 3200U);
}

// 3 x 2 pixels of the colours 0 black, 1 red, 2 green, 3 blue, written by hand: 0 1 2 / 3 0 1.
TEST(DecodeTest, ReadsGif) {
  std::string gif = std::string("GIF89a\x03\0\x02\0\x81\0\0", 13) + std::string("\0\0\0\xff\0\0\0\xff\0\0\0\xff", 12) +
                    std::string("\x2c\0\0\0\0\x03\0\x02\0\0", 10);
  // Bits, least first: 4, 0, 1, 2 at three bits; the table is full then, so 3, 0, 1 and the end (5) take four.
  gif += Bytes({2, 4, 0x44, 0x34, 0x10, 0x05, 0, 0x3B});
  const auto image = Decode(gif, 3);
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(PixelAt(*image, 0, 0, 1), 255);  // red
  EXPECT_EQ(PixelAt(*image, 1, 0, 2), 255);  // green
  EXPECT_EQ(PixelAt(*image, 2, 1, 0), 255);  // blue
  EXPECT_EQ(PixelAt(*image, 0, 1, 2), 255);  // red
  for (size_t i = 6; i < gif.size() - 1; ++i) {
    (void)Decode(gif.substr(0, i), 3);  // whatever is cut off, it is an answer and no crash
  }
  EXPECT_EQ(Decode(gif.substr(0, gif.size() - 6), 3).error().reason, "invalid_image");
}

TEST(DecodeTest, AnswersEveryDamage) {
  for (const auto* extension : {".png", ".jpg", ".bmp", ".webp"}) {
    const std::string good = Encode(RedBlue(16, 16), extension);
    for (size_t cut = 0; cut < good.size(); cut += 7) {
      (void)Decode(good.substr(0, cut), 3);
    }
    for (size_t i = 0; i < good.size(); i += 5) {
      std::string bad = good;
      bad[i] = static_cast<char>(~bad[i]);
      (void)Decode(bad, 3);
    }
    EXPECT_FALSE(Decode(good.substr(0, good.size() / 2), 3).ok()) << extension;
  }
  EXPECT_FALSE(Decode(Encode(RedBlue(), ".png"), 2).ok());
  EXPECT_FALSE(Decode(Encode(RedBlue(), ".png"), 3, -1, 5).ok());
}

}  // namespace
}  // namespace atelier::media
