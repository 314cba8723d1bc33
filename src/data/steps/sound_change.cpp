// resample_audio, trim_audio, noise_audio, speed_audio, spec_augment: recordings made alike, and changed for training.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "data/steps/kinds.h"
#include "data/steps/media_step.h"

namespace atelier::data::steps {
namespace {

double MeanSquare(std::span<const float> samples) {
  double sum = 0;
  for (const float sample : samples) {
    sum += static_cast<double>(sample) * sample;
  }
  return samples.empty() ? 0 : sum / static_cast<double>(samples.size());
}

Result<std::unique_ptr<Step>> MakeResample(const Arguments& arguments, Schema& schema) {
  const int64_t rate = arguments.Integer("rate");
  const bool mono = arguments.Bool("mono");
  return MakeMediaStep(schema, {.columns = arguments.Columns("columns"),
                                .growth = 4,
                                .sound = [rate, mono](Sound& sound, const MediaContext& context) -> Status {
                                  if (mono && sound.channels > 1) {
                                    Sound mixed{.rate = sound.rate, .channels = 1};
                                    for (int64_t frame = 0; frame < sound.frames(); ++frame) {
                                      const auto begin = sound.samples.begin() + frame * sound.channels;
                                      mixed.samples.push_back(std::accumulate(begin, begin + sound.channels, 0.0F) /
                                                              static_cast<float>(sound.channels));
                                    }
                                    sound = std::move(mixed);
                                  }
                                  if (rate != sound.rate) {
                                    ATELIER_TRY(context.tools.Stretch(
                                        sound, static_cast<double>(rate) / static_cast<double>(sound.rate)));
                                    sound.rate = rate;
                                  }
                                  return {};
                                }});
}

// Blocks at both ends whose power is more than `quiet_db` below that of the loudest block.
void TrimSilence(Sound& sound, double quiet_db, int64_t block) {
  const int64_t blocks = (sound.frames() + block - 1) / block;
  std::vector<double> power;
  for (int64_t i = 0; i < blocks; ++i) {
    const int64_t begin = i * block * sound.channels;
    const int64_t end = std::min((i + 1) * block, sound.frames()) * sound.channels;
    power.push_back(MeanSquare(std::span(sound.samples).subspan(begin, end - begin)));
  }
  const double least = std::ranges::max(power) * std::pow(10, -quiet_db / 10);
  const auto loud = [least](double value) { return value > least; };
  const auto first = std::ranges::find_if(power, loud);
  if (first == power.end()) {
    return;  // nothing but silence
  }
  const auto last = std::find_if(power.rbegin(), power.rend(), loud).base();
  const int64_t end = std::min((last - power.begin()) * block, sound.frames());
  sound.samples.resize(static_cast<size_t>(end * sound.channels));
  sound.samples.erase(sound.samples.begin(), sound.samples.begin() + (first - power.begin()) * block * sound.channels);
}

Result<std::unique_ptr<Step>> MakeTrim(const Arguments& arguments, Schema& schema) {
  const double quiet_db = arguments.Number("quiet_db");
  const double block_ms = arguments.Number("block_ms");
  return MakeMediaStep(
      schema, {.columns = arguments.Columns("columns"), .sound = [=](Sound& sound, const MediaContext& /*context*/) {
                 const auto block = static_cast<int64_t>(static_cast<double>(sound.rate) * block_ms / 1000);
                 TrimSilence(sound, quiet_db, std::max<int64_t>(block, 1));
                 return Status();
               }});
}

// White noise with the power that the ratio asks for; the normal numbers by G. E. P. Box and M. E. Muller (1958).
Result<std::unique_ptr<Step>> MakeNoise(const Arguments& arguments, Schema& schema) {
  const double low = arguments.Number("from_db");
  const double high = arguments.Number("to_db");
  if (low > high) {
    return arguments.Wrong("to_db", "'to_db' is below 'from_db'");
  }
  return MakeMediaStep(schema, {.columns = arguments.Columns("columns"),
                                .variants = VariantsOf(arguments),
                                .sound = [low, high](Sound& sound, const MediaContext& context) {
                                  const double ratio_db = Draw(context.rng, low, high);
                                  const double scale =
                                      std::sqrt(MeanSquare(sound.samples) * std::pow(10, -ratio_db / 10));
                                  for (float& sample : sound.samples) {
                                    const double radius = std::sqrt(-2 * std::log(1 - context.rng.Uniform()));
                                    const double angle = 2 * std::numbers::pi * context.rng.Uniform();
                                    sample += static_cast<float>(scale * radius * std::cos(angle));
                                  }
                                  return Status();
                                }});
}

Result<std::unique_ptr<Step>> MakeSpeed(const Arguments& arguments, Schema& schema) {
  const double low = arguments.Number("from");
  const double high = arguments.Number("to");
  if (low > high) {
    return arguments.Wrong("to", "'to' is below 'from'");
  }
  return MakeMediaStep(schema, {.columns = arguments.Columns("columns"),
                                .variants = VariantsOf(arguments),
                                .growth = 2,
                                .sound = [low, high](Sound& sound, const MediaContext& context) {
                                  return context.tools.Stretch(sound, 1 / Draw(context.rng, low, high));
                                }});
}

Band DrawBand(SeededRng& rng, double most) {
  const double width = rng.Uniform() * most;
  const double from = rng.Uniform() * (1 - width);
  return {from, from + width};
}

// D. S. Park et al., "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition", Interspeech
// 2019, without the time warping. A data set holds recordings and no spectrograms, so the masks are laid over the
// recording: a stretch of time is silent, and a band of frequencies is taken out of its short-time Fourier transform.
Result<std::unique_ptr<Step>> MakeSpecAugment(const Arguments& arguments, Schema& schema) {
  const int64_t time_masks = arguments.Integer("time_masks");
  const int64_t frequency_masks = arguments.Integer("frequency_masks");
  const double time_share = arguments.Number("time_share");
  const double frequency_share = arguments.Number("frequency_share");
  return MakeMediaStep(schema,
                       {.columns = arguments.Columns("columns"),
                        .variants = VariantsOf(arguments),
                        .sound = [=](Sound& sound, const MediaContext& context) -> Status {
                          std::vector<Band> bands;
                          for (int64_t i = 0; i < frequency_masks; ++i) {
                            bands.push_back(DrawBand(context.rng, frequency_share));
                          }
                          if (!bands.empty()) {
                            ATELIER_TRY(context.tools.Silence(sound, bands));
                          }
                          for (int64_t i = 0; i < time_masks; ++i) {
                            const auto [from, to] = DrawBand(context.rng, time_share);
                            const auto place = [&](double share) {
                              return static_cast<int64_t>(share * static_cast<double>(sound.frames())) * sound.channels;
                            };
                            std::fill(sound.samples.begin() + place(from), sound.samples.begin() + place(to), 0.0F);
                          }
                          return {};
                        }});
}

constexpr Parameter Whole(Parameter parameter) {
  parameter.type = ParameterType::kInteger;
  return parameter;
}

constexpr Parameter kResampleParameters[] = {
    kSoundColumns,
    Whole(NumberParameter("rate", "Samples per second", "16000", 1000, 192000)),
    {.name = "mono", .type = ParameterType::kBool, .help = "All channels as one, their mean", .fallback = "true"}};
constexpr Parameter kTrimParameters[] = {
    kSoundColumns, NumberParameter("quiet_db", "How far below the loudest block silence is", "40", 1, 120),
    NumberParameter("block_ms", "Length of the blocks that are looked at", "20", 1, 1000)};
constexpr Parameter kNoiseParameters[] = {
    kSoundColumns,
    NumberParameter("from_db", "Least ratio of signal to noise; each row's is drawn", "10", -20, 100),
    NumberParameter("to_db", "Largest ratio", "30", -20, 100),
    kProbabilityParameter,
    kCopiesParameter,
    kRowsParameter,
    kSeedParameter};
constexpr Parameter kSpeedParameters[] = {
    kSoundColumns,
    NumberParameter("from", "Least speed; each row's is drawn. The pitch changes, too", "0.9", 0.25, 4),
    NumberParameter("to", "Largest speed", "1.1", 0.25, 4),
    kProbabilityParameter,
    kCopiesParameter,
    kRowsParameter,
    kSeedParameter};
constexpr Parameter kSpecAugmentParameters[] = {
    kSoundColumns,
    Whole(NumberParameter("time_masks", "Stretches of silence", "2", 0, 16)),
    NumberParameter("time_share", "Most that one takes of the recording; each one's is drawn", "0.1", 0, 1),
    Whole(NumberParameter("frequency_masks", "Bands of frequencies that are taken out", "2", 0, 16)),
    NumberParameter("frequency_share", "Most that one takes of all frequencies", "0.15", 0, 1),
    kProbabilityParameter,
    kCopiesParameter,
    kRowsParameter,
    kSeedParameter};

}  // namespace

const StepKind kResampleAudioStep{"resample_audio", "Recordings at one rate", kResampleParameters, MakeResample, true};
const StepKind kTrimAudioStep{"trim_audio", "Silence at both ends taken away", kTrimParameters, MakeTrim, true};
const StepKind kNoiseAudioStep{"noise_audio", "White noise added", kNoiseParameters, MakeNoise, true};
const StepKind kSpeedAudioStep{"speed_audio", "Recordings played faster or slower", kSpeedParameters, MakeSpeed, true};
const StepKind kSpecAugmentStep{"spec_augment", "Stretches of time and bands of frequencies made silent",
                                kSpecAugmentParameters, MakeSpecAugment, true};

}  // namespace atelier::data::steps
