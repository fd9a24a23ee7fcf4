#ifndef PACKAGER_CONTRACT_MASK_HPP
#define PACKAGER_CONTRACT_MASK_HPP

#include <math.h>

#include "contract_mapping.hpp"
#include "contract_types.hpp"

namespace packager_contract {

/// The model's grid of classes, and the size of its input in pixels.
struct MaskGrid {
  const uint8_t* classes;
  int32_t grid_width;
  int32_t grid_height;
  int32_t width;
  int32_t height;
};

/// The cell of an original pixel along one axis, -1 outside of the model's input.
static inline int32_t mask_cell(int32_t pixel, double scale, double offset, int32_t side, int32_t count) {
  const double u = ((static_cast<double>(pixel) + 0.5) - offset) / scale;
  if (!(u >= 0.0 && u < static_cast<double>(side))) return -1;
  const int32_t cell = static_cast<int32_t>(floor(u * static_cast<double>(count) / static_cast<double>(side)));
  return cell < count ? cell : count - 1;
}

static inline Status place_mask(const MaskGrid& grid, ImageSize photo, Strings names, Ints geometry, Arena& arena,
                                Mask* out) {
  Mapping way{};
  const Status status = make_mapping(geometry, photo, &way);
  if (status != Status::kOk) return status;
  const size_t width = static_cast<size_t>(photo.width);
  uint8_t* classes = arena.take<uint8_t>(width * static_cast<size_t>(photo.height));
  int32_t* columns = arena.take<int32_t>(width);
  if (classes == nullptr || columns == nullptr) return Status::kWorkspaceTooSmall;
  const int32_t across = way.turned ? grid.grid_height : grid.grid_width;
  const int32_t down = way.turned ? grid.grid_width : grid.grid_height;
  const int32_t side_x = way.turned ? grid.height : grid.width;
  const int32_t side_y = way.turned ? grid.width : grid.height;
  for (int32_t x = 0; x < photo.width; ++x) columns[x] = mask_cell(x, way.scale_x, way.offset_x, side_x, across);
  for (int32_t y = 0; y < photo.height; ++y) {
    const int32_t row = mask_cell(y, way.scale_y, way.offset_y, side_y, down);
    uint8_t* target = classes + static_cast<size_t>(y) * width;
    for (int32_t x = 0; x < photo.width; ++x) {
      const int32_t column = columns[x];
      const bool inside = row >= 0 && column >= 0;
      const int32_t at = way.turned ? column * grid.grid_width + row : row * grid.grid_width + column;
      target[x] = inside ? grid.classes[at] : static_cast<uint8_t>(0);
    }
  }
  *out = Mask{photo.width, photo.height, classes, names};
  return Status::kOk;
}

/// Distance from one channel of a cell to the next, and from one cell to the next.
struct MaskSteps {
  size_t channel;
  size_t cell;
};

static inline MaskSteps mask_steps(size_t cells, size_t channels, bool planar) {
  return planar ? MaskSteps{cells, 1} : MaskSteps{1, channels};
}

static inline Status check_mask(Tensor<const float> in, size_t needed) {
  if (in.size != needed) return Status::kWrongSize;
  for (size_t i = 0; i < in.size; ++i)
    if (!isfinite(in.data[i])) return Status::kNotFinite;
  return Status::kOk;
}

/// Scores for each cell of a grid -> the best class (ties: the lower one) for each pixel of the original image.
static inline Status place_mask_best(Tensor<const float> in, ImageSize photo, Strings names, int32_t grid_width,
                                     int32_t grid_height, int32_t channels, bool planar, int32_t width, int32_t height,
                                     Ints geometry, Arena& arena, Mask* out) {
  const size_t cells = static_cast<size_t>(grid_width) * static_cast<size_t>(grid_height);
  const size_t count = static_cast<size_t>(channels);
  const Status status = check_mask(in, cells * count);
  if (status != Status::kOk) return status;
  uint8_t* classes = arena.take<uint8_t>(cells);
  if (classes == nullptr) return Status::kWorkspaceTooSmall;
  const MaskSteps step = mask_steps(cells, count, planar);
  for (size_t cell = 0; cell < cells; ++cell) {
    const float* scores = in.data + cell * step.cell;
    size_t best = 0;
    for (size_t i = 1; i < count; ++i)
      if (scores[i * step.channel] > scores[best * step.channel]) best = i;
    classes[cell] = static_cast<uint8_t>(best);
  }
  return place_mask(MaskGrid{classes, grid_width, grid_height, width, height}, photo, names, geometry, arena, out);
}

/// Scores for each cell of a grid -> class 1 where a channel is at least `threshold`, for each pixel of the original.
static inline Status place_mask_above(Tensor<const float> in, ImageSize photo, Strings names, int32_t grid_width,
                                      int32_t grid_height, int32_t channels, bool planar, int32_t channel,
                                      float threshold, int32_t width, int32_t height, Ints geometry, Arena& arena,
                                      Mask* out) {
  const size_t cells = static_cast<size_t>(grid_width) * static_cast<size_t>(grid_height);
  const size_t count = static_cast<size_t>(channels);
  const Status status = check_mask(in, cells * count);
  if (status != Status::kOk) return status;
  uint8_t* classes = arena.take<uint8_t>(cells);
  if (classes == nullptr) return Status::kWorkspaceTooSmall;
  const MaskSteps step = mask_steps(cells, count, planar);
  for (size_t cell = 0; cell < cells; ++cell) {
    const float score = in.data[cell * step.cell + static_cast<size_t>(channel) * step.channel];
    classes[cell] = score >= threshold ? static_cast<uint8_t>(1) : static_cast<uint8_t>(0);
  }
  return place_mask(MaskGrid{classes, grid_width, grid_height, width, height}, photo, names, geometry, arena, out);
}

}  // namespace packager_contract

#endif
