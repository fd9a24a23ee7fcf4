package packager.contract

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sin
import kotlin.math.sqrt

/**
 * Magnitude ([power] 1) or power (2) of [frames] frames under a periodic Hann window; the first frame starts at sample
 * [first], zeros lie around the signal. In float64, rounded once.
 */
internal class Spectrogram(
    frame: Int,
    private val hop: Int,
    private val fft: Int,
    private val first: Int,
    private val frames: Int,
    private val power: Int,
) {
    private val bins = fft / 2 + 1
    private val window = DoubleArray(frame) { 0.5 - 0.5 * cos(2.0 * PI * it / frame) }
    private val cosines = DoubleArray(fft) { cos(2.0 * PI * it / fft) }
    private val sines = DoubleArray(fft) { -sin(2.0 * PI * it / fft) }
    private val samples = DoubleArray(fft)
    private val real = DoubleArray(fft)
    private val imaginary = DoubleArray(fft)
    private val heldReal = DoubleArray(5)
    private val heldImaginary = DoubleArray(5)
    private val values = FloatArray(frames * bins)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        var to = 0
        for (t in 0 until frames) {
            val start = first + t * hop
            for (i in window.indices) {
                val at = start + i
                samples[i] = if (at < 0 || at >= input.size) 0.0 else input[at].toDouble() * window[i]
            }
            transform(0, fft, 1, 0)
            for (k in 0 until bins) {
                val both = real[k] * real[k] + imaginary[k] * imaginary[k]
                values[to++] = (if (power == 2) both else sqrt(both)).toFloat()
            }
        }
        return values
    }

    /** Discrete Fourier transform by decimation in time, of [count] samples [step] apart, to [out] and behind. */
    private fun transform(
        from: Int,
        count: Int,
        step: Int,
        out: Int,
    ) {
        if (count == 1) {
            real[out] = samples[from]
            imaginary[out] = 0.0
            return
        }
        val radix = RADICES.first { count % it == 0 }
        val part = count / radix
        for (q in 0 until radix) transform(from + q * step, part, step * radix, out + q * part)
        if (radix == 2) pairs(out, part, step) else butterflies(out, radix, part, step)
    }

    private fun pairs(
        out: Int,
        part: Int,
        step: Int,
    ) {
        for (u in out until out + part) {
            val v = u + part
            val turn = (u - out) * step
            val re = real[v] * cosines[turn] - imaginary[v] * sines[turn]
            val im = real[v] * sines[turn] + imaginary[v] * cosines[turn]
            real[v] = real[u] - re
            imaginary[v] = imaginary[u] - im
            real[u] += re
            imaginary[u] += im
        }
    }

    private fun butterflies(
        out: Int,
        radix: Int,
        part: Int,
        step: Int,
    ) {
        for (u in 0 until part) {
            for (q in 0 until radix) {
                heldReal[q] = real[out + u + q * part]
                heldImaginary[q] = imaginary[out + u + q * part]
            }
            for (r in 0 until radix) {
                val k = u + r * part
                var re = heldReal[0]
                var im = heldImaginary[0]
                var turn = 0
                for (q in 1 until radix) {
                    turn = (turn + step * k) % fft
                    re += heldReal[q] * cosines[turn] - heldImaginary[q] * sines[turn]
                    im += heldReal[q] * sines[turn] + heldImaginary[q] * cosines[turn]
                }
                real[out + k] = re
                imaginary[out + k] = im
            }
        }
    }

    private companion object {
        /** Factors of a transform's length. */
        val RADICES = intArrayOf(2, 3, 5)
    }
}
