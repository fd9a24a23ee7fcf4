package packager.contract

/** Image of four channels to its first three. */
internal class AlphaDrop {
    private var bytes = ByteArray(0)

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        input.check(4)
        val size = input.width * input.height * 3
        if (bytes.size < size) bytes = ByteArray(size)
        var to = 0
        for (y in 0 until input.height) {
            val row = y * input.stride
            for (from in row until row + input.width * 4 step 4) {
                input.data.copyInto(bytes, to, from, from + 3)
                to += 3
            }
        }
        return Image(bytes, input.width, input.height)
    }
}

/** Image of R, G, B and alpha, laid over a grey level: `div255(background * (255 - alpha) + colour * alpha)`. */
internal class AlphaOver(
    private val background: Int,
) {
    private var bytes = ByteArray(0)

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        input.check(4)
        val size = input.width * input.height * 3
        if (bytes.size < size) bytes = ByteArray(size)
        var to = 0
        for (y in 0 until input.height) {
            val row = y * input.stride
            for (from in row until row + input.width * 4 step 4) {
                val alpha = input.data[from + 3].toInt() and 0xFF
                val behind = background * (255 - alpha)
                for (channel in 0 until 3) {
                    val color = input.data[from + channel].toInt() and 0xFF
                    bytes[to++] = div255(behind + color * alpha).toByte()
                }
            }
        }
        return Image(bytes, input.width, input.height)
    }
}
