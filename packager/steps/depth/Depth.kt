package packager.contract

/** 16-bit pixels, rows without gaps, to an 8-bit image: the high byte of each value. */
internal class Depth(
    private val width: Int,
    private val height: Int,
    private val channels: Int,
) {
    private val bytes = ByteArray(width * height * channels)

    /**
     * The returned image is overwritten by the next call.
     *
     * @param input unsigned 16-bit values
     */
    fun run(input: ShortArray): Image {
        checkSize(input.size, bytes.size)
        for (i in input.indices) bytes[i] = (input[i].toInt() shr 8).toByte()
        return Image(bytes, width, height, channels)
    }
}
