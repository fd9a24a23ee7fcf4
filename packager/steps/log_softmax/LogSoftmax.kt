package packager.contract

import kotlin.math.exp
import kotlin.math.ln

/** Logarithm of softmax over rows of [classes] values, in float64. A row that is not finite becomes NaN. */
internal class LogSoftmax(
    private val classes: Int,
) {
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        if (input.size % classes != 0) throw ContractException("rows of $classes scores are needed, got ${input.size}")
        if (values.size != input.size) values = FloatArray(input.size)
        for (start in input.indices step classes) row(input, start)
        return values
    }

    private fun row(
        input: FloatArray,
        start: Int,
    ) {
        val end = start + classes
        var largest = Double.NEGATIVE_INFINITY
        var finite = true
        for (i in start until end) {
            finite = finite && input[i].isFinite()
            largest = maxOf(largest, input[i].toDouble())
        }
        var sum = 0.0
        for (i in start until end) sum += exp(input[i] - largest)
        val logarithm = ln(sum)
        for (i in start until end) values[i] = if (finite) (input[i] - largest - logarithm).toFloat() else Float.NaN
    }
}
