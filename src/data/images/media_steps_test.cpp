// The steps over pictures and recordings.
#include <gmock/gmock.h>

#include <cmath>

#include "data/images/formats.h"
#include "data/images/media_tools.h"
#include "data/table_builder.h"
#include "data/testing/archives.h"
#include "data/testing/processing.h"
#include "media/image_edit.h"
#include "media/sound.h"

namespace atelier::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Processed;

media::Image Picture(uint8_t value, int64_t width = 4) {
  media::Image image{.channels = 3, .height = 4, .width = width, .pixels = {}};
  image.pixels.resize(static_cast<size_t>(12 * width));
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<uint8_t>(value + i % static_cast<size_t>(width));
  }
  return image;
}

media::Sound Tone(int64_t frames, int64_t silence) {
  media::Sound sound{.rate = 1000, .channels = 2, .samples = {}};
  for (int64_t i = 0; i < frames + 2 * silence; ++i) {
    const bool loud = i >= silence && i < silence + frames;
    sound.samples.push_back(loud ? static_cast<float>(0.5 * std::sin(0.3 * static_cast<double>(i))) : 0);
    sound.samples.push_back(sound.samples.back());
  }
  return sound;
}

class MediaStepsTest : public ::testing::Test, protected testing::Processing {
 protected:
  // Three rows of the training split, one of the test; labels a, a, b, b.
  Manifest Pictures() {
    std::vector<SourceFile> files;
    for (const auto& [path, value] : {std::pair("train/a/1.png", 10), std::pair("train/a/2.png", 60),
                                      std::pair("train/b/3.png", 110), std::pair("test/b/4.png", 160)}) {
      files.push_back(blobs().Source(path, *media::Encode(Picture(static_cast<uint8_t>(value)), false)));
    }
    return Import(files);
  }
  Manifest Sounds() {
    std::vector<SourceFile> files;
    for (const char* path : {"train/a/1.wav", "train/b/2.wav", "test/b/3.wav"}) {
      files.push_back(blobs().Source(path, *media::EncodeSound(Tone(300, 100))));
    }
    return Import(files);
  }
  Manifest Import(const std::vector<SourceFile>& files) {
    const auto out = testing::RunImport(blobs(), files, {}, AllFormats());
    EXPECT_EQ(out.error, "");
    return out.report.content;
  }

  // Raw pixels of one size instead of files: `a_rows` with the label a, then others; the last row is of the test split.
  Manifest Raw(int rows = 4, int a_rows = 2) {
    TableBuilder table(blobs(), options_);
    Manifest schema;
    schema.format = "idx";
    schema.columns = {{.name = "image", .type = ColumnType::kImage, .shape = {1, 4, 4}},
                      {.name = "label", .type = ColumnType::kCategory, .categories = {"a", "b"}}};
    schema.target = "label";
    schema.task = Task::kClassification;
    EXPECT_TRUE(table.Begin(schema).ok());
    for (int row = 0; row < rows; ++row) {
      std::vector<uint8_t> pixels(16);
      for (size_t i = 0; i < pixels.size(); ++i) {
        pixels[i] = static_cast<uint8_t>(50 * row) + static_cast<uint8_t>(i);
      }
      table.SetPixels(0, pixels);
      table.SetCategory(1, row < a_rows ? 0 : 1);
      EXPECT_TRUE(table.EndRow(row < rows - 1 ? Split::kTrain : Split::kTest).ok());
    }
    auto report = table.Finish();
    EXPECT_TRUE(report.ok());
    return report->content;
  }

  Processed Run(const Manifest& manifest, const std::string& steps) {
    return RunSteps(manifest, steps, {}, &AllMediaTools());
  }
  static media::Image PictureOf(const Processed& out, int64_t row) {
    const auto image = media::Decode(*out.reader->Bytes("image", row), 3);
    EXPECT_TRUE(image.ok());
    return image.ok() ? *image : media::Image();
  }
  static media::Sound SoundOf(const Processed& out, int64_t row) {
    const auto sound = media::DecodeSound(*out.reader->Bytes("audio", row));
    EXPECT_TRUE(sound.ok());
    return sound.ok() ? *sound : media::Sound();
  }
  static std::vector<uint8_t> Pixels(const Processed& out, int64_t row) {
    const auto all = testing::Values<uint8_t>(*out.reader, "image");
    const size_t width = all.size() / static_cast<size_t>(out.rows());
    const auto begin = all.begin() + row * static_cast<int64_t>(width);
    return {begin, begin + static_cast<int64_t>(width)};
  }

 private:
  ImportOptions options_;
};

