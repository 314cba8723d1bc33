// Changes of pictures and recordings. The recordings are of Pillow 13.0.0 (resize with BOX and BILINEAR, rotate by 30
// degrees with BILINEAR, ImageEnhance with 1.3, 0.6 and 1.4), of Python's colorsys (the hue moved by 0.2) and of scipy
// 1.17.1 (stft and istft with 32 samples, 24 of them overlapping, and bins 6 to 8 of 17 zero).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numbers>

#include "base/testing/shared_data.h"
#include "media/image_edit.h"
#include "media/sound.h"

namespace atelier::media {
namespace {

#include "media/testing/edit_recording.inc"

Image Picture() {
  return {.channels = 3, .height = 6, .width = 8, .pixels = {std::begin(kPicture), std::end(kPicture)}};
}

void ExpectNear(const Image& image, std::span<const uint8_t> wanted, int most, int64_t border = 0) {
  ASSERT_EQ(image.pixels.size(), wanted.size());
  for (int64_t i = 0; i < static_cast<int64_t>(wanted.size()); ++i) {
    const int64_t x = i % image.width;
    const int64_t y = i / image.width % image.height;
    if (x >= border && y >= border && x < image.width - border && y < image.height - border) {
      EXPECT_NEAR(image.pixels[static_cast<size_t>(i)], wanted[static_cast<size_t>(i)], most) << x << " " << y;
    }
  }
}

TEST(ImageEditTest, ResizesAsPillow) {
  Image image = Picture();
  ASSERT_TRUE(Resize(image, 3, 4).ok());
  EXPECT_EQ(image.width, 4);
  ExpectNear(image, kHalf, 1);
  image = Picture();
  ASSERT_TRUE(Resize(image, 12, 16).ok());
  ExpectNear(image, kDouble, 1);
  EXPECT_FALSE(Resize(image, 0, 4).ok());
  EXPECT_FALSE(Resize(image, 1, 20000).ok());
  EXPECT_EQ(image.height, 12);
}

TEST(ImageEditTest, RotatesAsPillow) {
  Image image = Picture();
  ASSERT_TRUE(Rotate(image, 30).ok());
  ExpectNear(image, kTurned, 6, 2);  // OpenCV interpolates between 32 places of a pixel; near borders both differ
  EXPECT_EQ(image.pixels[0], 0);
  image = Picture();
  ASSERT_TRUE(Rotate(image, 180).ok());
  EXPECT_EQ(image.pixels[0], Picture().pixels[47]);
}

TEST(ImageEditTest, RecoloursAsPillow) {
  Image image = Picture();
  ASSERT_TRUE(Recolour(image, {.brightness = 1.3}).ok());
  ExpectNear(image, kBright, 1);
  image = Picture();
  ASSERT_TRUE(Recolour(image, {.contrast = 0.6}).ok());
  ExpectNear(image, kContrast, 1);
  image = Picture();
  ASSERT_TRUE(Recolour(image, {.saturation = 1.4}).ok());
  ExpectNear(image, kSaturated, 1);
  image = Picture();
  ASSERT_TRUE(Recolour(image, {.hue = 0.2}).ok());
  ExpectNear(image, kHue, 1);
  Image grey{.channels = 1, .height = 1, .width = 2, .pixels = {10, 200}};
  ASSERT_TRUE(Recolour(grey, {.brightness = 2, .saturation = 3, .hue = 0.5}).ok());
  EXPECT_EQ(grey.pixels, (std::vector<uint8_t>{20, 255}));
}

TEST(ImageEditTest, WritesFiles) {
  const auto png = Encode(Picture(), false);
  ASSERT_TRUE(png.ok());
  EXPECT_EQ(Decode(*png, 3)->pixels, Picture().pixels);
  const auto jpeg = Encode(Picture(), true);
  ASSERT_TRUE(jpeg.ok());
  EXPECT_EQ(Probe(*jpeg)->format, "jpeg");
  const auto grey = Encode({.channels = 1, .height = 1, .width = 2, .pixels = {10, 200}}, false);
  EXPECT_EQ(Decode(*grey, 1)->pixels, (std::vector<uint8_t>{10, 200}));
}

Sound Recording() { return {.rate = 1000, .channels = 1, .samples = {std::begin(kSound), std::end(kSound)}}; }

Sound Tone(int64_t rate, double frequency, int64_t frames) {
  Sound sound{.rate = rate, .channels = 1, .samples = {}};
  for (int64_t i = 0; i < frames; ++i) {
    sound.samples.push_back(static_cast<float>(
        0.5 * std::sin(2 * std::numbers::pi * frequency * static_cast<double>(i) / static_cast<double>(rate))));
  }
  return sound;
}

TEST(SoundTest, TakesBandsOutAsScipy) {
  Sound sound = Recording();
  const std::pair<double, double> bands[] = {{6.0 / 16, 9.0 / 16}};
  ASSERT_TRUE(SilenceBands(sound, bands).ok());
  ASSERT_EQ(sound.samples.size(), std::size(kWithoutBand));
  for (size_t i = 0; i < std::size(kWithoutBand); ++i) {
    EXPECT_NEAR(sound.samples[i], kWithoutBand[i], 1e-5) << i;
  }
  Sound same = Recording();
  ASSERT_TRUE(SilenceBands(same, {}).ok());
  for (size_t i = 0; i < std::size(kSound); ++i) {
    EXPECT_NEAR(same.samples[i], kSound[i], 1e-5) << i;
  }
}

// A tone below half of both rates is the same tone at the other rate.
TEST(SoundTest, ResamplesTones) {
  for (const int64_t rate : {16000, 11025, 8000}) {
    Sound sound = Tone(22050, 440, 22050);
    ASSERT_TRUE(Stretch(sound, static_cast<double>(rate) / 22050).ok());
    EXPECT_NEAR(static_cast<double>(sound.samples.size()), static_cast<double>(rate), 2);
    const Sound wanted = Tone(rate, 440, rate);
    for (size_t i = 1000; i + 1000 < sound.samples.size(); ++i) {
      ASSERT_NEAR(sound.samples[i], wanted.samples[i], 2e-3) << rate << " " << i;
    }
  }
  Sound high = Tone(22050, 9000, 22050);  // above half the new rate: gone
  ASSERT_TRUE(Stretch(high, 8000.0 / 22050).ok());
  EXPECT_NEAR(high.samples[4000], 0, 1e-3);
  EXPECT_FALSE(Stretch(high, 1000).ok());
  EXPECT_FALSE(Stretch(high, 200, {.max_samples = 1000}).ok());
}

TEST(SoundTest, WritesAndReadsFiles) {
  Sound sound = Tone(8000, 440, 100);
  sound.samples[3] = 7;
  const auto bytes = EncodeSound(sound);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(bytes->size(), 244U);
  const auto back = DecodeSound(*bytes);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->rate, 8000);
  EXPECT_NEAR(back->samples[3], 1, 1e-4);
  EXPECT_NEAR(back->samples[10], sound.samples[10], 1e-4);
  EXPECT_EQ(DecodeSound("RIFF", {}).error().reason, "unsupported_media_type");
  EXPECT_EQ(DecodeSound(bytes->substr(0, 44)).error().reason, "invalid_audio");
  EXPECT_EQ(DecodeSound(*bytes, {.max_samples = 50}).error().reason, "audio_too_large");
  for (size_t length = 0; length < bytes->size(); length += 7) {  // cut anywhere: refused, or what is there
    const auto cut = DecodeSound(bytes->substr(0, length));
    EXPECT_TRUE(!cut.ok() || cut->samples.size() <= 100);
  }
}

TEST(SoundTest, ReadsRealFiles) {
  const auto folder = SharedData() / "speech/silero_vad_test";
  if (SharedData().empty() || !std::filesystem::exists(folder / "test.opus")) {
    GTEST_SKIP() << "no shared data";
  }
  for (const auto& [name, seconds] : {std::pair{"test.wav", 60.0}, std::pair{"test.opus", 8.06}}) {
    std::ifstream file(folder / name, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const auto sound = DecodeSound(bytes);
    ASSERT_TRUE(sound.ok()) << name << sound.error().message;
    EXPECT_NEAR(static_cast<double>(sound->samples.size()) / static_cast<double>(sound->rate * sound->channels),
                seconds, 0.1)
        << name;
  }
}

}  // namespace
}  // namespace atelier::media
