package packager.contract

/** Audio to [samples] numbers in [-1, 1): the channels' mean, cut or padded with zeros at the end. */
internal class Waveform(
    samples: Int,
) {
    private val values = FloatArray(samples)

    /** The returned array is overwritten by the next call. */
    fun run(input: Audio): FloatArray {
        val full = (32768 * input.channels).toFloat()
        val kept = minOf(values.size, input.frames)
        var from = 0
        for (i in 0 until kept) {
            var sum = 0
            for (c in 0 until input.channels) sum += input.samples[from++]
            values[i] = sum / full
        }
        values.fill(0f, kept, values.size)
        return values
    }
}
