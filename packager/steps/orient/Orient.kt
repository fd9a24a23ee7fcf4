package packager.contract

/** Turns and mirrors an image as its EXIF orientation, 1 to 8, says. 5 to 8 exchange width and height. */
internal class Orient(
    private val orientation: Int,
) {
    private val turned = orientation >= 5
    private val mirrorX = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7
    private val mirrorY = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8
    private val kept = KeptImage()

    /** The returned image is overwritten by the next call; for orientation 1 it is [input]. */
    fun run(input: Image): Image {
        if (orientation == 1) return input
        val channels = input.channels
        val width = if (turned) input.height else input.width
        val height = if (turned) input.width else input.height
        val stepX = if (turned) input.stride else channels
        val stepY = if (turned) channels else input.stride
        val result = kept.of(width, height, channels)
        var to = 0
        for (y in 0 until height) {
            val row = (if (mirrorY) height - 1 - y else y) * stepY
            for (x in 0 until width) {
                val from = row + (if (mirrorX) width - 1 - x else x) * stepX
                for (channel in 0 until channels) result.data[to++] = input.data[from + channel]
            }
        }
        return result
    }
}
