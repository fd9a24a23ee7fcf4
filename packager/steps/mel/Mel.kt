package packager.contract

/**
 * A filter bank over rows of [columns] values: filter i takes `counts[i]` columns from `starts[i]`, and its weights
 * follow those of the filter before it. Sums in float64, rounded once.
 */
internal class Mel(
    private val columns: Int,
    private val starts: IntArray,
    private val counts: IntArray,
    private val weights: FloatArray,
) {
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        if (input.size % columns != 0) throw ContractException("rows of $columns values are needed, got ${input.size}")
        val frames = input.size / columns
        if (values.size != frames * starts.size) values = FloatArray(frames * starts.size)
        for (t in 0 until frames) row(input, t)
        return values
    }

    private fun row(
        input: FloatArray,
        t: Int,
    ) {
        var weight = 0
        for (i in starts.indices) {
            val from = t * columns + starts[i]
            var sum = 0.0
            for (k in from until from + counts[i]) sum += input[k].toDouble() * weights[weight++]
            values[t * starts.size + i] = sum.toFloat()
        }
    }
}
