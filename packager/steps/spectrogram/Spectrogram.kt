package packager.contract

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sqrt

/**
 * Magnitude ([power] 1) or power (2) of [frames] frames under a periodic Hann window; the first frame starts at sample
 * [first], zeros lie around the signal. In float64, rounded once.
 */
internal class Spectrogram(
    frame: Int,
    private val hop: Int,
    fft: Int,
    private val first: Int,
    private val frames: Int,
    private val power: Int,
) {
    private val half = fft / 2
    private val bins = half + 1
    private val window = DoubleArray(frame) { 0.5 - 0.5 * cos(2.0 * PI * minOf(it, frame - it) / frame) }
    private val transform = FourierTransform(half, fft)
    private val values = FloatArray(frames * bins)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        for (t in 0 until frames) {
            takeFrame(input, first + t * hop)
            transform.run()
            writeBins(t * bins)
        }
        return values
    }

    /** Even samples as real, odd ones as imaginary parts. */
    private fun takeFrame(
        input: FloatArray,
        start: Int,
    ) {
        val real = transform.data.real
        val imaginary = transform.data.imaginary
        for (j in 0 until half) {
            real[j] = sample(input, start, 2 * j)
            imaginary[j] = sample(input, start, 2 * j + 1)
        }
    }

    private fun sample(
        input: FloatArray,
        start: Int,
        i: Int,
    ): Double {
        val at = start + i
        return if (i >= window.size || at < 0 || at >= input.size) 0.0 else input[at].toDouble() * window[i]
    }

    /** From the transform of half the length to the bins of the frame. */
    private fun writeBins(to: Int) {
        val real = transform.data.real
        val imaginary = transform.data.imaginary
        for (k in 0..half / 2) {
            val m = if (k == 0) 0 else half - k
            val evenReal = (real[k] + real[m]) * 0.5
            val evenImaginary = (imaginary[k] - imaginary[m]) * 0.5
            val oddReal = (imaginary[k] + imaginary[m]) * 0.5
            val oddImaginary = (real[m] - real[k]) * 0.5
            val rootReal = transform.roots.real[k]
            val rootImaginary = transform.roots.imaginary[k]
            val tailReal = oddReal * rootReal - oddImaginary * rootImaginary
            val tailImaginary = oddReal * rootImaginary + oddImaginary * rootReal
            values[to + k] = bin(evenReal + tailReal, evenImaginary + tailImaginary)
            values[to + half - k] = bin(evenReal - tailReal, evenImaginary - tailImaginary)
        }
    }

    private fun bin(
        real: Double,
        imaginary: Double,
    ): Float {
        val both = real * real + imaginary * imaginary
        return (if (power == 2) both else sqrt(both)).toFloat()
    }
}
