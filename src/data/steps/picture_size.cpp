// resize_image, crop_image: pictures of one size.
#include <algorithm>

#include "data/steps/kinds.h"
#include "data/steps/media_step.h"

namespace atelier::data::steps {
namespace {

constexpr int64_t kMaxSide = 4096;

// The part of a picture from (top, left) on; what lies outside is black.
Picture Part(const Picture& picture, int64_t top, int64_t left, int64_t height, int64_t width) {
  Picture out{.channels = picture.channels, .height = height, .width = width};
  out.pixels.resize(static_cast<size_t>(out.channels * height * width));
  const int64_t from = std::max<int64_t>(left, 0);
  const int64_t to = std::min(left + width, picture.width);
  for (int64_t channel = 0; channel < out.channels; ++channel) {
    for (int64_t y = std::max<int64_t>(-top, 0); y < std::min(height, picture.height - top); ++y) {
      const auto source = picture.pixels.begin() + (channel * picture.height + top + y) * picture.width;
      if (from < to) {
        std::copy(source + from, source + to, out.pixels.begin() + (channel * height + y) * width + from - left);
      }
    }
  }
  return out;
}

// The columns that have raw pixels get their new shape; a step that gives one changes the layout.
unsigned Reshape(const std::vector<size_t>& columns, int64_t height, int64_t width, Schema& schema) {
  unsigned effects = 0;
  for (const size_t index : columns) {
    if (auto& shape = schema.columns[index].shape; !shape.empty()) {
      shape = {shape[0], height, width};
      effects = kChangesLayout;
    }
  }
  return effects;
}

size_t Growth(int64_t height, int64_t width) { return static_cast<size_t>(height * width * 3 / 2048) + 1; }

Result<std::unique_ptr<Step>> MakeResize(const Arguments& arguments, Schema& schema) {
  const int64_t height = arguments.Integer("height");
  const int64_t width = arguments.Integer("width");
  const bool cover = arguments.Text("fit") == "cover";
  const Schema before = schema;
  MediaStepOptions options{.columns = arguments.Columns("columns"), .growth = Growth(height, width)};
  options.effects = Reshape(options.columns, height, width, schema);
  options.picture = [=](Picture& picture, const MediaContext& context) -> Status {
    if (!cover) {
      return context.tools.Resize(picture, height, width);
    }
    // The largest part of the wanted proportions, around the centre.
    const int64_t part_width = std::max<int64_t>(std::min(picture.width, picture.height * width / height), 1);
    const int64_t part_height = std::max<int64_t>(std::min(picture.height, picture.width * height / width), 1);
    picture =
        Part(picture, (picture.height - part_height) / 2, (picture.width - part_width) / 2, part_height, part_width);
    return context.tools.Resize(picture, height, width);
  };
  return MakeMediaStep(before, std::move(options));
}

Result<std::unique_ptr<Step>> MakeCrop(const Arguments& arguments, Schema& schema) {
  const int64_t height = arguments.Integer("height");
  const int64_t width = arguments.Integer("width");
  const int64_t padding = arguments.Integer("padding");
  const bool random = arguments.Text("place") == "random";
  const Schema before = schema;
  MediaStepOptions options{.columns = arguments.Columns("columns"), .growth = Growth(height, width)};
  for (const size_t index : options.columns) {
    const auto& shape = schema.columns[index].shape;
    if (!shape.empty() && (shape[1] + 2 * padding < height || shape[2] + 2 * padding < width)) {
      return arguments.Wrong("width", "the pictures of column '" + schema.columns[index].name + "' have only " +
                                          std::to_string(shape[2]) + " x " + std::to_string(shape[1]) + " pixels");
    }
  }
  options.variants.seed = arguments.seed();
  options.effects = Reshape(options.columns, height, width, schema) | (random ? kReadsSplit : 0);
  options.picture = [=](Picture& picture, const MediaContext& context) -> Status {
    const int64_t down = picture.height + 2 * padding - height;
    const int64_t right = picture.width + 2 * padding - width;
    if (down < 0 || right < 0) {
      return InvalidArgument("the picture has " + std::to_string(picture.width) + " x " +
                             std::to_string(picture.height) + " pixels, less than is to be cut out of it");
    }
    const bool drawn = random && context.train;
    const int64_t top = drawn ? DrawIndex(context.rng, down) : down / 2;
    const int64_t left = drawn ? DrawIndex(context.rng, right) : right / 2;
    picture = Part(picture, top - padding, left - padding, height, width);
    return {};
  };
  return MakeMediaStep(before, std::move(options));
}

constexpr Parameter Side(std::string_view name) {
  return {.name = name,
          .type = ParameterType::kInteger,
          .help = "In pixels",
          .fallback = "",
          .minimum = 1,
          .maximum = kMaxSide};
}
constexpr Parameter kResizeParameters[] = {
    kPictureColumns,
    Side("width"),
    Side("height"),
    {.name = "fit",
     .type = ParameterType::kChoice,
     .help = "stretch: the whole picture; cover: its middle part of the new proportions",
     .fallback = "\"stretch\"",
     .choices = "stretch|cover"}};
constexpr Parameter kCropParameters[] = {
    kPictureColumns,
    Side("width"),
    Side("height"),
    {.name = "place",
     .type = ParameterType::kChoice,
     .help = "centre, or random: anywhere in rows of the training split, the centre in the others",
     .fallback = "\"centre\"",
     .choices = "centre|random"},
    {.name = "padding",
     .type = ParameterType::kInteger,
     .help = "Black pixels that are first put on each side",
     .fallback = "0",
     .minimum = 0,
     .maximum = kMaxSide},
    kSeedParameter};

}  // namespace

const StepKind kResizeImageStep{"resize_image", "Pictures of one size", kResizeParameters, MakeResize, true};
const StepKind kCropImageStep{"crop_image", "A part of each picture", kCropParameters, MakeCrop, true};

}  // namespace atelier::data::steps
