package packager.contract

import kotlin.math.abs
import kotlin.math.exp

/** `1 / (1 + exp(-x))` of each value, in float64; NaN stays NaN. */
internal class Sigmoid {
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        if (values.size != input.size) values = FloatArray(input.size)
        for (i in input.indices) {
            val x = input[i].toDouble()
            val small = exp(-abs(x))
            values[i] = ((if (x >= 0.0) 1.0 else small) / (1.0 + small)).toFloat()
        }
        return values
    }
}
