package packager.contract

/** Image of R, G and B to one channel, in integers: `(R * 19595 + G * 38470 + B * 7471 + 0x8000) >> 16`. */
internal class Grey {
    private var bytes = ByteArray(0)

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        input.check(3)
        val size = input.width * input.height
        if (bytes.size < size) bytes = ByteArray(size)
        var to = 0
        for (y in 0 until input.height) {
            val row = y * input.stride
            for (from in row until row + input.width * 3 step 3) {
                val red = input.data[from].toInt() and 0xFF
                val green = input.data[from + 1].toInt() and 0xFF
                val blue = input.data[from + 2].toInt() and 0xFF
                bytes[to++] = ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) shr 16).toByte()
            }
        }
        return Image(bytes, input.width, input.height, 1)
    }
}
