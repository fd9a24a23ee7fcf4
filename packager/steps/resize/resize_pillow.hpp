#ifndef PACKAGER_CONTRACT_RESIZE_PILLOW_HPP
#define PACKAGER_CONTRACT_RESIZE_PILLOW_HPP

#include <math.h>
#include <string.h>

#include "contract_types.hpp"
#include "resize_fit.hpp"

// Pillow 13.0.0's resampling of 8-bit images, to the bit. The reference and its formulas are in the Python package
// (steps/resize). Rows are resampled as they are needed and kept in a ring, so the first pass is never stored whole.

namespace packager_contract {

enum class Filter : int32_t { kNearest, kBox, kBilinear, kBicubic, kLanczos };

constexpr int32_t kWeightBits = 32 - 8 - 2;

/// Source indices of one output index, `count` from `start`.
struct Window {
  int32_t start;
  int32_t count;
};

/// One axis of a resampling.
struct Axis {
  int32_t size;
  int32_t out;
  Filter filter;
  double scale;
  double filter_scale;
  double support;
  int32_t taps;  ///< most indices in a window
};

static inline double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= 3.14159265358979323846;
  return sin(x) / x;
}

/// The filter's value at x.
static inline double filter_value(Filter filter, double x) {
  if (filter == Filter::kBox) return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
  if (filter == Filter::kLanczos) return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
  x = fabs(x);
  if (filter == Filter::kBilinear) return x < 1.0 ? 1.0 - x : 0.0;
  if (x < 1.0) return (1.5 * x - 2.5) * x * x + 1.0;
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5 : 0.0;
}

static inline Axis make_axis(int32_t size, int32_t out, Filter filter) {
  Axis axis{size, out, filter, static_cast<double>(size) / out, 1.0, 0.5, 0};
  axis.filter_scale = axis.scale < 1.0 ? 1.0 : axis.scale;
  if (filter == Filter::kBilinear) axis.support = 1.0;
  if (filter == Filter::kBicubic) axis.support = 2.0;
  if (filter == Filter::kLanczos) axis.support = 3.0;
  axis.support *= axis.filter_scale;
  axis.taps = static_cast<int32_t>(ceil(axis.support)) * 2 + 1;
  return axis;
}

/// Source indices that one output index reads.
static inline Window make_window(const Axis& axis, int32_t index) {
  const double centre = (index + 0.5) * axis.scale;
  int32_t start = static_cast<int32_t>(centre - axis.support + 0.5);
  int32_t end = static_cast<int32_t>(centre + axis.support + 0.5);
  if (start < 0) start = 0;
  if (end > axis.size) end = axis.size;
  return Window{start, end - start};
}

/// Weights of one output index, that sum to 1. `weights` holds `axis.taps` values.
static inline void make_weights(const Axis& axis, int32_t index, const Window& window, double* weights) {
  const double centre = (index + 0.5) * axis.scale;
  const double step = 1.0 / axis.filter_scale;
  double total = 0.0;
  for (int32_t k = 0; k < window.count; ++k) {
    weights[k] = filter_value(axis.filter, (k + window.start - centre + 0.5) * step);
    total += weights[k];
  }
  if (total == 0.0) return;
  for (int32_t k = 0; k < window.count; ++k) weights[k] /= total;
}

/// A weight with 22 fractional bits.
static inline int32_t fixed_weight(double weight) {
  const double scaled = weight * (1 << kWeightBits);
  return static_cast<int32_t>(weight < 0.0 ? scaled - 0.5 : scaled + 0.5);
}

