// flip_image, rotate_image, colour_image, cut_out_image: pictures changed at random, for training.
#include <algorithm>

#include "data/steps/kinds.h"
#include "data/steps/media_step.h"

namespace atelier::data::steps {
namespace {

std::unique_ptr<Step> MakeChange(const Arguments& arguments, const Schema& schema, PictureChange change) {
  return MakeMediaStep(schema, {.columns = arguments.Columns("columns"),
                                .variants = VariantsOf(arguments),
                                .growth = 1,
                                .picture = std::move(change)});
}

Result<std::unique_ptr<Step>> MakeFlip(const Arguments& arguments, Schema& schema) {
  const bool sideways = arguments.Text("direction") == "horizontal";
  return MakeChange(arguments, schema, [sideways](Picture& picture, const MediaContext& /*context*/) {
    const auto row = [&](int64_t index) { return picture.pixels.begin() + index * picture.width; };
    for (int64_t channel = 0; channel < picture.channels; ++channel) {
      const int64_t first = channel * picture.height;
      for (int64_t y = 0; y < (sideways ? picture.height : picture.height / 2); ++y) {
        if (sideways) {
          std::reverse(row(first + y), row(first + y + 1));
        } else {
          std::swap_ranges(row(first + y), row(first + y + 1), row(first + picture.height - 1 - y));
        }
      }
    }
    return Status();
  });
}

Result<std::unique_ptr<Step>> MakeRotate(const Arguments& arguments, Schema& schema) {
  const double low = arguments.Number("from");
  const double high = arguments.Number("to");
  if (low > high) {
    return arguments.Wrong("to", "'to' is below 'from'");
  }
  return MakeChange(arguments, schema, [low, high](Picture& picture, const MediaContext& context) {
    return context.tools.Rotate(picture, Draw(context.rng, low, high));
  });
}

Result<std::unique_ptr<Step>> MakeColour(const Arguments& arguments, Schema& schema) {
  const double brightness = arguments.Number("brightness");
  const double contrast = arguments.Number("contrast");
  const double saturation = arguments.Number("saturation");
  const double hue = arguments.Number("hue");
  return MakeChange(arguments, schema, [=](Picture& picture, const MediaContext& context) {
    ColourChange change;
    change.brightness = Draw(context.rng, 1 - brightness, 1 + brightness);
    change.contrast = Draw(context.rng, 1 - contrast, 1 + contrast);
    change.saturation = Draw(context.rng, 1 - saturation, 1 + saturation);
    change.hue = Draw(context.rng, -hue, hue);
    return context.tools.Recolour(picture, change);
  });
}

// T. DeVries, G. W. Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout" (2017): the square
// may reach over the border. It is grey here, as the pixels are not centred yet.
Result<std::unique_ptr<Step>> MakeCutOut(const Arguments& arguments, Schema& schema) {
  const double share = arguments.Number("size");
  const int64_t holes = arguments.Integer("holes");
  return MakeChange(arguments, schema, [share, holes](Picture& picture, const MediaContext& context) {
    constexpr uint8_t kGrey = 128;
    const auto side = std::max<int64_t>(
        static_cast<int64_t>(share * static_cast<double>(std::min(picture.width, picture.height))), 1);
    for (int64_t hole = 0; hole < holes; ++hole) {
      const int64_t top = DrawIndex(context.rng, picture.height - 1) - side / 2;
      const int64_t left = DrawIndex(context.rng, picture.width - 1) - side / 2;
      const int64_t from = std::max<int64_t>(left, 0);
      const int64_t to = std::min(left + side, picture.width);
      for (int64_t channel = 0; channel < picture.channels; ++channel) {
        for (int64_t y = std::max<int64_t>(top, 0); y < std::min(top + side, picture.height); ++y) {
          const auto row = picture.pixels.begin() + (channel * picture.height + y) * picture.width;
          std::fill(row + from, row + to, kGrey);
        }
      }
    }
    return Status();
  });
}

constexpr Parameter kFlipParameters[] = {kPictureColumns,
                                         {.name = "direction",
                                          .type = ParameterType::kChoice,
                                          .help = "horizontal: left and right change places; vertical: top and bottom",
                                          .fallback = "\"horizontal\"",
                                          .choices = "horizontal|vertical"},
                                         NumberParameter("probability", "With which a row is changed", "0.5", 0, 1),
                                         kCopiesParameter,
                                         kRowsParameter,
                                         kSeedParameter};
constexpr Parameter kRotateParameters[] = {
    kPictureColumns,
    NumberParameter("from", "Least angle in degrees, counter-clockwise", "-15", -360, 360),
    NumberParameter("to", "Largest angle", "15", -360, 360),
    kProbabilityParameter,
    kCopiesParameter,
    kRowsParameter,
    kSeedParameter};
constexpr Parameter kColourParameters[] = {
    kPictureColumns,
    NumberParameter("brightness", "The factor is drawn from 1 - this to 1 + this", "0.2", 0, 1),
    NumberParameter("contrast", "The same", "0.2", 0, 1),
    NumberParameter("saturation", "The same", "0.2", 0, 1),
    NumberParameter("hue", "The shift is drawn from -this to this, as a share of the circle of colours", "0", 0, 0.5),
    kProbabilityParameter,
    kCopiesParameter,
    kRowsParameter,
    kSeedParameter};
constexpr Parameter kCutOutParameters[] = {kPictureColumns,
                                           NumberParameter("size",
                                                           "Side of the grey square, as a share of the shorter side of "
                                                           "the picture",
                                                           "0.25", 0, 1),
                                           {.name = "holes",
                                            .type = ParameterType::kInteger,
                                            .help = "Squares in a picture",
                                            .fallback = "1",
                                            .minimum = 1,
                                            .maximum = 16},
                                           kProbabilityParameter,
                                           kCopiesParameter,
                                           kRowsParameter,
                                           kSeedParameter};

}  // namespace

const StepKind kFlipImageStep{"flip_image", "Pictures mirrored", kFlipParameters, MakeFlip, true};
const StepKind kRotateImageStep{"rotate_image", "Pictures turned by an angle", kRotateParameters, MakeRotate, true};
const StepKind kColourImageStep{"colour_image", "Other brightness, contrast, saturation and hue", kColourParameters,
                                MakeColour, true};
const StepKind kCutOutImageStep{"cut_out_image", "A grey square in each picture", kCutOutParameters, MakeCutOut, true};

}  // namespace atelier::data::steps
