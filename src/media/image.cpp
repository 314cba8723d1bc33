#include "media/image.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "media/gif.h"

namespace atelier::media {
namespace {

constexpr int64_t kMaxSide = 16384;

Error Invalid(std::string message) { return InvalidArgument(std::move(message), "", "invalid_image"); }

// A JPEG that stops early still decodes, to grey; the end marker tells.
bool CutOff(std::string_view bytes, std::string_view format) {
  return format == "jpeg" && bytes.rfind(std::string_view("\xFF\xD9", 2)) == std::string_view::npos;
}

bool MayHaveAlpha(std::string_view bytes, std::string_view format) {
  if (format == "png") {
    const auto colour = static_cast<uint8_t>(bytes[25]);
    return colour == 4 || colour == 6 || bytes.find("tRNS") != std::string_view::npos;
  }
  return format == "webp";
}

// Blue, green, red as `cv::imdecode` gives them; alpha is laid over black. The orientation of EXIF is applied by OpenCV
// to pictures without alpha.
cv::Mat DecodeColour(std::string_view bytes, std::string_view format) {
  const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
  if (MayHaveAlpha(bytes, format)) {
    cv::Mat all = cv::imdecode(raw, cv::IMREAD_UNCHANGED);
    if (all.channels() == 4) {
      if (all.depth() == CV_16U) {
        all.convertTo(all, CV_8U, 1.0 / 257.0);
      }
      cv::Mat alpha;
      cv::extractChannel(all, alpha, 3);
      cv::cvtColor(alpha, alpha, cv::COLOR_GRAY2BGR);
      cv::cvtColor(all, all, cv::COLOR_BGRA2BGR);
      cv::multiply(all, alpha, all, 1.0 / 255.0);
      return all;
    }
  }
  return cv::imdecode(raw, cv::IMREAD_COLOR);
}

Result<cv::Mat> DecodeRgb(std::string_view bytes, const ImageInfo& info) {
  if (info.format == "gif") {
    ATELIER_ASSIGN(frame, DecodeGif(bytes));
    return cv::Mat(static_cast<int>(frame.height), static_cast<int>(frame.width), CV_8UC3, frame.rgb.data()).clone();
  }
  cv::Mat picture = DecodeColour(bytes, info.format);
  if (picture.empty() || picture.type() != CV_8UC3) {
    return Invalid("the picture cannot be decoded");
  }
  cv::cvtColor(picture, picture, cv::COLOR_BGR2RGB);
  return picture;
}

Image ToPlanes(const cv::Mat& picture) {
  Image image;
  image.channels = picture.channels();
  image.height = picture.rows;
  image.width = picture.cols;
  const auto plane = static_cast<size_t>(image.height * image.width);
  image.pixels.resize(plane * static_cast<size_t>(image.channels));
  std::vector<cv::Mat> planes;
  for (int64_t c = 0; c < image.channels; ++c) {
    planes.emplace_back(picture.rows, picture.cols, CV_8U, image.pixels.data() + static_cast<size_t>(c) * plane);
  }
  cv::split(picture, planes);
  return image;
}

Result<Image> DecodeChecked(std::string_view bytes, int64_t channels, cv::Size size, const ImageInfo& info) {
  ATELIER_ASSIGN(picture, DecodeRgb(bytes, info));
  if (channels == 1) {
    cv::cvtColor(picture, picture, cv::COLOR_RGB2GRAY);
  }
  if (size.area() > 0 && size != picture.size()) {
    const bool shrinks = size.width <= picture.cols && size.height <= picture.rows;
    cv::Mat resized;
    cv::resize(picture, resized, size, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
    picture = resized;
  }
  return ToPlanes(picture);
}

}  // namespace

Result<Image> Decode(std::string_view bytes, int64_t channels, int64_t height, int64_t width,
                     const ImageLimits& limits) {
  if ((channels != 1 && channels != 3) || height < 0 || width < 0 || height > kMaxSide || width > kMaxSide) {
    return InvalidArgument("a picture can be asked for with 1 or 3 channels and sides up to " +
                           std::to_string(kMaxSide));
  }
  ATELIER_ASSIGN(info, Probe(bytes, limits));
  if (CutOff(bytes, info.format)) {
    return Invalid("the picture is cut off");
  }
  try {
    return DecodeChecked(bytes, channels, cv::Size(static_cast<int>(width), static_cast<int>(height)), info);
  } catch (const std::bad_alloc&) {
    return MakeError(Code::kResourceExhausted, "there is not enough memory to decode the picture");
  } catch (const std::exception&) {  // OpenCV's text names its own source files: nothing for a client
    return Invalid("the picture cannot be decoded");
  }
}

}  // namespace atelier::media
