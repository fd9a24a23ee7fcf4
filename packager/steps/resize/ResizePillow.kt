package packager.contract

import kotlin.math.max

/**
 * Equal to the bit to Pillow 13.0.0, `image.crop(box).resize((width, height), filter)` on 8-bit images: weights in
 * float64, rounded to 22 fractional bits, one pass for each axis, each rounded to 8 bits. A pass that does not change the
 * size is left out.
 *
 * @param fill level of the border that [Fit.LETTERBOX] leaves
 */
internal class ResizePillow(
    width: Int,
    height: Int,
    fit: Fit,
    private val filter: Filter,
    fill: Int,
) {
    private val output = ResizedImage(width, height, fit, fill)
    private var plannedWidth = 0
    private var plannedHeight = 0
    private var columns = Taps(0, 0, filter)
    private var rows = Taps(0, 0, filter)
    private var between = ByteArray(0)
    private var sums = IntArray(0)
    private var pairs = LongArray(0)

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        val result = output.prepare(input)
        plan(input.width, input.height)
        if (filter == Filter.NEAREST) pick(input) else blend(input)
        return result
    }

    /** Weights depend on the size only, so that a camera's frames make them once. */
    private fun plan(
        imageWidth: Int,
        imageHeight: Int,
    ) {
        if (plannedWidth == imageWidth && plannedHeight == imageHeight) return
        val geometry = output.geometry
        columns = Taps(geometry.boxWidth, geometry.width, filter)
        rows = Taps(geometry.boxHeight, geometry.height, filter)
        plannedWidth = imageWidth
        plannedHeight = imageHeight
    }

    private fun pick(input: Image) {
        for (y in 0 until output.geometry.height) {
            copyPixels(input.data, output.source(input, rows.start[y]), columns.start, output.bytes, output.row(y))
        }
    }

    private fun copyPixels(
        from: ByteArray,
        row: Int,
        places: IntArray,
        to: ByteArray,
        start: Int,
    ) {
        val channels = output.channels
        var at = start
        for (place in places) {
            val pixel = row + place * channels
            for (channel in 0 until channels) to[at++] = from[pixel + channel]
        }
    }

    private fun blend(input: Image) {
        when {
            rows.same -> acrossOnly(input)
            columns.same || output.geometry.downFirst -> downFirst(input)
            output.channels == 3 && columns.shared != null && rows.shared != null -> reduce(input)
            else -> acrossFirst(input)
        }
    }

    private fun acrossOnly(input: Image) {
        val rowBytes = output.geometry.width * output.channels
        for (y in 0 until output.geometry.height) {
            val source = output.source(input, y)
            if (columns.same) {
                input.data.copyInto(output.bytes, output.row(y), source, source + rowBytes)
            } else {
                columns.across(input.data, source, output.channels, output.bytes, output.row(y))
            }
        }
    }

    /** One row of full width at a time. */
    private fun downFirst(input: Image) {
        val rowBytes = output.geometry.boxWidth * output.channels
        reserve(rowBytes, rowBytes)
        for (y in 0 until output.geometry.height) {
            sums.fill(HALF_WEIGHT, 0, rowBytes)
            for (tap in 0 until rows.count[y]) {
                addRow(input.data, output.source(input, rows.start[y] + tap), rows.weight(y, tap), rowBytes)
            }
            if (columns.same) {
                emitSums(output.bytes, output.row(y), rowBytes)
            } else {
                emitSums(between, 0, rowBytes)
                columns.across(between, 0, output.channels, output.bytes, output.row(y))
            }
        }
    }

    /** Every row is resampled across once and added once, to both output rows that take it. */
    private fun reduce(input: Image) {
        val across = columns.shared ?: return
        val down = rows.shared ?: return
        val rowBytes = output.geometry.width * 3
        reserve(rowBytes, 0)
        if (pairs.size != rowBytes) pairs = LongArray(rowBytes)
        pairs.fill(0)
        for (y in 0 until output.geometry.height) {
            for (row in down.first[y] until down.end[y]) {
                across.row(input.data, output.source(input, row), between)
                down.add(between, row, pairs)
            }
            if (y > 0) down.emit(pairs, output.bytes, output.row(y - 1))
            for (i in pairs.indices) pairs[i] = pairs[i] ushr 32
        }
        down.emit(pairs, output.bytes, output.row(output.geometry.height - 1))
    }

    /** Rows that are resampled across live in a ring until no output row needs them. */
    private fun acrossFirst(input: Image) {
        val rowBytes = output.geometry.width * output.channels
        val ring = rows.width
        reserve(rowBytes * ring, rowBytes)
        var next = 0
        for (y in 0 until output.geometry.height) {
            val start = rows.start[y]
            next = max(next, start)
            while (next < start + rows.count[y]) {
                val source = output.source(input, next)
                columns.across(input.data, source, output.channels, between, next % ring * rowBytes)
                next++
            }
            sums.fill(HALF_WEIGHT, 0, rowBytes)
            for (tap in 0 until rows.count[y]) {
                addRow(between, (start + tap) % ring * rowBytes, rows.weight(y, tap), rowBytes)
            }
            emitSums(output.bytes, output.row(y), rowBytes)
        }
    }

    private fun reserve(
        bytes: Int,
        row: Int,
    ) {
        if (between.size < bytes) between = ByteArray(bytes)
        if (sums.size < row) sums = IntArray(row)
    }

    private fun addRow(
        from: ByteArray,
        start: Int,
        weight: Int,
        count: Int,
    ) {
        val totals = sums
        for (i in 0 until count) totals[i] += (from[start + i].toInt() and 0xFF) * weight
    }

    private fun emitSums(
        to: ByteArray,
        start: Int,
        count: Int,
    ) {
        val totals = sums
        for (i in 0 until count) to[start + i] = pixelOf(totals[i])
    }
}
