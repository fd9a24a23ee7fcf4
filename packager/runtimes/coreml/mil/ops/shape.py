"""Ops that move, cut, join or repeat elements without computing on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from packager.runtimes.coreml.mil.registry import Array, Ints, ints, op

_PAD_MODES = {"reflect": "reflect", "replicate": "edge"}


@op("reshape", keeps_values=True)
def reshape(x: Array, shape: Ints) -> Array:
    """x [*] -> [shape]; 0 keeps x's size there, one -1 is inferred. MIL iOS15 `reshape`."""
    sizes = [x.shape[i] if size == 0 and x.size else size for i, size in enumerate(ints(shape))]
    return np.reshape(x, sizes)


@op("expand_dims", keeps_values=True)
def expand_dims(x: Array, axes: Ints) -> Array:
    """x [*] -> the same with a dimension of 1 at each of `axes` of the result. MIL iOS15 `expand_dims`."""
    return np.expand_dims(x, ints(axes))


@op("squeeze", keeps_values=True)
def squeeze(x: Array, axes: Ints | None = None) -> Array:
    """x [*] -> without the dimensions of 1 among `axes` (default all); others stay. MIL iOS15 `squeeze`."""
    rank = np.ndim(x)
    given = range(rank) if axes is None else (axis % rank for axis in ints(axes))
    return np.squeeze(x, axis=tuple(axis for axis in given if x.shape[axis] == 1))


@op("flatten2d", keeps_values=True)
def flatten2d(x: Array, axis: int = 1) -> Array:
    """x [*] -> [product of sizes before `axis`, product of the others]. MIL iOS15 `flatten2d`."""
    split = int(axis) + (np.ndim(x) if int(axis) < 0 else 0)
    return np.reshape(x, (int(np.prod(x.shape[:split])), int(np.prod(x.shape[split:]))))


@op("shape", keeps_values=True)
def shape_of(x: Array) -> Array:
    """x [*] -> int32[rank]. MIL iOS15 `shape`."""
    return np.array(x.shape, np.int32)


@op("transpose", keeps_values=True)
def transpose(x: Array, perm: Ints) -> Array:
    """x [*] -> dimensions permuted; result dimension i is x's `perm[i]`. MIL iOS15 `transpose`."""
    return np.transpose(x, ints(perm))


@op("concat", keeps_values=True)
def concat(values: Sequence[Array], axis: int, interleave: bool = False) -> Array:
    """Arrays -> joined along `axis`; with `interleave` element by element in turn; scalars as arrays of one.

    MIL iOS15 `concat`.
    """
    if not interleave:
        return np.concatenate([np.atleast_1d(value) for value in values], axis=int(axis))
    axis = int(axis) % values[0].ndim
    joined = np.stack(values, axis=axis + 1)
    return joined.reshape(*joined.shape[:axis], -1, *joined.shape[axis + 2 :])


@op("stack", keeps_values=True)
def stack(values: Sequence[Array], axis: int) -> Array:
    """n arrays [*] -> joined along a new `axis` of n. MIL iOS15 `stack`."""
    return np.stack(values, axis=int(axis))


@op("split", keeps_values=True)
def split(x: Array, axis: int, num_splits: int | None = None, split_sizes: Ints | None = None) -> tuple[Array, ...]:
    """x [*] -> its parts along `axis`, of the given sizes or all equal. MIL iOS15 `split`."""
    axis = int(axis)
    if split_sizes is None:
        return tuple(np.split(x, int(num_splits or 1), axis=axis))
    sizes = ints(split_sizes)
    if sum(sizes) != x.shape[axis]:
        raise ValueError(f"parts {sizes} do not add up to {x.shape[axis]}")
    return tuple(np.split(x, np.cumsum(sizes)[:-1], axis=axis))


