package packager.contract

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sqrt

/** How the first coefficient is scaled. */
internal enum class CepstralScaling { ALIKE, ORTHONORMAL }

/** The first [count] coefficients of the DCT-II of each row of [columns] values, in float64, rounded once. */
internal class Mfcc(
    private val columns: Int,
    private val count: Int,
    scaling: CepstralScaling,
) {
    private val matrix =
        DoubleArray(count * columns) {
            val k = it / columns
            val first = k == 0 && scaling == CepstralScaling.ORTHONORMAL
            sqrt((if (first) 1.0 else 2.0) / columns) * cos(PI * (k * (2 * (it % columns) + 1)) / (2.0 * columns))
        }
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        if (input.size % columns != 0) throw ContractException("rows of $columns values are needed, got ${input.size}")
        val frames = input.size / columns
        if (values.size != frames * count) values = FloatArray(frames * count)
        for (t in 0 until frames) {
            for (k in 0 until count) {
                var sum = 0.0
                for (i in 0 until columns) sum += input[t * columns + i] * matrix[k * columns + i]
                values[t * count + k] = sum.toFloat()
            }
        }
        return values
    }
}