TEST_F(MediaStepsTest, SetsTheSizeOfPictures) {
  Processed out = Run(Pictures(), R"([{"step":"resize_image","width":8,"height":2}])");
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(PictureOf(out, 0).width, 8);
  EXPECT_EQ(PictureOf(out, 3).height, 2);
  out = Run(Pictures(), R"([{"step":"crop_image","width":2,"height":2}])");
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(PictureOf(out, 0).pixels, ElementsAre(11, 12, 11, 12, 11, 12, 11, 12, 11, 12, 11, 12));
  out = Run(Raw(), R"([{"step":"crop_image","width":3,"height":2}])");
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(out.content().columns[0].shape, ElementsAre(1, 2, 3));
  EXPECT_THAT(Pixels(out, 1), ElementsAre(54, 55, 56, 58, 59, 60));
  out = Run(Raw(), R"([{"step":"resize_image","width":1,"height":2,"fit":"cover"}])");
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Pixels(out, 0),
              ElementsAre(4, 12));  // of columns 1 and 2: the means of rows 0, 1 and of rows 2, 3, rounded
}

TEST_F(MediaStepsTest, CropsAtRandomForTrainingAlone) {
  const std::string steps = R"([{"step":"crop_image","width":4,"height":4,"padding":2,"place":"random","seed":4}])";
  const Processed out = Run(Raw(), steps);
  ASSERT_EQ(out.error, "");
  const Processed before = Run(Raw(), R"([{"step":"crop_image","width":4,"height":4}])");
  EXPECT_NE(Pixels(out, 0), Pixels(before, 0));
  EXPECT_EQ(Pixels(out, 3), Pixels(before, 3));
  EXPECT_EQ(out.report.version.manifest.sha256, Run(Raw(), steps).report.version.manifest.sha256);
}

TEST_F(MediaStepsTest, FlipsSomeOrAll) {
  Processed out = Run(Raw(), R"([{"step":"flip_image","probability":1}])");
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(std::vector(Pixels(out, 0)), ElementsAre(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
  EXPECT_EQ(Pixels(out, 3)[0], 150);  // a test row stays
  out = Run(Raw(), R"([{"step":"flip_image","probability":1,"rows":"all","direction":"vertical"}])");
  EXPECT_THAT(std::vector(Pixels(out, 3)),
              ElementsAre(162, 163, 164, 165, 158, 159, 160, 161, 154, 155, 156, 157, 150, 151, 152, 153));
  out = Run(Raw(), R"([{"step":"flip_image","probability":0}])");
  EXPECT_EQ(Pixels(out, 0)[0], 0);
}

TEST_F(MediaStepsTest, AddsVariantsAfterTheirRows) {
  const std::string steps = R"([{"step":"rotate_image","from":-40,"to":40,"copies":2},
      {"step":"colour_image","probability":0.5,"hue":0.1},{"step":"cut_out_image","holes":2,"probability":0.5}])";
  const Processed out = Run(Pictures(), steps);
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.rows(), 10);
  EXPECT_EQ(out.splits(), "ttttttttte");
  EXPECT_THAT(out.texts("label"), ElementsAre("a", "a", "a", "a", "a", "a", "b", "b", "b", "b"));
  EXPECT_EQ(PictureOf(out, 9).pixels, Picture(160).pixels);
  EXPECT_NE(PictureOf(out, 1).pixels, PictureOf(out, 2).pixels);
  EXPECT_EQ(out.report.version.manifest.sha256, Run(Pictures(), steps).report.version.manifest.sha256);
}

TEST_F(MediaStepsTest, MixesPicturesAndDrawsLabels) {
  const std::string steps = R"([{"step":"mixup_image","column":"image","alpha":1,"copies":4}])";
  const Processed out = Run(Raw(), steps);
  ASSERT_EQ(out.error, "");
  ASSERT_EQ(out.rows(), 16);
  for (int64_t row = 1; row < 5; ++row) {  // of row 0 (0...) and row 1 (50...) or 2 (100...)
    const auto pixels = Pixels(out, row);
    EXPECT_GT(pixels[0], 0);
    EXPECT_LT(pixels[0], 100);
    EXPECT_NEAR(pixels[15] - pixels[0], 15, 1);
  }
  const auto labels = out.texts("label");
  EXPECT_GT(std::count(labels.begin(), labels.begin() + 10, "b"), 0);  // rows with the label a; some drew b
  EXPECT_EQ(labels[15], "b");
  EXPECT_EQ(Pixels(out, 15)[0], 150);
  const Processed files = Run(Pictures(), R"([{"step":"mixup_image","column":"image"}])");
  EXPECT_EQ(files.error, "");
  EXPECT_EQ(files.rows(), 4);
  EXPECT_EQ(PictureOf(files, 3).pixels, Picture(160).pixels);
}

