#include <fftw3.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <numbers>

#include "media/sound.h"

namespace atelier::media {
namespace {

// FFTW has one planner for the whole program, which only executing a plan leaves alone.
std::mutex& PlannerMutex() {
  static std::mutex mutex;
  return mutex;
}

struct Free {
  void operator()(void* memory) const { fftwf_free(memory); }
};
struct Destroy {
  void operator()(fftwf_plan plan) const {
    const std::lock_guard lock(PlannerMutex());
    fftwf_destroy_plan(plan);
  }
};
using Plan = std::unique_ptr<std::remove_pointer_t<fftwf_plan>, Destroy>;

// A transform of `size` samples and back, in place of what was there.
class Transform {
 public:
  explicit Transform(size_t size)
      : size_(size), samples_(fftwf_alloc_real(size)), bins_(fftwf_alloc_complex(size / 2 + 1)) {
    if (samples_ != nullptr && bins_ != nullptr) {
      const int n = static_cast<int>(size);
      const std::lock_guard lock(PlannerMutex());
      forward_.reset(fftwf_plan_dft_r2c_1d(n, samples_.get(), bins_.get(), FFTW_ESTIMATE));
      backward_.reset(fftwf_plan_dft_c2r_1d(n, bins_.get(), samples_.get(), FFTW_ESTIMATE));
    }
  }
  bool ok() const { return forward_ != nullptr && backward_ != nullptr; }
  float* samples() { return samples_.get(); }

  void Silence(std::span<const std::pair<double, double>> bands) {
    fftwf_execute(forward_.get());
    const auto half = static_cast<double>(size_ / 2);
    for (const auto& [from, to] : bands) {
      const auto end = std::min(static_cast<size_t>(std::ceil(to * half)), size_ / 2 + 1);
      for (auto bin = static_cast<size_t>(std::ceil(from * half)); bin < end; ++bin) {
        bins_.get()[bin][0] = 0;
        bins_.get()[bin][1] = 0;
      }
    }
    fftwf_execute(backward_.get());
  }

 private:
  size_t size_;
  std::unique_ptr<float, Free> samples_;
  std::unique_ptr<fftwf_complex, Free> bins_;
  Plan forward_, backward_;
};

size_t WindowSize(int64_t rate) {
  const auto samples = static_cast<size_t>(static_cast<double>(rate) * 0.032);
  return std::bit_ceil(std::max<size_t>(samples, 32));
}

}  // namespace

Status SilenceBands(Sound& sound, std::span<const std::pair<double, double>> bands) {
  const size_t size = WindowSize(sound.rate);
  const size_t hop = size / 4;
  const auto channels = static_cast<size_t>(sound.channels);
  const size_t frames = sound.samples.size() / channels;
  Transform transform(size);
  if (!transform.ok()) {
    return MakeError(Code::kResourceExhausted, "there is not enough memory for the recording");
  }
  std::vector<float> window(size);
  for (size_t i = 0; i < size; ++i) {
    window[i] = static_cast<float>(
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(size)));
  }
  // The windows begin `size` before the first sample, so that each sample lies in as many.
  const size_t padded = (frames + 2 * size + hop - 1) / hop * hop;
  std::vector<float> sum(padded), weight(padded);
  for (size_t channel = 0; channel < channels; ++channel) {
    std::ranges::fill(sum, 0.0F);
    std::ranges::fill(weight, 0.0F);
    for (size_t begin = 0; begin + size <= padded; begin += hop) {
      for (size_t i = 0; i < size; ++i) {
        const size_t at = begin + i - size;  // wraps where it is before the first
        transform.samples()[i] = at < frames ? sound.samples[at * channels + channel] * window[i] : 0.0F;
      }
      transform.Silence(bands);
      for (size_t i = 0; i < size; ++i) {
        sum[begin + i] += transform.samples()[i] * window[i] / static_cast<float>(size);
        weight[begin + i] += window[i] * window[i];
      }
    }
    for (size_t frame = 0; frame < frames; ++frame) {
      sound.samples[frame * channels + channel] = sum[frame + size] / weight[frame + size];
    }
  }
  return {};
}

}  // namespace atelier::media
