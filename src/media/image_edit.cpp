#include "media/image_edit.h"

#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace atelier::media {
namespace {

constexpr int64_t kMaxSide = 16384;

// The channels of a picture as they lie in memory; they borrow it.
std::vector<cv::Mat> PlanesOf(Image& image) {
  std::vector<cv::Mat> planes;
  const auto size = static_cast<size_t>(image.height * image.width);
  for (size_t channel = 0; channel < static_cast<size_t>(image.channels); ++channel) {
    planes.emplace_back(static_cast<int>(image.height), static_cast<int>(image.width), CV_8U,
                        image.pixels.data() + channel * size);
  }
  return planes;
}

Image Blank(int64_t channels, int64_t height, int64_t width) {
  Image image{.channels = channels, .height = height, .width = width, .pixels = {}};
  image.pixels.resize(static_cast<size_t>(channels * height * width));
  return image;
}

cv::Mat Interleaved(const Image& image) {
  Image& borrowed = const_cast<Image&>(image);  // read only
  cv::Mat picture;
  cv::merge(PlanesOf(borrowed), picture);
  return picture;
}

void Store(const cv::Mat& picture, Image& image) {
  std::vector<cv::Mat> planes = PlanesOf(image);
  cv::split(picture, planes);
}

template <class Body>
Status Guarded(const Body& body) {
  try {
    body();
    return {};
  } catch (const std::exception&) {  // what OpenCV throws on pictures that were checked is about memory
    return MakeError(Code::kResourceExhausted, "there is not enough memory for the picture");
  }
}

void ShiftHue(cv::Mat& picture, double share) {
  cv::Mat hsv;
  picture.convertTo(hsv, CV_32F, 1.0 / 255);
  cv::cvtColor(hsv, hsv, cv::COLOR_RGB2HSV);
  hsv.forEach<cv::Vec3f>([share](cv::Vec3f& pixel, const int* /*place*/) {
    pixel[0] = static_cast<float>(std::fmod(pixel[0] + share * 360 + 360, 360.0));
  });
  cv::cvtColor(hsv, hsv, cv::COLOR_HSV2RGB);
  hsv.convertTo(picture, CV_8U, 255);
}

}  // namespace

Status Resize(Image& image, int64_t height, int64_t width) {
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide) {
    return InvalidArgument("a picture can have sides from 1 to " + std::to_string(kMaxSide));
  }
  if (height == image.height && width == image.width) {
    return {};
  }
  return Guarded([&] {
    Image out = Blank(image.channels, height, width);
    const std::vector<cv::Mat> from = PlanesOf(image);
    std::vector<cv::Mat> to = PlanesOf(out);
    const bool shrinks = height <= image.height && width <= image.width;
    for (size_t i = 0; i < from.size(); ++i) {
      cv::resize(from[i], to[i], to[i].size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
    }
    image = std::move(out);
  });
}

Status Rotate(Image& image, double degrees) {
  return Guarded([&] {
    const cv::Point2f middle(static_cast<float>(image.width - 1) / 2, static_cast<float>(image.height - 1) / 2);
    const cv::Mat turn = cv::getRotationMatrix2D(middle, degrees, 1);
    Image out = Blank(image.channels, image.height, image.width);
    const std::vector<cv::Mat> from = PlanesOf(image);
    std::vector<cv::Mat> to = PlanesOf(out);
    for (size_t i = 0; i < from.size(); ++i) {
      cv::warpAffine(from[i], to[i], turn, to[i].size(), cv::INTER_LINEAR, cv::BORDER_CONSTANT);
    }
    image = std::move(out);
  });
}

Status Recolour(Image& image, const ColourFactors& factors) {
  return Guarded([&] {
    cv::Mat picture = Interleaved(image);
    const bool colours = image.channels == 3;
    const auto grey = [&] {
      cv::Mat out = picture;
      if (colours) {
        cv::cvtColor(picture, out, cv::COLOR_RGB2GRAY);
      }
      return out;
    };
    if (factors.brightness != 1) {
      picture.convertTo(picture, -1, factors.brightness);
    }
    if (factors.contrast != 1) {
      const double mean = std::round(cv::mean(grey())[0]);
      picture.convertTo(picture, -1, factors.contrast, mean * (1 - factors.contrast));
    }
    if (factors.saturation != 1 && colours) {
      cv::Mat pale;
      cv::cvtColor(grey(), pale, cv::COLOR_GRAY2RGB);
      cv::addWeighted(picture, factors.saturation, pale, 1 - factors.saturation, 0, picture);
    }
    if (factors.hue != 0 && colours) {
      ShiftHue(picture, factors.hue);
    }
    Store(picture, image);
  });
}

Result<std::string> Encode(const Image& image, bool jpeg) {
  std::vector<uint8_t> bytes;
  bool encoded = false;
  ATELIER_TRY(Guarded([&] {
    cv::Mat picture = Interleaved(image);
    if (image.channels == 3) {
      cv::cvtColor(picture, picture, cv::COLOR_RGB2BGR);
    }
    encoded = cv::imencode(jpeg ? ".jpg" : ".png", picture, bytes,
                           jpeg ? std::vector<int>{cv::IMWRITE_JPEG_QUALITY, 95} : std::vector<int>{});
  }));
  if (!encoded) {
    return Internal("a picture cannot be written");
  }
  if (bytes.size() > ImageLimits{}.max_bytes) {
    return InvalidArgument("the picture would have more bytes than can be read again", "", "image_too_large");
  }
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace atelier::media
