package packager.contract

/** Channels of each pixel to planes: [1, height, width, channels] to [1, channels, height, width]. */
internal class LayoutNchw(
    private val pixels: Int,
    private val channels: Int,
) {
    private val values = FloatArray(pixels * channels)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        checkSize(input.size, values.size)
        var to = 0
        for (channel in 0 until channels) {
            for (pixel in 0 until pixels) values[to++] = input[pixel * channels + channel]
        }
        return values
    }
}
