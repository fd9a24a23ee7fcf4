package packager.contract

/** Image of R, G and B to one channel, in integers: `(R * 19595 + G * 38470 + B * 7471 + 0x8000) >> 16`. */
internal class Grey {
    private val kept = KeptImage()

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        input.check(3)
        val result = kept.of(input.width, input.height, 1)
        var to = 0
        for (y in 0 until input.height) {
            val row = y * input.stride
            for (from in row..row + input.width * 3 - 1 step 3) {
                val red = input.data[from].toInt() and 0xFF
                val green = input.data[from + 1].toInt() and 0xFF
                val blue = input.data[from + 2].toInt() and 0xFF
                result.data[to++] = ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) shr 16).toByte()
            }
        }
        return result
    }
}