@op("slice_by_index", keeps_values=True)
def slice_by_index(
    x: Array,
    begin: Ints,
    end: Ints,
    stride: Ints | None = None,
    *,
    begin_mask: Sequence[bool] | None = None,
    end_mask: Sequence[bool] | None = None,
    squeeze_mask: Sequence[bool] | None = None,
) -> Array:
    """x [*] -> x[begin:end:stride] per dimension, numpy's rules. MIL iOS15 `slice_by_index`.

    A mask that is set ignores `begin` or `end` there; `squeeze_mask` takes the one element at `begin`.
    """
    rank = np.ndim(x)
    begins, ends = ints(begin), ints(end)
    steps = (1,) * rank if stride is None else ints(stride)
    off = (False,) * rank
    free_begin, free_end = begin_mask if begin_mask is not None else off, end_mask if end_mask is not None else off
    squeezed = squeeze_mask if squeeze_mask is not None else off
    index: list[int | slice] = []
    for i in range(rank):
        first = None if free_begin[i] else begins[i]
        if squeezed[i]:
            index.append(first or 0)
        else:
            index.append(slice(first, None if free_end[i] else ends[i], steps[i]))
    return np.asarray(x[tuple(index)])


@op("slice_by_size", keeps_values=True)
def slice_by_size(x: Array, begin: Ints, size: Ints) -> Array:
    """x [*] -> `size` elements from `begin` on per dimension; -1 takes the rest. MIL iOS15 `slice_by_size`."""
    index: list[slice] = []
    for first, count, length in zip(ints(begin), ints(size), x.shape, strict=True):
        start = first + length if first < 0 else first
        stop = length if count == -1 else start + count
        if not 0 <= start <= stop <= length:
            raise ValueError(f"{count} elements from {first} on do not lie within {length}")
        index.append(slice(start, stop))
    return x[tuple(index)]


@op("slice_update", keeps_values=True)
def slice_update(
    x: Array,
    update: Array,
    begin: Ints,
    end: Ints,
    stride: Ints | None = None,
    *,
    begin_mask: Sequence[bool] | None = None,
    end_mask: Sequence[bool] | None = None,
    squeeze_mask: Sequence[bool] | None = None,
) -> Array:
    """x [*] -> x with the part that `slice_by_index` would give replaced. MIL iOS18 `slice_update`."""
    places = np.arange(x.size).reshape(x.shape)
    chosen = slice_by_index(
        places, begin, end, stride, begin_mask=begin_mask, end_mask=end_mask, squeeze_mask=squeeze_mask
    )
    y = np.array(x)
    y.reshape(-1)[np.asarray(chosen).reshape(-1)] = np.broadcast_to(update, np.shape(chosen)).reshape(-1)
    return y


@op("pad", keeps_values=True)
def pad(x: Array, pad: Ints, mode: str = "constant", constant_val: float = 0.0) -> Array:
    """x f[*] -> padded (before, after) in its last len(pad) / 2 dimensions. MIL iOS15 `pad`.

    Modes: constant; reflect (without the edge); replicate (the edge).
    """
    amounts = ints(pad)
    pairs = [(0, 0)] * (np.ndim(x) - len(amounts) // 2) + list(zip(amounts[::2], amounts[1::2], strict=True))
    if mode == "constant":
        return np.pad(x, pairs, constant_values=constant_val)
    if mode not in _PAD_MODES:
        raise ValueError(f"unknown mode {mode!r}")
    if mode == "reflect" and any(max(pair) >= size for pair, size in zip(pairs, x.shape, strict=True)):
        raise ValueError(f"reflecting {pairs} goes beyond {x.shape}")
    return np.pad(x, pairs, mode=_PAD_MODES[mode])  # type: ignore[call-overload]


@op("crop", keeps_values=True)
def crop(x: Array, crop_height: Ints, crop_width: Ints) -> Array:
    """x f[*, h, w] -> without (top, bottom) rows and (left, right) columns. MIL iOS15 `crop`."""
    (top, bottom), (left, right) = ints(crop_height), ints(crop_width)
    return x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]


@op("tile", keeps_values=True)
def tile(x: Array, reps: Ints) -> Array:
    """x [*] -> repeated `reps[i]` times along dimension i. MIL iOS15 `tile`."""
    return np.tile(x, ints(reps))


@op("reverse", keeps_values=True)
def reverse(x: Array, axes: Ints | None = None) -> Array:
    """x [*] -> reversed along `axes` (default all). MIL iOS15 `reverse`."""
    return np.flip(x, axis=None if axes is None else ints(axes))


@op("reverse_sequence", keeps_values=True)
def reverse_sequence(x: Array, lengths: Ints, seq_axis: int = 0, batch_axis: int = 0) -> Array:
    """x [*], lengths i[batch] -> the first `lengths[b]` elements reversed. MIL iOS15 `reverse_sequence`."""
    y = np.array(x)
    moved, source = (np.moveaxis(array, (int(batch_axis), int(seq_axis)), (0, 1)) for array in (y, x))
    for row, length in enumerate(ints(lengths)):
        moved[row, :length] = source[row, :length][::-1]
    return y


