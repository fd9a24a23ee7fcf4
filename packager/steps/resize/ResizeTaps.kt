package packager.contract

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sin

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
internal const val PRECISION_BITS = 32 - 8 - 2
internal const val HALF_WEIGHT = 1 shl (PRECISION_BITS - 1)

/** A sum that began with [HALF_WEIGHT], as 8 bits. */
internal fun pixelOf(sum: Int): Byte = min(max(sum shr PRECISION_BITS, 0), 255).toByte()

/** For each of [out] outputs along one axis of [size] inputs: the first input, and the weights from there on. */
internal class Taps(
    size: Int,
    private val out: Int,
    filter: Filter,
) {
    val same: Boolean = size == out
    val start = IntArray(out)
    val count = IntArray(out)

    /** Most inputs of an output. */
    val width: Int
    private val weights: IntArray

    /** Where weights are never negative and at most two outputs share an input: a bilinear reduction. */
    val shared: SharedTaps?

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
        val reduces = width > 0 && filter == Filter.BILINEAR && scale >= 1.0
        shared = if (reduces && pairsOnly()) SharedTaps(size, start, count, ::weight) else null
    }

    fun weight(
        x: Int,
        tap: Int,
    ): Int = weights[x * width + tap]

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

    private fun pairsOnly(): Boolean = (1 until out - 1).all { start[it - 1] + count[it - 1] <= start[it + 1] }

    /** Resamples one row of pixels from `from[row]` to `to[at]`. */
    fun across(
        from: ByteArray,
        row: Int,
        channels: Int,
        to: ByteArray,
        at: Int,
    ) {
        if (channels == 3) acrossColors(from, row, to, at) else acrossGrey(from, row, to, at)
    }

    private fun acrossGrey(
        from: ByteArray,
        row: Int,
        to: ByteArray,
        at: Int,
    ) {
        for (x in 0 until out) {
            var sum = HALF_WEIGHT
            val first = row + start[x]
            val base = x * width
            for (tap in 0 until count[x]) sum += (from[first + tap].toInt() and 0xFF) * weights[base + tap]
            to[at + x] = pixelOf(sum)
        }
    }

    private fun acrossColors(
        from: ByteArray,
        row: Int,
        to: ByteArray,
        at: Int,
    ) {
        for (x in 0 until out) {
            var red = HALF_WEIGHT
            var green = HALF_WEIGHT
            var blue = HALF_WEIGHT
            var pixel = row + start[x] * 3
            for (tap in x * width until x * width + count[x]) {
                val weight = weights[tap]
                red += (from[pixel].toInt() and 0xFF) * weight
                green += (from[pixel + 1].toInt() and 0xFF) * weight
                blue += (from[pixel + 2].toInt() and 0xFF) * weight
                pixel += 3
            }
            to[at + x * 3] = pixelOf(red)
            to[at + x * 3 + 1] = pixelOf(green)
            to[at + x * 3 + 2] = pixelOf(blue)
        }
    }
}

/**
 * One product of 64 bits serves two outputs: in the high half stands the weight of the last output that takes the input,
 * in the low half that of the one before. Sums of pixels stay below 2^31.
 */
internal class SharedTaps(
    size: Int,
    start: IntArray,
    count: IntArray,
    weight: (Int, Int) -> Int,
) {
    /** First input of each output. */
    val first: IntArray = start

    /** First input that the next output takes too. */
    val end = IntArray(start.size) { if (it + 1 < start.size) start[it + 1] else start[it] + count[it] }

    /** By input. */
    private val words = LongArray(size)

    /** At three times an input's index: as far apart as the bytes of pixels. */
    private val spread = LongArray(3 * size)

    init {
        for (x in start.indices) {
            for (tap in 0 until count[x]) {
                val at = start[x] + tap
                words[at] = words[at] or (weight(x, tap).toLong() shl if (at < end[x]) 32 else 0)
            }
        }
        for (at in words.indices) spread[3 * at] = words[at]
    }

    /** Resamples one row of R, G and B from `from[start]` to the start of [to]. */
    fun row(
        from: ByteArray,
        start: Int,
        to: ByteArray,
    ) {
        val pairs = spread
        var red = 0L
        var green = 0L
        var blue = 0L
        var at = -3
        for (x in first.indices) {
            // One variable counts all indices: the virtual machine then checks them once for each loop.
            val last = start + end[x] * 3
            var pixel = start + first[x] * 3
            while (pixel < last) {
                val word = pairs[pixel - start]
                red += (from[pixel].toInt() and 0xFF) * word
                green += (from[pixel + 1].toInt() and 0xFF) * word
                blue += (from[pixel + 2].toInt() and 0xFF) * word
                pixel += 3
            }
            if (at >= 0) {
                to[at] = lowPixel(red)
                to[at + 1] = lowPixel(green)
                to[at + 2] = lowPixel(blue)
            }
            at += 3
            red = red ushr 32
            green = green ushr 32
            blue = blue ushr 32
        }
        to[at] = lowPixel(red)
        to[at + 1] = lowPixel(green)
        to[at + 2] = lowPixel(blue)
    }

    /** Adds input row [y] to the sums of the two output rows that take it. */
    fun add(
        row: ByteArray,
        y: Int,
        sums: LongArray,
    ) {
        val word = words[y]
        for (i in sums.indices) sums[i] += (row[i].toInt() and 0xFF) * word
    }

    /** Writes the output row that is complete. */
    fun emit(
        sums: LongArray,
        to: ByteArray,
        start: Int,
    ) {
        for (i in sums.indices) to[start + i] = lowPixel(sums[i])
    }

    /** Weights that are never negative sum to 1, so nothing is clamped. */
    private fun lowPixel(pair: Long): Byte = ((pair.toInt() + HALF_WEIGHT) ushr PRECISION_BITS).toByte()
}