static inline uint8_t clip_pixel(int32_t sum) {
  const int32_t value = (sum + (1 << (kWeightBits - 1))) >> kWeightBits;
  return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

// Where a product of 64 bits is as cheap as one of 32, two windows share it: with weights that are never negative and
// windows of which at most two overlap (bilinear reduction), one word holds both weights of a source index: in the high
// half that of the last window that holds it, in the low half that of the window before.
#if UINTPTR_MAX > 0xffffffffU && !defined(__aarch64__)
constexpr bool kWideProducts = true;
#else
constexpr bool kWideProducts = false;
#endif

/// The horizontal pass, with windows and weights made once for all rows.
struct Columns {
  Axis axis;
  Window* windows;
  int32_t* weights;  ///< `axis.taps` for each output index; unused where there are words
  uint64_t* words;   ///< two weights for each source index, or nullptr
};

static inline bool windows_can_share(const Columns& columns) {
  const Axis& axis = columns.axis;
  if (!kWideProducts || axis.filter != Filter::kBilinear || axis.scale < 1.0) return false;
  for (int32_t i = 1; i + 1 < axis.out; ++i) {
    const Window& before = columns.windows[i - 1];
    if (before.start + before.count > columns.windows[i + 1].start) return false;
  }
  return true;
}

/// Takes 8 * out and 4 * out * taps bytes from the arena; `scratch` holds `axis.taps` values.
static inline Status make_columns(const Axis& axis, double* scratch, Arena& arena, Columns* columns) {
  const size_t out = static_cast<size_t>(axis.out);
  const size_t taps = static_cast<size_t>(axis.taps);
  *columns = Columns{axis, arena.take<Window>(out), arena.take<int32_t>(out * taps), nullptr};
  if (columns->windows == nullptr || columns->weights == nullptr) return Status::kWorkspaceTooSmall;
  for (int32_t i = 0; i < axis.out; ++i) columns->windows[i] = make_window(axis, i);
  if (windows_can_share(*columns)) {
    // 8 * size bytes fit into the weights' memory, because taps >= 2 * scale + 1.
    columns->words = reinterpret_cast<uint64_t*>(columns->weights);
    memset(columns->words, 0, out * taps * sizeof(int32_t));
  }
  for (int32_t i = 0; i < axis.out; ++i) {
    const Window& window = columns->windows[i];
    const int32_t own_end = i + 1 < axis.out ? columns->windows[i + 1].start : axis.size;
    make_weights(axis, i, window, scratch);
    for (int32_t k = 0; k < window.count; ++k) {
      const int32_t weight = fixed_weight(scratch[k]);
      const int32_t from = window.start + k;
      if (columns->words == nullptr) {
        columns->weights[static_cast<size_t>(i) * taps + static_cast<size_t>(k)] = weight;
      } else {
        columns->words[from] |= static_cast<uint64_t>(weight) << (from < own_end ? 32 : 0);
      }
    }
  }
  return Status::kOk;
}

/// One row with a weight for each window and index.
static inline void resample_row_grey(const Columns& columns, const uint8_t* row, uint8_t* out) {
  const int32_t* weights = columns.weights;
  for (int32_t i = 0; i < columns.axis.out; ++i, weights += columns.axis.taps) {
    const Window window = columns.windows[i];
    const uint8_t* pixel = row + window.start;
    int32_t sum = 0;
    for (int32_t k = 0; k < window.count; ++k) sum += pixel[k] * weights[k];
    *out++ = clip_pixel(sum);
  }
}

/// One row with words: every pixel is read once, for both windows that hold it.
static inline void resample_row_grey_shared(const Columns& columns, const uint8_t* row, uint8_t* out) {
  const Window* windows = columns.windows;
  const int32_t last = columns.axis.out - 1;
  uint64_t sum = 0;
  for (int32_t i = 0; i <= last; ++i) {
    const int32_t end = i < last ? windows[i + 1].start : windows[i].start + windows[i].count;
    for (int32_t x = windows[i].start; x < end; ++x) sum += row[x] * columns.words[x];
    if (i > 0) *out++ = clip_pixel(static_cast<int32_t>(static_cast<uint32_t>(sum)));
    sum >>= 32;
  }
  *out = clip_pixel(static_cast<int32_t>(sum));
}

/// `resample_row_grey` for three channels.
static inline void resample_row_rgb(const Columns& columns, const uint8_t* row, uint8_t* out) {
  const int32_t* weights = columns.weights;
  for (int32_t i = 0; i < columns.axis.out; ++i, weights += columns.axis.taps, out += 3) {
    const Window window = columns.windows[i];
    const uint8_t* pixel = row + static_cast<size_t>(window.start) * 3;
    int32_t red = 0;
    int32_t green = 0;
    int32_t blue = 0;
    for (int32_t k = 0; k < window.count; ++k, pixel += 3) {
      red += pixel[0] * weights[k];
      green += pixel[1] * weights[k];
      blue += pixel[2] * weights[k];
    }
    out[0] = clip_pixel(red);
    out[1] = clip_pixel(green);
    out[2] = clip_pixel(blue);
  }
}

/// `resample_row_grey_shared` for three channels.
static inline void resample_row_rgb_shared(const Columns& columns, const uint8_t* row, uint8_t* out) {
  const Window* windows = columns.windows;
  const uint64_t* words = columns.words;
  const int32_t last = columns.axis.out - 1;
  uint64_t red = 0;
  uint64_t green = 0;
  uint64_t blue = 0;
  const uint8_t* pixel = row + static_cast<size_t>(windows[0].start) * 3;
  for (int32_t i = 0; i <= last; ++i) {
    const int32_t end = i < last ? windows[i + 1].start : windows[i].start + windows[i].count;
    for (int32_t x = windows[i].start; x < end; ++x, pixel += 3) {
      const uint64_t word = words[x];
      red += pixel[0] * word;
      green += pixel[1] * word;
      blue += pixel[2] * word;
    }
    if (i > 0) {
      out[0] = clip_pixel(static_cast<int32_t>(static_cast<uint32_t>(red)));
      out[1] = clip_pixel(static_cast<int32_t>(static_cast<uint32_t>(green)));
      out[2] = clip_pixel(static_cast<int32_t>(static_cast<uint32_t>(blue)));
      out += 3;
    }
    red >>= 32;
    green >>= 32;
    blue >>= 32;
  }
  out[0] = clip_pixel(static_cast<int32_t>(red));
  out[1] = clip_pixel(static_cast<int32_t>(green));
  out[2] = clip_pixel(static_cast<int32_t>(blue));
}

static inline void resample_columns(const Columns& columns, int32_t channels, const uint8_t* row, uint8_t* out) {
  const bool shared = columns.words != nullptr;
  if (channels == 1) return shared ? resample_row_grey_shared(columns, row, out) : resample_row_grey(columns, row, out);
  return shared ? resample_row_rgb_shared(columns, row, out) : resample_row_rgb(columns, row, out);
}

/// Rows that lie `stride` bytes apart; `ring` of them, the first again after the last.
struct Rows {
  const uint8_t* data;
  size_t stride;
  int32_t ring;
};

/// The vertical pass for one output row: weighted sum of `window.count` rows of `size` bytes.
static inline void resample_rows(const Rows& rows, const Window& window, const int32_t* weights, size_t size,
                                 uint8_t* out) {
  constexpr size_t kBlock = 32;
  for (size_t begin = 0; begin < size; begin += kBlock) {
    const size_t count = size - begin < kBlock ? size - begin : kBlock;
    int32_t sums[kBlock] = {};
    for (int32_t k = 0; k < window.count; ++k) {
      const uint8_t* row = rows.data + static_cast<size_t>((window.start + k) % rows.ring) * rows.stride + begin;
      const int32_t weight = weights[k];
      if (count == kBlock) {
        for (size_t i = 0; i < kBlock; ++i) sums[i] += row[i] * weight;
      } else {
        for (size_t i = 0; i < count; ++i) sums[i] += row[i] * weight;
      }
    }
    for (size_t i = 0; i < count; ++i) out[begin + i] = clip_pixel(sums[i]);
  }
}

/// Pillow 13 makes the vertical pass first where the height shrinks by more than twice as many rows as the width loses
/// columns.
static inline bool vertical_first(const Image& in, int32_t width, int32_t height) {
  const int64_t rows = static_cast<int64_t>(in.height) - height;
  const int64_t columns = static_cast<int64_t>(in.width) - width;
  return rows > 0 && rows > 2 * columns;
}

static inline Status resample_nearest(const Image& in, int32_t width, int32_t height, Arena& arena, Canvas out) {
  int32_t* columns = arena.take<int32_t>(static_cast<size_t>(width));
  if (columns == nullptr) return Status::kWorkspaceTooSmall;
  const double step_x = static_cast<double>(in.width) / width;
  const double step_y = static_cast<double>(in.height) / height;
  double x = step_x * 0.5;
  for (int32_t i = 0; i < width; ++i, x += step_x) columns[i] = static_cast<int32_t>(x);
  double y = step_y * 0.5;
  for (int32_t i = 0; i < height; ++i, y += step_y, out.data += out.stride) {
    const uint8_t* row = row_of(in, static_cast<int32_t>(y));
    uint8_t* to = out.data;
    for (int32_t j = 0; j < width; ++j) {
      const uint8_t* pixel = row + static_cast<size_t>(columns[j]) * static_cast<size_t>(in.channels);
      for (int32_t c = 0; c < in.channels; ++c) *to++ = pixel[c];
    }
  }
  return Status::kOk;
}

/// What the passes share: the axes, the memory between the passes and the vertical weights of one row.
struct Passes {
  Axis across;
  Axis down;
  Columns columns;
  double* scratch;
  int32_t* weights;
  uint8_t* between;
};

static inline Status make_passes(const Image& in, int32_t width, int32_t height, Filter filter, bool down_first,
                                 Arena& arena, Passes* passes) {
  const Axis across = make_axis(in.width, width, filter);
  const Axis down = make_axis(in.height, height, filter);
  const bool wide = in.width != width;
  const bool high = in.height != height;
  *passes = Passes{across, down, {}, nullptr, nullptr, nullptr};
  const int32_t taps_across = wide ? across.taps : 0;
  const int32_t taps_down = high ? down.taps : 0;
  passes->scratch = arena.take<double>(static_cast<size_t>(taps_across > taps_down ? taps_across : taps_down));
  if (passes->scratch == nullptr) return Status::kWorkspaceTooSmall;
  if (wide) {
    const Status status = make_columns(across, passes->scratch, arena, &passes->columns);
    if (status != Status::kOk) return status;
  }
  if (high) {
    passes->weights = arena.take<int32_t>(static_cast<size_t>(down.taps));
    if (passes->weights == nullptr) return Status::kWorkspaceTooSmall;
  }
  if (wide && high) {
    const size_t row = static_cast<size_t>(down_first ? in.width : width) * static_cast<size_t>(in.channels);
    passes->between = arena.take<uint8_t>(down_first ? row : row * static_cast<size_t>(down.taps));
    if (passes->between == nullptr) return Status::kWorkspaceTooSmall;
  }
  return Status::kOk;
}

/// Vertical window of an output row, its weights left in `passes.weights`.
static inline Window prepare_row(const Passes& passes, int32_t y) {
  const Window window = make_window(passes.down, y);
  make_weights(passes.down, y, window, passes.scratch);
  for (int32_t k = 0; k < window.count; ++k) passes.weights[k] = fixed_weight(passes.scratch[k]);
  return window;
}

/// Vertical pass first: one full-width row at a time.
static inline void resample_down_first(const Image& in, const Passes& passes, Canvas out) {
  const Rows rows{in.data, in.stride, in.height};
  const size_t size = static_cast<size_t>(in.width) * static_cast<size_t>(in.channels);
  for (int32_t y = 0; y < passes.down.out; ++y, out.data += out.stride) {
    const Window window = prepare_row(passes, y);
    resample_rows(rows, window, passes.weights, size, passes.between == nullptr ? out.data : passes.between);
    if (passes.between != nullptr) resample_columns(passes.columns, in.channels, passes.between, out.data);
  }
}

/// Horizontal pass first: its rows live in a ring until no output row needs them.
static inline void resample_across_first(const Image& in, const Passes& passes, Canvas out) {
  const size_t size = static_cast<size_t>(passes.across.out) * static_cast<size_t>(in.channels);
  const Rows rows{passes.between, size, passes.down.taps};
  int32_t next = 0;
  for (int32_t y = 0; y < passes.down.out; ++y, out.data += out.stride) {
    const Window window = prepare_row(passes, y);
    if (next < window.start) next = window.start;
    for (; next < window.start + window.count; ++next) {
      uint8_t* row = passes.between + static_cast<size_t>(next % rows.ring) * size;
      resample_columns(passes.columns, in.channels, row_of(in, next), row);
    }
    resample_rows(rows, window, passes.weights, size, out.data);
  }
}

/// `Image.resize((width, height), filter)` into a canvas.
static inline Status resample(const Image& in, int32_t width, int32_t height, Filter filter, Arena& arena, Canvas out) {
  if (in.width == width && in.height == height) {
    copy_rows(in, out);
    return Status::kOk;
  }
  if (filter == Filter::kNearest) return resample_nearest(in, width, height, arena, out);
  const bool down_first = in.width == width || vertical_first(in, width, height);
  Passes passes;
  const Status status = make_passes(in, width, height, filter, down_first, arena, &passes);
  if (status != Status::kOk) return status;
  if (in.height == height) {
    for (int32_t y = 0; y < height; ++y, out.data += out.stride) {
      resample_columns(passes.columns, in.channels, row_of(in, y), out.data);
    }
  } else if (down_first) {
    resample_down_first(in, passes, out);
  } else {
    resample_across_first(in, passes, out);
  }
  return Status::kOk;
}

/// Image of 1 or 3 channels -> image of the stated size. `fill` is the level of the letterbox's border.
static inline Status resize_pillow(const Image& in, int32_t width, int32_t height, Fit fit, Filter filter, int32_t fill,
                                   Arena& arena, Image* out) {
  Canvas canvas{};
  Image box{};
  const Status status = place_image(in, fit, fill, &width, &height, arena, out, &box, &canvas);
  if (status != Status::kOk || canvas.data == nullptr) return status;
  return resample(box, width, height, filter, arena, canvas);
}

}  // namespace packager_contract

#endif
