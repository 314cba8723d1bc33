// What steps over pictures and sounds need of OpenCV, libsndfile, libsamplerate and FFTW. The programs that run such
// steps link these (data/images/media_tools.h); who only checks a list of steps does not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace atelier::data::steps {

struct Picture {
  int64_t channels = 0, height = 0, width = 0;  // 1 or 3 (RGB) channels
  std::vector<uint8_t> pixels{};                // [channels, height, width]
};

struct Sound {
  int64_t rate = 0;  // frames per second
  int64_t channels = 0;
  std::vector<float> samples{};  // [frames, channels], full scale is 1

  int64_t frames() const { return channels == 0 ? 0 : static_cast<int64_t>(samples.size()) / channels; }
};

// What is to be done to the colours of a picture, in this order.
struct ColourChange {
  double brightness = 1, contrast = 1, saturation = 1;  // factors
  double hue = 0;                                       // a share of the circle of colours, from -0.5 to 0.5
};

// Bins of a short-time Fourier transform that are to be silent: [from, to) as shares of the axis, from 0 to 1.
using Band = std::pair<double, double>;

// Thread-safe: nothing is kept between calls, and FFTW's planner stands under a mutex.
class MediaTools {
 public:
  virtual ~MediaTools() = default;

  // Files of pictures and sounds are untrusted. Errors: kInvalidArgument "invalid_image", "invalid_audio" and the like.
  virtual Result<Picture> DecodePicture(std::string_view bytes) const = 0;  // RGB
  virtual Result<Sound> DecodeSound(std::string_view bytes) const = 0;
  // JPEG where `like`, the file that the picture came from, is one; else PNG.
  virtual Result<std::string> EncodePicture(const Picture& picture, std::string_view like) const = 0;
  virtual Result<std::string> EncodeSound(const Sound& sound) const = 0;  // WAV of 16 bits

  virtual Status Resize(Picture& picture, int64_t height, int64_t width) const = 0;
  virtual Status Rotate(Picture& picture, double degrees) const = 0;  // counter-clockwise, corners black
  virtual Status Recolour(Picture& picture, const ColourChange& change) const = 0;

  // Another number of frames for the same time. Leaves `rate` to the caller.
  virtual Status Stretch(Sound& sound, double ratio) const = 0;
  // Silences bands of frequency (shares of half the rate) at all times.
  virtual Status Silence(Sound& sound, const std::vector<Band>& bands) const = 0;
};

}  // namespace atelier::data::steps
