package packager.contract

import kotlin.math.ln
import kotlin.math.log10

/** Base of a logarithm. */
internal enum class LogBase { E, TEN }

/** log(max(x, [floor]) + [offset]) in float64, rounded once. */
internal class LogSpectrum(
    private val floor: Float,
    private val offset: Float,
    private val base: LogBase,
) {
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        if (values.size != input.size) values = FloatArray(input.size)
        for (i in input.indices) {
            val x = (if (input[i] < floor) floor else input[i]).toDouble() + offset.toDouble()
            values[i] = (if (base == LogBase.E) ln(x) else log10(x)).toFloat()
        }
        return values
    }
}
