package packager.contract

/** What a camera's numbers mean: luma 16 to 235, or 0 to 255. */
internal enum class YuvRange { LIMITED, FULL }

/**
 * A camera frame to an image of R, G and B by OpenCV's integer formula (BT.601).
 *
 * @param rotation degrees by which the frame is turned clockwise: 0, 90, 180 or 270
 */
internal class Yuv(
    private val range: YuvRange,
    private val rotation: Int,
) {
    private var bytes = ByteArray(0)

    /** The returned image is overwritten by the next call. */
    fun run(input: Frame): Image {
        val w = input.width
        val h = input.height
        if (bytes.size < w * h * 3) bytes = ByteArray(w * h * 3)
        when (rotation) {
            90 -> rows(input, 3 * (h - 1), 3 * h, -3)
            180 -> rows(input, 3 * (w * h - 1), -3, -3 * w)
            270 -> rows(input, 3 * h * (w - 1), -3 * h, 3)
            else -> rows(input, 0, 3, 3 * w)
        }
        return if (rotation % 180 == 0) Image(bytes, w, h) else Image(bytes, h, w)
    }

    /** The frame's first pixel goes to byte [first], the next one [across] further, the next row [down] further. */
    private fun rows(
        input: Frame,
        first: Int,
        across: Int,
        down: Int,
    ) {
        // Two rows share their chroma; the last may be alone.
        for (y in 0 until input.height step 2) {
            val alone = y + 1 == input.height
            val above = input.yOffset + y * input.yStride
            val below = if (alone) above else above + input.yStride
            val chroma = y / 2 * input.uvStride
            if (range == YuvRange.LIMITED) {
                limited(input, above, below, chroma, first + y * down, across, if (alone) 0 else down)
            } else {
                full(input, above, below, chroma, first + y * down, across, if (alone) 0 else down)
            }
        }
    }

    /** 20 fractional bits. */
    private fun limited(
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
            val red = 1673527 * v + (1 shl 19)
            val green = -852492 * v - 409993 * u + (1 shl 19)
            val blue = 2116026 * u + (1 shl 19)
            limitedPixel(luma[above + 2 * pair], red, green, blue, to)
            limitedPixel(luma[below + 2 * pair], red, green, blue, to + down)
            if (pair < pairs) {
                limitedPixel(luma[above + 2 * pair + 1], red, green, blue, to + across)
                limitedPixel(luma[below + 2 * pair + 1], red, green, blue, to + down + across)
            }
            to += 2 * across
        }
    }

    private fun limitedPixel(
        luma: Byte,
        red: Int,
        green: Int,
        blue: Int,
        to: Int,
    ) {
        val out = bytes
        val light = maxOf((luma.toInt() and 0xFF) - 16, 0) * 1220542
        out[to] = level((light + red) shr 20)
        out[to + 1] = level((light + green) shr 20)
        out[to + 2] = level((light + blue) shr 20)
    }

    /** 14 fractional bits, luma as it is. */
    private fun full(
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
            val red = (22987 * v + HALF) shr 14
            val green = (-11698 * v - 5636 * u + HALF) shr 14
            val blue = (29049 * u + HALF) shr 14
            fullPixel(luma[above + 2 * pair], red, green, blue, to)
            fullPixel(luma[below + 2 * pair], red, green, blue, to + down)
            if (pair < pairs) {
                fullPixel(luma[above + 2 * pair + 1], red, green, blue, to + across)
                fullPixel(luma[below + 2 * pair + 1], red, green, blue, to + down + across)
            }
            to += 2 * across
        }
    }

    private fun fullPixel(
        luma: Byte,
        red: Int,
        green: Int,
        blue: Int,
        to: Int,
    ) {
        val out = bytes
        val light = luma.toInt() and 0xFF
        out[to] = level(light + red)
        out[to + 1] = level(light + green)
        out[to + 2] = level(light + blue)
    }

    private fun level(value: Int): Byte = minOf(maxOf(value, 0), 255).toByte()
}

private const val HALF = 1 shl 13
