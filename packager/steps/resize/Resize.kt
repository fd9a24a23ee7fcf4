package packager.contract

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sin

/** How the image's ratio is handled. */
internal enum class Fit {
    /** The largest centred box of the output's ratio is taken. */
    CROP,

    /** The ratio is not kept. */
    STRETCH,

    /** The image keeps its ratio and is centred; the rest is filled. */
    LETTERBOX,
}

/** How an output pixel is made of input pixels: half the filter's width, and its weight at a distance. */
internal enum class Filter(
    val support: Double,
    val weight: (Double) -> Double,
) {
    NEAREST(0.0, { 0.0 }),
    BOX(0.5, { if (it > -0.5 && it <= 0.5) 1.0 else 0.0 }),
    BILINEAR(1.0, { max(0.0, 1.0 - abs(it)) }),
    BICUBIC(2.0, { cubic(abs(it)) }),
    LANCZOS(3.0, { if (it >= -3.0 && it < 3.0) sinc(it) * sinc(it / 3.0) else 0.0 }),
}

private fun cubic(x: Double): Double =
    when {
        x < 1.0 -> ((CUBIC_A + 2.0) * x - (CUBIC_A + 3.0)) * x * x + 1.0
        x < 2.0 -> (((x - 5.0) * x + 8.0) * x - 4.0) * CUBIC_A
        else -> 0.0
    }

private fun sinc(x: Double): Double = if (x == 0.0) 1.0 else sin(x * PI) / (x * PI)

private const val CUBIC_A = -0.5

/** Fractional bits of a weight: 8 of 32 are a pixel's, 2 are room for weights above 1 and below 0. */
private const val PRECISION_BITS = 32 - 8 - 2

/**
 * Equal to the bit to Pillow 13.0.0, `image.crop(box).resize((width, height), filter)` on 8-bit images: weights in
 * float64, rounded to 22 fractional bits, one pass for each axis, each rounded to 8 bits. A pass that does not change the
 * size is left out.
 *
 * @param fill level of the border that [Fit.LETTERBOX] leaves
 */
internal class ResizePillow(
    private val width: Int,
    private val height: Int,
    private val fit: Fit,
    private val filter: Filter,
    private val fill: Int,
) {
    private var geometry = Geometry(0, 0, 0, 0, 0, 0, 0, 0)
    private var plannedWidth = 0
    private var plannedHeight = 0
    private var columns = Taps(0, 0, filter)
    private var rows = Taps(0, 0, filter)
    private var middle = ByteArray(0)
    private var output = ByteArray(0)

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        plan(input.width, input.height)
        val size = width * height * input.channels
        if (output.size != size) output = ByteArray(size)
        if (fit == Fit.LETTERBOX) output.fill(fill.toByte())
        if (filter == Filter.NEAREST) pick(input) else blend(input)
        return Image(output, width, height, input.channels, width * input.channels)
    }

    /** Weights depend on the size only, so that a camera's frames make them once. */
    private fun plan(
        imageWidth: Int,
        imageHeight: Int,
    ) {
        if (plannedWidth == imageWidth && plannedHeight == imageHeight) return
        geometry = place(imageWidth, imageHeight, width, height, fit)
        columns = Taps(geometry.boxWidth, geometry.width, filter)
        rows = Taps(geometry.boxHeight, geometry.height, filter)
        plannedWidth = imageWidth
        plannedHeight = imageHeight
    }

    private fun pick(input: Image) {
        val channels = input.channels
        for (y in 0 until geometry.height) {
            val row = (geometry.top + rows.start[y]) * input.stride
            var to = ((geometry.y + y) * width + geometry.x) * channels
            for (x in 0 until geometry.width) {
                val from = row + (geometry.left + columns.start[x]) * channels
                for (channel in 0 until channels) output[to++] = input.data[from + channel]
            }
        }
    }

    private fun blend(input: Image) {
        val channels = input.channels
        val box = Plane(input.data, geometry.top * input.stride + geometry.left * channels, input.stride)
        val target = Plane(output, (geometry.y * width + geometry.x) * channels, width * channels)
        if (geometry.downFirst) {
            val between = between(geometry.height, geometry.boxWidth * channels)
            blendDown(box, between)
            blendAcross(between, target, geometry.height, channels)
        } else {
            val between = between(geometry.boxHeight, geometry.width * channels)
            blendAcross(box, between, geometry.boxHeight, channels)
            blendDown(between, target)
        }
    }

    private fun between(
        rows: Int,
        rowBytes: Int,
    ): Plane {
        if (middle.size < rows * rowBytes) middle = ByteArray(rows * rowBytes)
        return Plane(middle, 0, rowBytes)
    }

    private fun blendAcross(
        from: Plane,
        to: Plane,
        count: Int,
        channels: Int,
    ) {
        for (y in 0 until count) {
            val row = from.row(y)
            if (columns.same) {
                from.data.copyInto(to.data, to.row(y), row, row + geometry.width * channels)
                continue
            }
            var at = to.row(y)
            for (x in 0 until geometry.width) {
                val first = row + columns.start[x] * channels
                for (channel in 0 until channels) to.data[at++] = columns.sum(x, from.data, first + channel, channels)
            }
        }
    }

    /** Rows are as long as the shorter of the two planes' rows: one of them is the plane between the passes. */
    private fun blendDown(
        from: Plane,
        to: Plane,
    ) {
        val rowBytes = min(from.stride, to.stride)
        for (y in 0 until geometry.height) {
            val first = from.row(rows.start[y])
            val at = to.row(y)
            if (rows.same) {
                from.data.copyInto(to.data, at, from.row(y), from.row(y) + rowBytes)
                continue
            }
            for (i in 0 until rowBytes) to.data[at + i] = rows.sum(y, from.data, first + i, from.stride)
        }
    }
}

