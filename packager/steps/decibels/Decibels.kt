package packager.contract

import kotlin.math.log10

/** Power that is 0 dB. */
internal enum class DecibelReference { ONE, MAX }

/** Power to decibels in float64, rounded once; values more than [range] below the largest are raised to it (0: none). */
internal class Decibels(
    private val reference: DecibelReference,
    floor: Float,
    private val range: Float,
) {
    private val least = floor.toDouble()
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        if (values.size != input.size) values = FloatArray(input.size)
        var largest = least
        for (power in input) if (power > largest) largest = power.toDouble()
        val zero = 10.0 * log10(if (reference == DecibelReference.MAX) largest else maxOf(1.0, least))
        val lowest = 10.0 * log10(largest) - zero - range
        for (i in input.indices) {
            val power = input[i].toDouble()
            val level = 10.0 * log10(if (power < least) least else power) - zero
            values[i] = (if (range > 0 && level < lowest) lowest else level).toFloat()
        }
        return values
    }
}
