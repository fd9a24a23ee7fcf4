package packager.contract

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sin

/** Complex numbers, real and imaginary parts apart. */
internal class Complexes(
    size: Int,
) {
    val real = DoubleArray(size)
    val imaginary = DoubleArray(size)
}

/** Discrete Fourier transform of [count] complex values, factors 2, 3 and 5, by Stockham's passes. */
internal class FourierTransform(
    private val count: Int,
    private val length: Int,
) {
    /** What is transformed, and after [run] its transform. */
    var data = Complexes(count)
        private set

    /** exp(-2 pi i k / length), [length] a multiple of [count]. */
    val roots = Complexes(length)
    private var other = Complexes(count)

    init {
        for (k in 0..length / 2) {
            val angle = 2.0 * PI * k / length
            val mirrored = (length - k) % length
            roots.real[mirrored] = cos(angle)
            roots.real[k] = cos(angle)
            roots.imaginary[mirrored] = sin(angle)
            roots.imaginary[k] = -sin(angle)
        }
    }

    fun run() {
        var left = count
        var width = 1
        while (left > 1) {
            val radix = RADICES.first { left % it == 0 }
            val turn = length / left
            left /= radix
            for (p in 0 until left) {
                when (radix) {
                    4 -> foursOf(p, left * width, width, p * turn)
                    2 -> pairsOf(p, left * width, width, p * turn)
                    else -> groupsOf(radix, p, left * width, width, p * turn)
                }
            }
            data = other.also { other = data }
            width *= radix
        }
    }

    private fun pairsOf(
        p: Int,
        apart: Int,
        width: Int,
        turn: Int,
    ) {
        val to = 2 * p * width
        for (q in 0 until width) {
            val a = p * width + q
            val b = a + apart
            other.real[to + q] = data.real[a] + data.real[b]
            other.imaginary[to + q] = data.imaginary[a] + data.imaginary[b]
            turned(to + q + width, data.real[a] - data.real[b], data.imaginary[a] - data.imaginary[b], turn)
        }
    }

    private fun foursOf(
        p: Int,
        apart: Int,
        width: Int,
        turn: Int,
    ) {
        val real = data.real
        val imaginary = data.imaginary
        val toReal = other.real
        val toImaginary = other.imaginary
        val oneReal = roots.real[turn]
        val oneImaginary = roots.imaginary[turn]
        val twoReal = roots.real[2 * turn]
        val twoImaginary = roots.imaginary[2 * turn]
        val threeReal = roots.real[3 * turn]
        val threeImaginary = roots.imaginary[3 * turn]
        for (q in 0 until width) {
            val a = p * width + q
            val b = a + apart
            val c = b + apart
            val d = c + apart
            val to = 4 * p * width + q
            val evenReal = real[a] + real[c]
            val evenImaginary = imaginary[a] + imaginary[c]
            val oddReal = real[a] - real[c]
            val oddImaginary = imaginary[a] - imaginary[c]
            val sumReal = real[b] + real[d]
            val sumImaginary = imaginary[b] + imaginary[d]
            val differenceReal = imaginary[b] - imaginary[d]
            val differenceImaginary = real[d] - real[b]
            toReal[to] = evenReal + sumReal
            toImaginary[to] = evenImaginary + sumImaginary
            val firstReal = oddReal + differenceReal
            val firstImaginary = oddImaginary + differenceImaginary
            toReal[to + width] = firstReal * oneReal - firstImaginary * oneImaginary
            toImaginary[to + width] = firstReal * oneImaginary + firstImaginary * oneReal
            val secondReal = evenReal - sumReal
            val secondImaginary = evenImaginary - sumImaginary
            toReal[to + 2 * width] = secondReal * twoReal - secondImaginary * twoImaginary
            toImaginary[to + 2 * width] = secondReal * twoImaginary + secondImaginary * twoReal
            val thirdReal = oddReal - differenceReal
            val thirdImaginary = oddImaginary - differenceImaginary
            toReal[to + 3 * width] = thirdReal * threeReal - thirdImaginary * threeImaginary
            toImaginary[to + 3 * width] = thirdReal * threeImaginary + thirdImaginary * threeReal
        }
    }

    /** Any radix, by the definition. */
    private fun groupsOf(
        radix: Int,
        p: Int,
        apart: Int,
        width: Int,
        turn: Int,
    ) {
        for (k in 0 until radix) {
            for (q in 0 until width) {
                val from = p * width + q
                var re = data.real[from]
                var im = data.imaginary[from]
                for (j in 1 until radix) {
                    val root = j * k % radix * (length / radix)
                    val a = from + j * apart
                    re += data.real[a] * roots.real[root] - data.imaginary[a] * roots.imaginary[root]
                    im += data.real[a] * roots.imaginary[root] + data.imaginary[a] * roots.real[root]
                }
                turned((radix * p + k) * width + q, re, im, k * turn)
            }
        }
    }

    private fun turned(
        to: Int,
        re: Double,
        im: Double,
        root: Int,
    ) {
        other.real[to] = re * roots.real[root] - im * roots.imaginary[root]
        other.imaginary[to] = re * roots.imaginary[root] + im * roots.real[root]
    }

    private companion object {
        /** Factors of a transform's length, the fastest first. */
        val RADICES = intArrayOf(4, 2, 3, 5)
    }
}
