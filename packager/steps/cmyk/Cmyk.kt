package packager.contract

/** Image of C, M, Y and K (0 is no ink) to R, G and B: `n - div255(ink * n)` with `n = 255 - K`. */
internal class Cmyk {
    private val kept = KeptImage()

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        input.check(4)
        val result = kept.of(input.width, input.height, 3)
        var to = 0
        for (y in 0 until input.height) {
            val row = y * input.stride
            for (from in row..row + input.width * 4 - 1 step 4) {
                val rest = 255 - (input.data[from + 3].toInt() and 0xFF)
                for (channel in 0 until 3) {
                    val ink = input.data[from + channel].toInt() and 0xFF
                    result.data[to++] = (rest - div255(ink * rest)).toByte()
                }
            }
        }
        return result
    }
}
