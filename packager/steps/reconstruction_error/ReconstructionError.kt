package packager.contract

import kotlin.math.abs

/** Mean of squared differences, or of their magnitudes. */
internal enum class ErrorMetric { MSE, MAE }

/** The mean error of a reconstruction against what was given: float64 in index order, rounded once. */
internal class ReconstructionError(
    private val metric: ErrorMetric,
) {
    private val value = FloatArray(1)

    /** The returned array is overwritten by the next call. */
    fun run(
        input: FloatArray,
        given: FloatArray,
    ): FloatArray {
        if (input.isEmpty()) throw ContractException("there are no values")
        checkSize(given.size, input.size)
        var sum = 0.0
        for (i in input.indices) {
            val difference = input[i].toDouble() - given[i]
            sum += if (metric == ErrorMetric.MSE) difference * difference else abs(difference)
        }
        value[0] = (sum / input.size).toFloat()
        return value
    }
}
