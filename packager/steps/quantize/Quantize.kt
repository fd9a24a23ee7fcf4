package packager.contract

import kotlin.math.abs
import kotlin.math.truncate

/** float32 to int8: `clamp(round-half-away(x / scale) + zeroPoint)`; NaN becomes [zeroPoint]. */
internal class Quantize(
    private val scale: Float,
    private val zeroPoint: Int,
) {
    private var bytes = ByteArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): ByteArray {
        if (bytes.size != input.size) bytes = ByteArray(input.size)
        for (i in input.indices) bytes[i] = quantize(input[i], scale, zeroPoint)
        return bytes
    }
}

/** One value; division, rounding and clamping in float32. */
internal fun quantize(
    value: Float,
    scale: Float,
    zeroPoint: Int,
): Byte {
    val quotient = value / scale
    if (quotient.isNaN()) return zeroPoint.toByte()
    val whole = truncate(quotient)
    val away = if (abs(quotient - whole) >= 0.5f) (if (quotient < 0f) -1f else 1f) else 0f
    return (whole + away + zeroPoint).coerceIn(-128f, 127f).toInt().toByte()
}
