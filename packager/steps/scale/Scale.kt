package packager.contract

/** `x * factor + offset`; [factors] and [offsets] in turn: 1 of each, or one for each channel. */
internal class Scale(
    private val factors: FloatArray,
    private val offsets: FloatArray,
) {
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        if (values.size != input.size) values = FloatArray(input.size)
        var channel = 0
        for (i in input.indices) {
            values[i] = input[i] * factors[channel] + offsets[channel]
            if (++channel == factors.size) channel = 0
        }
        return values
    }
}
