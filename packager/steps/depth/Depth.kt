package packager.contract

/** 16-bit pixels, rows without gaps, to an 8-bit image: the high byte of each value. */
internal class Depth(
    width: Int,
    height: Int,
    channels: Int,
) {
    private val result = Image(ByteArray(width * height * channels), width, height, channels)

    /**
     * The returned image is overwritten by the next call.
     *
     * @param input unsigned 16-bit values
     */
    fun run(input: ShortArray): Image {
        checkSize(input.size, result.data.size)
        for (i in input.indices) result.data[i] = (input[i].toInt() shr 8).toByte()
        return result
    }
}
