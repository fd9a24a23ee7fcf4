package packager.contract

/**
 * What a camera's numbers mean: luma 16 to 235, or 0 to 255.
 *
 * OpenCV's integer formulas (BT.601): limited rounds once, after the sum; full rounds what chroma adds.
 */
internal enum class YuvRange(
    val black: Int,
    val luma: Int,
    val red: Int,
    val greenOfRed: Int,
    val greenOfBlue: Int,
    val blue: Int,
    val half: Int,
    val chromaShift: Int,
    val shift: Int,
) {
    LIMITED(16, 1220542, 1673527, -852492, -409993, 2116026, 1 shl 19, 0, 20),
    FULL(0, 1, 22987, -11698, -5636, 29049, 1 shl 13, 14, 0),
}

/**
 * A camera frame to an image of R, G and B.
 *
 * @param rotation degrees by which a frame is turned clockwise beside its own: 0, 90, 180 or 270
 */
internal class Yuv(
    private val range: YuvRange,
    private val rotation: Int,
) {
    private val kept = KeptImage()
    private var bytes = ByteArray(0)

    /** The returned image is overwritten by the next call. */
    fun run(input: Frame): Image {
        val w = input.width
        val h = input.height
        val turn = (rotation + input.rotation) % 360
        val result = if (turn % 180 == 0) kept.of(w, h, 3) else kept.of(h, w, 3)
        bytes = result.data
        when (turn) {
            90 -> rows(input, 3 * (h - 1), 3 * h, -3)
            180 -> rows(input, 3 * (w * h - 1), -3, -3 * w)
            270 -> rows(input, 3 * h * (w - 1), -3 * h, 3)
            else -> rows(input, 0, 3, 3 * w)
        }
        return result
    }

    /** The frame's first pixel goes to byte [first], the next one [across] further, the next row [down] further. */
    private fun rows(
        input: Frame,
        first: Int,
        across: Int,
        down: Int,
    ) {
        // Two rows share their chroma; the last may be alone.
        for (y in 0..input.height - 1 step 2) {
            val alone = y + 1 == input.height
            val above = input.yOffset + y * input.yStride
            val below = if (alone) above else above + input.yStride
            pairOfRows(input, above, below, y / 2 * input.uvStride, first + y * down, across, if (alone) 0 else down)
        }
    }

    private fun pairOfRows(
        input: Frame,
        above: Int,
        below: Int,
        chroma: Int,
        first: Int,
        across: Int,
        down: Int,
    ) {
        val luma = input.y
        val pairs = input.width / 2
        var to = first
        for (pair in 0 until (input.width + 1) / 2) {
            val u = (input.u[input.uOffset + chroma + pair * input.uvStep].toInt() and 0xFF) - 128
            val v = (input.v[input.vOffset + chroma + pair * input.uvStep].toInt() and 0xFF) - 128
            val red = (range.red * v + range.half) shr range.chromaShift
            val green = (range.greenOfRed * v + range.greenOfBlue * u + range.half) shr range.chromaShift
            val blue = (range.blue * u + range.half) shr range.chromaShift
            pixel(luma[above + 2 * pair], red, green, blue, to)
            pixel(luma[below + 2 * pair], red, green, blue, to + down)
            if (pair < pairs) {
                pixel(luma[above + 2 * pair + 1], red, green, blue, to + across)
                pixel(luma[below + 2 * pair + 1], red, green, blue, to + down + across)
            }
            to += 2 * across
        }
    }

    private fun pixel(
        luma: Byte,
        red: Int,
        green: Int,
        blue: Int,
        to: Int,
    ) {
        val out = bytes
        val light = maxOf((luma.toInt() and 0xFF) - range.black, 0) * range.luma
        out[to] = level((light + red) shr range.shift)
        out[to + 1] = level((light + green) shr range.shift)
        out[to + 2] = level((light + blue) shr range.shift)
    }

    private fun level(value: Int): Byte = minOf(maxOf(value, 0), 255).toByte()
}
