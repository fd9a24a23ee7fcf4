package packager.contract

/** What becomes of half a pixel left of or above a centred part. */
internal enum class Rounding { DOWN, EVEN }

/** The centred part of this size. */
internal class CropSize(
    private val width: Int,
    private val height: Int,
    rounding: Rounding,
) {
    private val centre = Centre(rounding)

    /**
     * The returned image is overwritten by the next call.
     *
     * @throws ContractException if the image is smaller
     */
    fun run(input: Image): Image {
        if (input.width < width || input.height < height) {
            throw ContractException("$width x $height pixels are needed, got ${input.width} x ${input.height}")
        }
        return centre.of(input, width, height)
    }
}

/** The largest centred part of the ratio [across] : [down], left and top rounded down. */
internal class CropRatio(
    private val across: Int,
    private val down: Int,
) {
    private val centre = Centre(Rounding.DOWN)

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        val width = (input.height.toLong() * across / down).coerceIn(1, input.width.toLong()).toInt()
        val height = (input.width.toLong() * down / across).coerceIn(1, input.height.toLong()).toInt()
        return centre.of(input, width, height)
    }
}

/** Copies the centred part of an image. */
private class Centre(
    private val rounding: Rounding,
) {
    private val kept = KeptImage()

    fun of(
        input: Image,
        width: Int,
        height: Int,
    ): Image {
        val row = width * input.channels
        val result = kept.of(width, height, input.channels)
        var from = margin(input.height - height) * input.stride + margin(input.width - width) * input.channels
        for (y in 0 until height) {
            input.data.copyInto(result.data, y * row, from, from + row)
            from += input.stride
        }
        return result
    }

    private fun margin(rest: Int): Int = rest / 2 + if (rounding == Rounding.EVEN && rest % 4 == 3) 1 else 0
}
