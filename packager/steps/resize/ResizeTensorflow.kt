package packager.contract

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/** `tf.image.resize` of TensorFlow 2.21 with `method="nearest"`, equal to the bit. */
internal class ResizeTensorflowNearest(
    private val width: Int,
    private val height: Int,
    fit: Fit,
) {
    private val plan = Plan(width, height, fit, ::nearest)
    private val kept = KeptImage()

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        plan.update(input)
        val channels = input.channels
        val result = kept.of(width, height, channels)
        var to = 0
        for (y in 0 until height) {
            val row = plan.first(input) + plan.rows[y] * input.stride
            for (x in 0 until width) {
                val from = row + plan.columns[x] * channels
                for (channel in 0 until channels) result.data[to++] = input.data[from + channel]
            }
        }
        return result
    }
}

/** `tf.image.resize` with `method="bilinear"`: numbers in 0..255; every operation is one rounded float32 operation. */
internal class ResizeTensorflow(
    private val width: Int,
    private val height: Int,
    fit: Fit,
) {
    private val plan = Plan(width, height, fit, ::Neighbours)
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: Image): FloatArray {
        plan.update(input)
        val size = width * height * input.channels
        if (values.size != size) values = FloatArray(size)
        val first = plan.first(input)
        for (y in 0 until height) {
            val above = first + plan.rows.lower[y] * input.stride
            val below = first + plan.rows.upper[y] * input.stride
            blendRows(input, above, below, plan.rows.share[y], y * width * input.channels)
        }
        return values
    }

    private fun blendRows(
        input: Image,
        above: Int,
        below: Int,
        down: Float,
        start: Int,
    ) {
        val data = input.data
        val columns = plan.columns
        var to = start
        for (x in 0 until width) {
            val left = columns.lower[x] * input.channels
            val right = columns.upper[x] * input.channels
            val across = columns.share[x]
            for (channel in 0 until input.channels) {
                val top = blend(pixel(data, above + left + channel), pixel(data, above + right + channel), across)
                val bottom = blend(pixel(data, below + left + channel), pixel(data, below + right + channel), across)
                values[to++] = blend(top, bottom, down)
            }
        }
    }
}

/** `tf.image.resize` with `method="bilinear", antialias=True`: weighted sums of rows, then of columns, in float32. */
internal class ResizeTensorflowAntialias(
    private val width: Int,
    private val height: Int,
    fit: Fit,
) {
    private val plan = Plan(width, height, fit, ::Spans)
    private var sums = FloatArray(0)
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: Image): FloatArray {
        plan.update(input)
        val row = plan.boxWidth * input.channels
        if (sums.size < row) sums = FloatArray(row)
        val size = width * height * input.channels
        if (values.size != size) values = FloatArray(size)
        for (y in 0 until height) {
            sumRows(input, y, row)
            sumColumns(input.channels, y * width * input.channels)
        }
        return values
    }

    private fun sumRows(
        input: Image,
        y: Int,
        row: Int,
    ) {
        sums.fill(0f, 0, row)
        var from = plan.first(input) + plan.rows.start[y] * input.stride
        for (tap in 0 until plan.rows.count[y]) {
            val weight = plan.rows.weight(y, tap)
            for (i in 0 until row) sums[i] += pixel(input.data, from + i) * weight
            from += input.stride
        }
    }

    private fun sumColumns(
        channels: Int,
        start: Int,
    ) {
        val columns = plan.columns
        var to = start
        for (x in 0 until width) {
            for (channel in 0 until channels) {
                var from = columns.start[x] * channels + channel
                var sum = 0f
                for (tap in 0 until columns.count[x]) {
                    sum += sums[from] * columns.weight(x, tap)
                    from += channels
                }
                values[to++] = sum
            }
        }
    }
}

/** What depends on the image's size only, so that a camera's frames make it once: its box, and [axis] for both axes. */
private class Plan<T>(
    private val width: Int,
    private val height: Int,
    private val fit: Fit,
    private val axis: (size: Int, out: Int) -> T,
) {
    private var imageWidth = width
    private var imageHeight = height
    private var geometry = place(width, height, width, height, fit)
    var columns = axis(width, width)
        private set
    var rows = axis(height, height)
        private set
    val boxWidth get() = geometry.boxWidth

    init {
        if (fit == Fit.LETTERBOX) throw ContractException("a letterbox is not there like TensorFlow")
    }

    fun update(image: Image) {
        if (imageWidth == image.width && imageHeight == image.height) return
        geometry = place(image.width, image.height, width, height, fit)
        columns = axis(geometry.boxWidth, width)
        rows = axis(geometry.boxHeight, height)
        imageWidth = image.width
        imageHeight = image.height
    }

    /** Where the box starts in the image's bytes. */
    fun first(image: Image): Int = geometry.top * image.stride + geometry.left * image.channels
}

/** Input index of each of [out] outputs along an axis of [size] inputs. */
private fun nearest(
    size: Int,
    out: Int,
): IntArray {
    val scale = size.toFloat() / out.toFloat()
    return IntArray(out) { min(floor((it + 0.5f) * scale).toInt(), size - 1) }
}

/** Lower and upper input index of each of [out] outputs along an axis of [size] inputs, and the upper one's share. */
private class Neighbours(
    size: Int,
    out: Int,
) {
    val lower = IntArray(out)
    val upper = IntArray(out)
    val share = FloatArray(out)

    init {
        val scale = size.toFloat() / out.toFloat()
        for (x in 0 until out) {
            val position = (x + 0.5f) * scale - 0.5f
            val whole = floor(position)
            lower[x] = max(whole.toInt(), 0)
            upper[x] = min(whole.toInt() + 1, size - 1)
            share[x] = position - whole
        }
    }
}

/** For each of [out] outputs along an axis of [size] inputs: the first input, and the triangle's weights from there on. */
private class Spans(
    private val size: Int,
    out: Int,
) {
    private val inverse = 1f / (out.toFloat() / size.toFloat())
    private val kernel = max(inverse, 1f)
    private val taps = min(2 * ceil(kernel).toInt() + 1, size)
    private val weights = FloatArray(out * taps)
    val start = IntArray(out)
    val count = IntArray(out)

    init {
        for (x in 0 until out) weigh(x)
    }

    fun weight(
        x: Int,
        tap: Int,
    ): Float = weights[x * taps + tap]

    private fun weigh(x: Int) {
        val sample = (x + 0.5f) * inverse
        val narrow = 1f / kernel
        val last = floor(sample + kernel - 0.5f).toInt().coerceIn(0, size - 1)
        start[x] = ceil(sample - kernel - 0.5f).toInt().coerceIn(0, size - 1)
        count[x] = min(last + 1 - start[x], taps)
        var total = 0f
        for (i in x * taps until x * taps + count[x]) {
            val distance = (start[x] + (i - x * taps) + 0.5f - sample) * narrow
            weights[i] = max(0f, 1f - abs(distance))
            total += weights[i]
        }
        if (abs(total) < LEAST_TOTAL) return
        val share = 1f / total
        for (i in x * taps until x * taps + count[x]) weights[i] *= share
    }
}

/** 1000 times the smallest normal float32: below it TensorFlow leaves the weights as they are. */
private const val LEAST_TOTAL = 1000f * 1.17549435e-38f

private fun pixel(
    data: ByteArray,
    at: Int,
): Float = (data[at].toInt() and 0xFF).toFloat()

private fun blend(
    from: Float,
    to: Float,
    share: Float,
): Float = from + (to - from) * share
