#include "media/sound.h"

#include <samplerate.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

namespace atelier::media {
namespace {

constexpr int64_t kMaxChannels = 16;
constexpr int64_t kMinRate = 100;
constexpr int64_t kMaxRate = 1'000'000;

Error Invalid(std::string message) { return InvalidArgument(std::move(message), "", "invalid_audio"); }
Error TooLarge() { return InvalidArgument("the recording is too long", "", "audio_too_large"); }

// A file in memory, for libsndfile. Reads `input`, writes `output`.
struct MemoryFile {
  std::string_view input;
  std::string output;
  sf_count_t position = 0;
  bool writes = false;

  sf_count_t size() const { return static_cast<sf_count_t>(writes ? output.size() : input.size()); }
};

MemoryFile& FileOf(void* data) { return *static_cast<MemoryFile*>(data); }

sf_count_t Length(void* data) { return FileOf(data).size(); }

sf_count_t Seek(sf_count_t offset, int whence, void* data) {
  MemoryFile& file = FileOf(data);
  const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.position : file.size();
  if (offset < -base || offset > file.size() - base) {
    return -1;
  }
  file.position = base + offset;
  return file.position;
}

sf_count_t Read(void* out, sf_count_t count, void* data) {
  MemoryFile& file = FileOf(data);
  count = std::clamp<sf_count_t>(count, 0, file.size() - file.position);
  std::memcpy(out, file.input.data() + file.position, static_cast<size_t>(count));
  file.position += count;
  return count;
}

sf_count_t Write(const void* from, sf_count_t count, void* data) {
  MemoryFile& file = FileOf(data);
  const auto end = static_cast<size_t>(file.position + count);
  if (file.output.size() < end) {
    file.output.resize(end);
  }
  std::memcpy(file.output.data() + file.position, from, static_cast<size_t>(count));
  file.position += count;
  return count;
}

sf_count_t Tell(void* data) { return FileOf(data).position; }

struct Close {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SoundFile = std::unique_ptr<SNDFILE, Close>;

SoundFile Open(MemoryFile& memory, SF_INFO& info) {
  SF_VIRTUAL_IO io{Length, Seek, Read, Write, Tell};
  return SoundFile(sf_open_virtual(&io, memory.writes ? SFM_WRITE : SFM_READ, &info, &memory));
}

bool Supported(int format) {
  constexpr int kTypes[] = {SF_FORMAT_WAV,  SF_FORMAT_WAVEX, SF_FORMAT_AIFF,
                            SF_FORMAT_FLAC, SF_FORMAT_OGG,   SF_FORMAT_MPEG};
  return std::ranges::find(kTypes, format & SF_FORMAT_TYPEMASK) != std::end(kTypes);
}

// libsndfile knows many more formats, whose parsers are not to see untrusted bytes.
bool BeginsLikeSound(std::string_view bytes) {
  const std::string_view type = bytes.substr(std::min<size_t>(bytes.size(), 8), 4);
  const bool wave = (bytes.starts_with("RIFF") || bytes.starts_with("RIFX")) && type == "WAVE";
  const bool aiff = bytes.starts_with("FORM") && (type == "AIFF" || type == "AIFC");
  const bool mpeg = bytes.size() > 1 && bytes[0] == '\xFF' && (static_cast<uint8_t>(bytes[1]) & 0xE0U) == 0xE0U;
  return wave || aiff || mpeg || bytes.starts_with("fLaC") || bytes.starts_with("OggS") || bytes.starts_with("ID3");
}

Error Unsupported() {
  return InvalidArgument("this is no recording that can be read (WAV, AIFF, FLAC, Ogg, MP3)", "",
                         "unsupported_media_type");
}

}  // namespace

Result<Sound> DecodeSound(std::string_view bytes, const SoundLimits& limits) {
  if (bytes.size() > limits.max_bytes) {
    return TooLarge();
  }
  if (!BeginsLikeSound(bytes)) {
    return Unsupported();
  }
  MemoryFile memory{.input = bytes, .output = {}};
  SF_INFO info{};
  const SoundFile file = Open(memory, info);
  if (file == nullptr || !Supported(info.format)) {
    return Unsupported();
  }
  if (info.channels < 1 || info.channels > kMaxChannels || info.samplerate < kMinRate || info.samplerate > kMaxRate) {
    return Invalid("the recording has an unlikely rate or number of channels");
  }
  Sound sound{.rate = info.samplerate, .channels = info.channels, .samples = {}};
  const auto channels = static_cast<size_t>(info.channels);
  constexpr sf_count_t kFrames = 16384;  // at a time: the header's count is not to be believed
  while (true) {
    const size_t before = sound.samples.size();
    sound.samples.resize(before + static_cast<size_t>(kFrames) * channels);
    const auto read = sf_readf_float(file.get(), sound.samples.data() + before, kFrames);
    sound.samples.resize(before + static_cast<size_t>(std::max<sf_count_t>(read, 0)) * channels);
    if (sound.samples.size() > limits.max_samples) {
      return TooLarge();
    }
    if (read < kFrames) {
      break;
    }
  }
  if (sf_error(file.get()) != SF_ERR_NO_ERROR || sound.samples.empty()) {
    return Invalid("the recording is damaged or empty");
  }
  if (std::ranges::any_of(sound.samples, [](float sample) { return !std::isfinite(sample); })) {
    return Invalid("the recording has samples that are no numbers");
  }
  return sound;
}

Result<std::string> EncodeSound(const Sound& sound) {
  MemoryFile memory{.input = {}, .output = {}, .position = 0, .writes = true};
  SF_INFO info{};
  info.samplerate = static_cast<int>(sound.rate);
  info.channels = static_cast<int>(sound.channels);
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  SoundFile file = Open(memory, info);
  if (file == nullptr) {
    return Internal("a recording cannot be written");
  }
  sf_command(file.get(), SFC_SET_CLIPPING, nullptr, SF_TRUE);
  const auto samples = static_cast<sf_count_t>(sound.samples.size());
  const bool whole = sf_write_float(file.get(), sound.samples.data(), samples) == samples;
  file.reset();
  return whole ? Result<std::string>(std::move(memory.output)) : Internal("a recording cannot be written");
}

Status Stretch(Sound& sound, double ratio, const SoundLimits& limits) {
  const auto channels = static_cast<size_t>(sound.channels);
  const size_t frames = sound.samples.size() / channels;
  const double wanted = std::ceil(static_cast<double>(frames) * ratio);
  if (ratio < 1.0 / 256 || ratio > 256 || wanted < 1 ||
      wanted * static_cast<double>(channels) > static_cast<double>(limits.max_samples)) {
    return InvalidArgument("the recording would have no samples, or too many, at this rate or speed");
  }
  std::vector<float> out(static_cast<size_t>(wanted) * channels);
  SRC_DATA data{};
  data.data_in = sound.samples.data();
  data.input_frames = static_cast<long>(frames);
  data.data_out = out.data();
  data.output_frames = static_cast<long>(wanted);
  data.src_ratio = ratio;
  if (const int error = src_simple(&data, SRC_SINC_MEDIUM_QUALITY, static_cast<int>(channels)); error != 0) {
    return Internal(std::string("a recording cannot be resampled: ") + src_strerror(error));
  }
  if (data.output_frames_gen < 1) {
    return InvalidArgument("the recording is too short for this rate or speed");
  }
  out.resize(static_cast<size_t>(data.output_frames_gen) * channels);
  sound.samples = std::move(out);
  return {};
}

}  // namespace atelier::media
