// Recordings: files decoded and written, and their samples changed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace atelier::media {

struct SoundLimits {
  uint64_t max_bytes = 64ULL << 20U;
  // Of all channels together. What EncodeSound makes of so many has 16 bits each and a header, and can be read again.
  uint64_t max_samples = (32ULL << 20U) - 1024;
};

struct Sound {
  int64_t rate = 0;            // frames per second
  int64_t channels = 0;        // 1 to 16
  std::vector<float> samples;  // [frames, channels], finite, full scale is 1
};

// WAV, AIFF, FLAC, Ogg (Vorbis, Opus) and MP3, by libsndfile. Errors: kInvalidArgument "unsupported_media_type",
// "invalid_audio" (damaged, no sample, a sample that is no number), "audio_too_large".
Result<Sound> DecodeSound(std::string_view bytes, const SoundLimits& limits = {});
// WAV with 16 bits a sample; louder ones than full scale are clipped.
Result<std::string> EncodeSound(const Sound& sound);

// Band-limited interpolation (libsamplerate) to about `ratio` times as many frames; `rate` stays. Errors:
// kInvalidArgument where the ratio is not from 1/256 to 256 or leaves no frame, or more than the limit's.
Status Stretch(Sound& sound, double ratio, const SoundLimits& limits = {});

// Takes bands of frequency out, [from, to) as shares of half the rate: a short-time Fourier transform with Hann windows
// of about 32 ms (a power of two) a quarter of which lies between two, those bins zero, and back by least squares (D.
// W. Griffin, J. S. Lim, "Signal Estimation from Modified Short-Time Fourier Transform", 1984). Plans are FFTW's, whose
// planner is not thread-safe and stands under a mutex here. Errors: kResourceExhausted.
Status SilenceBands(Sound& sound, std::span<const std::pair<double, double>> bands);

}  // namespace atelier::media