/** Rows of bytes inside an array. */
private class Plane(
    val data: ByteArray,
    private val start: Int,
    val stride: Int,
) {
    fun row(y: Int): Int = start + y * stride
}

/** Box of the image, the size it is resampled to, and where it goes in the output. */
internal class Geometry(
    val left: Int,
    val top: Int,
    val boxWidth: Int,
    val boxHeight: Int,
    val width: Int,
    val height: Int,
    val x: Int,
    val y: Int,
) {
    /** Pillow 13 starts with the columns where that makes fewer rows by more than it costs. */
    val downFirst: Boolean = boxHeight - height > max(0, 2 * (boxWidth - width))
}

/** Where an image of [w] x [h] goes in an output of [width] x [height]. */
internal fun place(
    w: Int,
    h: Int,
    width: Int,
    height: Int,
    fit: Fit,
): Geometry =
    when (fit) {
        Fit.STRETCH -> {
            Geometry(0, 0, w, h, width, height, 0, 0)
        }
        Fit.CROP -> {
            val boxWidth = (h.toLong() * width / height).coerceIn(1, w.toLong()).toInt()
            val boxHeight = (w.toLong() * height / width).coerceIn(1, h.toLong()).toInt()
            Geometry((w - boxWidth) / 2, (h - boxHeight) / 2, boxWidth, boxHeight, width, height, 0, 0)
        }
        Fit.LETTERBOX -> {
            val wider = w.toLong() * height >= h.toLong() * width
            val newWidth = if (wider) width else scaled(w, height, h)
            val newHeight = if (wider) scaled(h, width, w) else height
            Geometry(0, 0, w, h, newWidth, newHeight, (width - newWidth) / 2, (height - newHeight) / 2)
        }
    }

/** `side * target / other`, half rounded up, at least 1. */
private fun scaled(
    side: Int,
    target: Int,
    other: Int,
): Int = max(1, (2L * side * target + other) / (2L * other)).toInt()

/** For each of [out] outputs along one axis of [size] inputs: the first input, and the weights from there on. */
private class Taps(
    size: Int,
    private val out: Int,
    filter: Filter,
) {
    val same: Boolean = size == out
    val start = IntArray(out)
    private val count = IntArray(out)
    private val width: Int
    private val weights: IntArray

    init {
        val scale = size.toDouble() / out
        val stretch = max(scale, 1.0)
        val support = filter.support * stretch
        width = if (same || filter == Filter.NEAREST) 0 else ceil(support).toInt() * 2 + 1
        weights = IntArray(out * width)
        when {
            filter == Filter.NEAREST -> nearest(size, scale)
            !same -> weigh(size, scale, stretch, support, filter)
        }
    }

    private fun nearest(
        size: Int,
        scale: Double,
    ) {
        var position = scale * 0.5
        for (x in 0 until out) {
            start[x] = min(position.toInt(), size - 1)
            position += scale
        }
    }

    private fun weigh(
        size: Int,
        scale: Double,
        stretch: Double,
        support: Double,
        filter: Filter,
    ) {
        val inverse = 1.0 / stretch
        val exact = DoubleArray(width)
        for (x in 0 until out) {
            val centre = (x + 0.5) * scale
            start[x] = max((centre - support + 0.5).toInt(), 0)
            count[x] = min((centre + support + 0.5).toInt(), size) - start[x]
            var total = 0.0
            for (i in 0 until count[x]) {
                exact[i] = filter.weight((i + start[x] - centre + 0.5) * inverse)
                total += exact[i]
            }
            for (i in 0 until count[x]) {
                weights[x * width + i] = fixed(if (total != 0.0) exact[i] / total else exact[i])
            }
        }
    }

    private fun fixed(weight: Double): Int = (weight * (1 shl PRECISION_BITS) + if (weight < 0) -0.5 else 0.5).toInt()

    /** The weighted sum for output [x] over `data[first]`, `data[first + step]`, ..., rounded to 8 bits. */
    fun sum(
        x: Int,
        data: ByteArray,
        first: Int,
        step: Int,
    ): Byte {
        var sum = 1 shl (PRECISION_BITS - 1)
        var at = first
        for (i in x * width until x * width + count[x]) {
            sum += (data[at].toInt() and 0xFF) * weights[i]
            at += step
        }
        return (sum shr PRECISION_BITS).coerceIn(0, 255).toByte()
    }
}
