package packager.contract

/** int8 to float32: `(q - zeroPoint) * scale`. */
internal class Dequantize(
    private val scale: Float,
    private val zeroPoint: Int,
) {
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: ByteArray): FloatArray {
        if (values.size != input.size) values = FloatArray(input.size)
        for (i in input.indices) values[i] = (input[i] - zeroPoint) * scale
        return values
    }
}
