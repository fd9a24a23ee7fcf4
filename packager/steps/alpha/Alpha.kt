package packager.contract

/** Image of four channels to its first three. */
internal class AlphaDrop {
    private val kept = KeptImage()

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        input.check(4)
        val result = kept.of(input.width, input.height, 3)
        var to = 0
        for (y in 0 until input.height) {
            val row = y * input.stride
            for (from in row..row + input.width * 4 - 1 step 4) {
                input.data.copyInto(result.data, to, from, from + 3)
                to += 3
            }
        }
        return result
    }
}

/** Image of R, G, B and alpha, laid over a grey level: `div255(background * (255 - alpha) + colour * alpha)`. */
internal class AlphaOver(
    private val background: Int,
) {
    private val kept = KeptImage()

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        input.check(4)
        val result = kept.of(input.width, input.height, 3)
        var to = 0
        for (y in 0 until input.height) {
            val row = y * input.stride
            for (from in row..row + input.width * 4 - 1 step 4) {
                val alpha = input.data[from + 3].toInt() and 0xFF
                val behind = background * (255 - alpha)
                for (channel in 0 until 3) {
                    val color = input.data[from + channel].toInt() and 0xFF
                    result.data[to++] = div255(behind + color * alpha).toByte()
                }
            }
        }
        return result
    }
}
