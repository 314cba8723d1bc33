// Changes of decoded pictures, and pictures as files.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "media/image.h"

namespace atelier::media {

// All leave the picture as it is where they fail. Errors: kInvalidArgument (a side that is not from 1 to 16384),
// kResourceExhausted.

// By the mean of areas where both sides shrink, else bilinear.
Status Resize(Image& image, int64_t height, int64_t width);
// Counter-clockwise around the middle, bilinear; the size stays, and what comes in from outside is black.
Status Rotate(Image& image, double degrees);

struct ColourFactors {
  double brightness = 1;  // times every value
  double contrast = 1;    // times the distance from the mean brightness of the picture
  double saturation = 1;  // times the distance of each value from the brightness of its pixel
  double hue = 0;         // added to the hue, as a share of the circle
};
// In this order, rounded and kept within 0 to 255 after each. The last two leave pictures of one channel alone.
// Brightness is that of ITU-R BT.601.
Status Recolour(Image& image, const ColourFactors& factors);

// PNG, or JPEG of quality 95. Errors: kInvalidArgument "image_too_large" where Probe would refuse so many bytes.
Result<std::string> Encode(const Image& image, bool jpeg);

}  // namespace atelier::media
