package packager.contract

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.sin
import kotlin.math.sqrt

/** Another sampling rate, [up] / [down] times the one before, through a polyphase filter in float64. */
internal class ResamplePolyphase(
    private val up: Int,
    private val down: Int,
) {
    private val half = 10 * maxOf(up, down)
    private val taps = lowPass(half, up.toDouble())
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        val length = ((input.size.toLong() * up + down - 1) / down).toInt()
        if (values.size != length) values = FloatArray(length)
        for (i in 0 until length) values[i] = at(input, i.toLong() * down)
        return values
    }

    private fun at(
        input: FloatArray,
        middle: Long,
    ): Float {
        var k = if (middle <= half) 0 else ((middle - half + up - 1) / up).toInt()
        var sum = 0.0
        while (k < input.size && k.toLong() * up <= middle + half) {
            sum += input[k].toDouble() * taps[abs(middle - k.toLong() * up).toInt()]
            k++
        }
        return sum.toFloat()
    }
}

/** Taps of a low-pass filter from its middle outwards: [gain] times a windowed sinc of sum 1 and cut-off 10 / [half]. */
private fun lowPass(
    half: Int,
    gain: Double,
): DoubleArray {
    val cut = 10.0 / half
    val taps =
        DoubleArray(half + 1) { i ->
            val place = i.toDouble() / half
            val angle = PI * cut * i
            val sinc = if (i == 0) cut else cut * sin(angle) / angle
            sinc * besselI0(5.0 * sqrt(1.0 - place * place)) / besselI0(5.0)
        }
    var sum = 0.0
    for (i in taps.indices) sum += if (i == 0) taps[i] else 2.0 * taps[i]
    for (i in taps.indices) taps[i] *= gain / sum
    return taps
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
private fun besselI0(x: Double): Double {
    val quarter = x * x / 4.0
    var term = 1.0
    var sum = 1.0
    var k = 1
    while (term > sum * 1e-17) {
        term *= quarter / (k.toDouble() * k)
        sum += term
        k++
    }
    return sum
}