@op("sliding_windows", keeps_values=True)
def sliding_windows(x: Array, axis: int, size: int, stride: int = 1) -> Array:
    """x [*] -> windows of `size` along `axis`, a new dimension after it. MIL iOS15 `sliding_windows`."""
    axis = int(axis) % x.ndim
    view = np.moveaxis(sliding_window_view(x, int(size), axis=axis), -1, axis + 1)
    return view[(slice(None),) * axis + (slice(None, None, int(stride)),)]


@op("depth_to_space", keeps_values=True)
def depth_to_space(x: Array, block_size: int) -> Array:
    """x f[n, b * b * c, h, w] -> f[n, c, h * b, w * b], block outermost (TensorFlow's order).

    MIL iOS15 `depth_to_space`.
    """
    (n, c, h, w), b = x.shape, int(block_size)
    blocks = x.reshape(n, b, b, c // (b * b), h, w)
    return blocks.transpose(0, 3, 4, 1, 5, 2).reshape(n, c // (b * b), h * b, w * b)


@op("space_to_depth", keeps_values=True)
def space_to_depth(x: Array, block_size: int) -> Array:
    """x f[n, c, h, w] -> f[n, b * b * c, h / b, w / b], block outermost. MIL iOS15 `space_to_depth`."""
    (n, c, h, w), b = x.shape, int(block_size)
    blocks = x.reshape(n, c, h // b, b, w // b, b)
    return blocks.transpose(0, 3, 5, 1, 2, 4).reshape(n, c * b * b, h // b, w // b)


@op("pixel_shuffle", keeps_values=True)
def pixel_shuffle(x: Array, upscale_factor: int) -> Array:
    """x f[n, c * r * r, h, w] -> f[n, c, h * r, w * r], channel outermost (PyTorch's order).

    MIL iOS15 `pixel_shuffle`.
    """
    (n, c, h, w), r = x.shape, int(upscale_factor)
    blocks = x.reshape(n, c // (r * r), r, r, h, w)
    return blocks.transpose(0, 1, 4, 2, 5, 3).reshape(n, c // (r * r), h * r, w * r)


@op("pixel_unshuffle", keeps_values=True)
def pixel_unshuffle(x: Array, downscale_factor: int) -> Array:
    """x f[n, c, h, w] -> f[n, c * r * r, h / r, w / r], channel outermost. MIL iOS16 `pixel_unshuffle`."""
    (n, c, h, w), r = x.shape, int(downscale_factor)
    blocks = x.reshape(n, c, h // r, r, w // r, r)
    return blocks.transpose(0, 1, 3, 5, 2, 4).reshape(n, c * r * r, h // r, w // r)


@op("space_to_batch", keeps_values=True)
def space_to_batch(x: Array, block_shape: Ints, paddings: Array) -> Array:
    """x f[n, c, h, w] -> f[n * bh * bw, c, h / bh, w / bw] after padding. MIL iOS15 `space_to_batch`."""
    bh, bw = ints(block_shape)
    pairs = [(0, 0), (0, 0), *((int(a), int(b)) for a, b in np.asarray(paddings))]
    padded = np.pad(x, pairs)
    n, c, h, w = padded.shape
    blocks = padded.reshape(n, c, h // bh, bh, w // bw, bw)
    return blocks.transpose(3, 5, 0, 1, 2, 4).reshape(n * bh * bw, c, h // bh, w // bw)


@op("batch_to_space", keeps_values=True)
def batch_to_space(x: Array, block_shape: Ints, crops: Array) -> Array:
    """x f[n, c, h, w] -> f[n / (bh * bw), c, h * bh, w * bw], cropped. MIL iOS15 `batch_to_space`."""
    bh, bw = ints(block_shape)
    n, c, h, w = x.shape
    blocks = x.reshape(bh, bw, n // (bh * bw), c, h, w).transpose(2, 3, 4, 0, 5, 1)
    whole = blocks.reshape(n // (bh * bw), c, h * bh, w * bw)
    return crop(whole, ints(np.asarray(crops)[0]), ints(np.asarray(crops)[1]))
