#include "data/images/media_tools.h"

#include "media/image_edit.h"
#include "media/sound.h"

namespace atelier::data {
namespace {

using steps::Picture;
using steps::Sound;

// Lends the pixels, or samples, of one form to what works on the other.
template <class Change>
Status On(Picture& picture, const Change& change) {
  media::Image image{picture.channels, picture.height, picture.width, std::move(picture.pixels)};
  Status status = change(image);
  picture = {image.channels, image.height, image.width, std::move(image.pixels)};
  return status;
}

template <class Change>
Status On(Sound& sound, const Change& change) {
  media::Sound recording{sound.rate, sound.channels, std::move(sound.samples)};
  Status status = change(recording);
  sound = {recording.rate, recording.channels, std::move(recording.samples)};
  return status;
}

class Tools final : public steps::MediaTools {
 public:
  Result<Picture> DecodePicture(std::string_view bytes) const override {
    ATELIER_ASSIGN(image, media::Decode(bytes, 3));
    return Picture{image.channels, image.height, image.width, std::move(image.pixels)};
  }
  Result<Sound> DecodeSound(std::string_view bytes) const override {
    ATELIER_ASSIGN(sound, media::DecodeSound(bytes));
    return Sound{sound.rate, sound.channels, std::move(sound.samples)};
  }
  Result<std::string> EncodePicture(const Picture& picture, std::string_view like) const override {
    const auto info = media::Probe(like);
    return media::Encode({picture.channels, picture.height, picture.width, picture.pixels},
                         info.ok() && info->format == "jpeg");
  }
  Result<std::string> EncodeSound(const Sound& sound) const override {
    return media::EncodeSound({sound.rate, sound.channels, sound.samples});
  }

  Status Resize(Picture& picture, int64_t height, int64_t width) const override {
    return On(picture, [=](media::Image& image) { return media::Resize(image, height, width); });
  }
  Status Rotate(Picture& picture, double degrees) const override {
    return On(picture, [=](media::Image& image) { return media::Rotate(image, degrees); });
  }
  Status Recolour(Picture& picture, const steps::ColourChange& change) const override {
    return On(picture, [&](media::Image& image) {
      return media::Recolour(image, {change.brightness, change.contrast, change.saturation, change.hue});
    });
  }
  Status Stretch(Sound& sound, double ratio) const override {
    return On(sound, [=](media::Sound& recording) { return media::Stretch(recording, ratio); });
  }
  Status Silence(Sound& sound, const std::vector<steps::Band>& bands) const override {
    return On(sound, [&](media::Sound& recording) { return media::SilenceBands(recording, bands); });
  }
};

}  // namespace

const steps::MediaTools& AllMediaTools() {
  static const Tools kTools;
  return kTools;
}

}  // namespace atelier::data