TEST_F(MediaStepsTest, ChangesRecordings) {
  const Manifest table = Sounds();
  EXPECT_EQ(table.format, "audio");
  EXPECT_EQ(table.columns[0].type, ColumnType::kAudio);
  Processed out = Run(table, R"([{"step":"trim_audio"}])");
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(SoundOf(out, 0).samples.size(), 600U);
  out = Run(table, R"([{"step":"resample_audio","rate":2000}])");
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(SoundOf(out, 2).rate, 2000);
  EXPECT_EQ(SoundOf(out, 2).channels, 1);
  EXPECT_NEAR(static_cast<double>(SoundOf(out, 2).samples.size()), 1000, 4);
  out = Run(table, R"([{"step":"speed_audio","from":2,"to":2,"rows":"all"}])");
  ASSERT_EQ(out.error, "");
  EXPECT_NEAR(static_cast<double>(SoundOf(out, 2).samples.size()), 500, 4);
}

TEST_F(MediaStepsTest, ReadsRecordingsInArchives) {
  const std::string wav = *media::EncodeSound(Tone(10, 0));
  const auto pack = [&](const std::string& second) {
    return std::vector{blobs().Source(
        "a.tar", testing::Pack(testing::Kind::kTar, {{"train/a/1.wav", wav}, {"test/b/2.wav", second}}))};
  };
  const Manifest table = Import(pack(wav));
  EXPECT_EQ(table.format, "audio");
  EXPECT_EQ(table.split_rows[2], 1);
  const auto damaged = testing::RunImport(blobs(), pack(wav.substr(0, 44)), {}, AllFormats());
  EXPECT_EQ(damaged.reason, "invalid_audio");
  EXPECT_THAT(damaged.error, HasSubstr("a.tar: test/b/2.wav"));
}

double Power(const std::vector<float>& samples) {
  double sum = 0;
  for (const float sample : samples) {
    sum += static_cast<double>(sample) * sample;
  }
  return sum;
}

TEST_F(MediaStepsTest, AddsNoiseOfTheRightPowerAndMasks) {
  const Manifest table = Sounds();
  const std::string steps = R"([{"step":"noise_audio","from_db":10,"to_db":10,"copies":1}])";
  Processed out = Run(table, steps);
  ASSERT_EQ(out.error, "");
  EXPECT_EQ(out.rows(), 5);
  media::Sound noise = SoundOf(out, 1);
  const media::Sound clean = SoundOf(out, 0);
  for (size_t i = 0; i < noise.samples.size(); ++i) {
    noise.samples[i] -= clean.samples[i];
  }
  EXPECT_NEAR(10 * std::log10(Power(clean.samples) / Power(noise.samples)), 10, 0.5);
  out = Run(table, R"([{"step":"spec_augment","time_masks":1,"frequency_masks":0,"time_share":1}])");
  ASSERT_EQ(out.error, "");
  EXPECT_LT(Power(SoundOf(out, 0).samples), Power(clean.samples));
  EXPECT_EQ(SoundOf(out, 2).samples, clean.samples);
  out = Run(table, R"([{"step":"spec_augment","time_masks":0,"frequency_masks":16,"frequency_share":1}])");
  EXPECT_LT(Power(SoundOf(out, 0).samples), Power(clean.samples) * 0.9);
}

TEST_F(MediaStepsTest, RefusesWhatDoesNotFit) {
  const Manifest raw = Raw();
  EXPECT_EQ(Refused(raw, R"([{"step":"crop_image","width":5,"height":4}])"), "steps[0].width");
  EXPECT_EQ(Refused(raw, R"([{"step":"resize_image","width":5}])"), "steps[0].height");
  EXPECT_EQ(Refused(raw, R"([{"step":"resize_image","width":5000,"height":4}])"), "steps[0].width");
  EXPECT_EQ(Refused(raw, R"([{"step":"rotate_image","from":5,"to":4}])"), "steps[0].to");
  EXPECT_EQ(Refused(raw, R"([{"step":"trim_audio"}])"), "steps[0].columns");
  EXPECT_EQ(Refused(raw, R"([{"step":"set_target"},{"step":"mixup_image","column":"image"}])"), "steps[1].label");
  EXPECT_EQ(Refused(Sounds(), R"([{"step":"flip_image"}])"), "steps[0].columns");
  const Processed small = Run(Pictures(), R"([{"step":"crop_image","width":4,"height":9}])");
  EXPECT_THAT(Run(Raw(41, 40), R"([{"step":"mixup_image","column":"image"}])").error,
              HasSubstr("put the step 'shuffle' before"));
  EXPECT_THAT(small.error, HasSubstr("row 1: the picture has 4 x 4 pixels"));
  EXPECT_THAT(RunSteps(raw, R"([{"step":"flip_image"}])").error, HasSubstr("without the libraries"));
}

TEST_F(MediaStepsTest, KnowsWhichStepsNeedLibraries) {
  EXPECT_TRUE(steps::NeedsMedia(ParseJson(R"({"steps":[{"step":"lower"},{"step":"flip_image"}]})")->get_object()));
  EXPECT_FALSE(steps::NeedsMedia(ParseJson(R"({"steps":[{"step":"lower"},3,{"step":"?"}]})")->get_object()));
}

}  // namespace
}  // namespace atelier::data
