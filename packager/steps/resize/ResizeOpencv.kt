package packager.contract

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round

/** Equal to the bit to OpenCV 4.12.0, `cv2.resize(..., interpolation=cv2.INTER_NEAREST)`. */
internal class ResizeOpencvNearest(
    width: Int,
    height: Int,
    fit: Fit,
    fill: Int,
) {
    private val output = ResizedImage(width, height, fit, fill)
    private var planned: Placement? = null
    private var columns = IntArray(0)
    private var rows = IntArray(0)

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        val result = output.prepare(input)
        val geometry = output.geometry
        if (planned !== geometry) {
            columns = nearestPlaces(geometry.boxWidth, geometry.width)
            rows = nearestPlaces(geometry.boxHeight, geometry.height)
            planned = geometry
        }
        val channels = input.channels
        for (y in 0 until geometry.height) {
            val row = output.source(input, rows[y])
            var to = output.row(y)
            for (column in columns) {
                val pixel = row + column * channels
                for (channel in 0 until channels) output.bytes[to++] = input.data[pixel + channel]
            }
        }
        return result
    }
}

/** Equal to the bit to OpenCV 4.12.0, `cv2.resize(..., interpolation=cv2.INTER_LINEAR)`: weights of 11 bits. */
internal class ResizeOpencvLinear(
    width: Int,
    height: Int,
    fit: Fit,
    fill: Int,
) {
    private val output = ResizedImage(width, height, fit, fill)
    private var planned: Placement? = null
    private var columns = OpencvPairs(0, 0, true)
    private var rows = OpencvPairs(0, 0, false)
    private var above = IntArray(0)
    private var below = IntArray(0)

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        val result = output.prepare(input)
        val geometry = output.geometry
        if (planned !== geometry) {
            columns = OpencvPairs(geometry.boxWidth, geometry.width, true)
            rows = OpencvPairs(geometry.boxHeight, geometry.height, false)
            planned = geometry
        }
        val rowBytes = geometry.width * input.channels
        if (geometry.boxWidth == geometry.width && geometry.boxHeight == geometry.height) {
            for (y in 0 until geometry.height) {
                val source = output.source(input, y)
                input.data.copyInto(output.bytes, output.row(y), source, source + rowBytes)
            }
        } else if (geometry.boxWidth == 2 * geometry.width && geometry.boxHeight == 2 * geometry.height) {
            for (y in 0 until geometry.height) halve(input, y, rowBytes)
        } else {
            blend(input, rowBytes)
        }
        return result
    }

    /** Exactly half the size is the mean of four pixels. */
    private fun halve(
        input: Image,
        y: Int,
        rowBytes: Int,
    ) {
        val data = input.data
        val channels = input.channels
        val top = output.source(input, 2 * y)
        val bottom = output.source(input, 2 * y + 1)
        val to = output.row(y)
        for (i in 0 until rowBytes) {
            val left = i / channels * channels + i
            val right = left + channels
            val above = level(data, top + left) + level(data, top + right)
            val below = level(data, bottom + left) + level(data, bottom + right)
            output.bytes[to + i] = ((above + below + 2) shr 2).toByte()
        }
    }

    /** Rows that two output rows share are resampled once. */
    private fun blend(
        input: Image,
        rowBytes: Int,
    ) {
        if (above.size < rowBytes) {
            above = IntArray(rowBytes)
            below = IntArray(rowBytes)
        }
        var heldAbove = -1
        var heldBelow = -1
        for (y in 0 until output.geometry.height) {
            if (heldBelow == rows.lower[y]) {
                val row = above
                above = below
                below = row
                heldBelow = heldAbove
                heldAbove = rows.lower[y]
            }
            if (heldAbove != rows.lower[y]) across(input, rows.lower[y], above)
            if (heldBelow != rows.upper[y]) across(input, rows.upper[y], below)
            heldAbove = rows.lower[y]
            heldBelow = rows.upper[y]
            down(rows.lowerWeight[y], rows.upperWeight[y], output.row(y), rowBytes)
        }
    }

    private fun across(
        input: Image,
        y: Int,
        to: IntArray,
    ) {
        val data = input.data
        val channels = input.channels
        val row = output.source(input, y)
        var at = 0
        for (x in 0 until output.geometry.width) {
            val left = row + columns.lower[x] * channels
            val right = row + columns.upper[x] * channels
            for (channel in 0 until channels) {
                val lower = level(data, left + channel) * columns.lowerWeight[x]
                to[at++] = (lower + level(data, right + channel) * columns.upperWeight[x]) shr 4
            }
        }
    }

    private fun down(
        lowerWeight: Int,
        upperWeight: Int,
        start: Int,
        count: Int,
    ) {
        val to = output.bytes
        for (i in 0 until count) {
            val sum = ((above[i] * lowerWeight) shr 16) + ((below[i] * upperWeight) shr 16)
            to[start + i] = ((sum + 2) shr 2).toByte()
        }
    }
}

/** Inputs for one output; two divisions, as OpenCV makes them. */
private fun scaleOf(
    size: Int,
    out: Int,
): Double = 1.0 / (out.toDouble() / size)

private fun nearestPlaces(
    size: Int,
    out: Int,
): IntArray {
    val scale = scaleOf(size, out)
    return IntArray(out) { min(floor(it * scale).toInt(), size - 1) }
}

/**
 * Two inputs of each of [out] outputs along an axis of [size] inputs, and their weights. What lies beyond the outer
 * inputs' centres is the outer input across ([clamp]); down it is weighed all the same.
 */
private class OpencvPairs(
    size: Int,
    out: Int,
    clamp: Boolean,
) {
    val lower = IntArray(out)
    val upper = IntArray(out)
    val lowerWeight = IntArray(out)
    val upperWeight = IntArray(out)

    init {
        val scale = scaleOf(size, out)
        for (x in 0 until out) {
            val position = ((x + 0.5) * scale - 0.5).toFloat()
            val whole = floor(position)
            val index = whole.toInt()
            val inside = !clamp || (index >= 0 && index < size - 1)
            val share = if (inside) position - whole else 0f
            val first = if (clamp) max(index, 0) else index
            lower[x] = first.coerceIn(0, size - 1)
            upper[x] = (first + 1).coerceIn(0, size - 1)
            lowerWeight[x] = round((1f - share) * ONE).toInt()
            upperWeight[x] = round(share * ONE).toInt()
        }
    }
}

/** 11 fractional bits. */
private const val ONE = 2048f

private fun level(
    data: ByteArray,
    at: Int,
): Int = data[at].toInt() and 0xFF
