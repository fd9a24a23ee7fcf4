package packager.contract

private const val ROUND = 1 shl 14
private const val HALF = 16383
private const val QUARTER = 8191

/** Real transform of kissfft with 16 bits, divided by its length: radix 4, the innermost 2 where that is left. */
internal class FixedTransform(
    private val cosines: IntArray,
) {
    private val half = cosines.size / 2
    private val mask = cosines.size - 1
    private val re = IntArray(half)
    private val im = IntArray(half)

    /** Place of each complex sample before the transform: its digits in base 4 (and once 2) in the other order. */
    private val order = IntArray(half) { placeOf(it) }

    fun energy(bin: Int): Long = re[bin].toLong() * re[bin] + im[bin].toLong() * im[bin]

    /** Bins 1 to half - 1 of [values] times 2 to the [shift], zeros after them. */
    fun run(
        values: IntArray,
        shift: Int,
    ) {
        for (i in 0 until half) {
            val to = order[i]
            re[to] = if (2 * i < values.size) wrap16(values[2 * i] shl shift) else 0
            im[to] = if (2 * i + 1 < values.size) wrap16(values[2 * i + 1] shl shift) else 0
        }
        var m = 1
        if (half.countTrailingZeroBits() % 2 == 1) {
            for (i in 0..half - 1 step 2) pair(i)
            m = 2
        }
        while (m < half) {
            val stride = cosines.size / (4 * m)
            for (k in 0 until m) {
                for (i in k..half - 1 step 4 * m) four(i, m, k * stride)
            }
            m *= 4
        }
        split()
    }

    private fun placeOf(index: Int): Int {
        var place = 0
        var rest = index
        var size = half
        while (size > 1) {
            val radix = if (size % 4 == 0) 4 else 2
            size /= radix
            place += rest % radix * size
            rest /= radix
        }
        return place
    }

    private fun pair(i: Int) {
        val a = scale15(re[i], HALF)
        val b = scale15(im[i], HALF)
        val c = scale15(re[i + 1], HALF)
        val d = scale15(im[i + 1], HALF)
        put(i, a + c, b + d)
        put(i + 1, a - c, b - d)
    }

    private fun four(
        i: Int,
        m: Int,
        turn: Int,
    ) {
        val aRe = scale15(re[i], QUARTER)
        val aIm = scale15(im[i], QUARTER)
        val bRe = scale15(re[i + m], QUARTER)
        val bIm = scale15(im[i + m], QUARTER)
        val cRe = scale15(re[i + 2 * m], QUARTER)
        val cIm = scale15(im[i + 2 * m], QUARTER)
        val dRe = scale15(re[i + 3 * m], QUARTER)
        val dIm = scale15(im[i + 3 * m], QUARTER)
        if (turn == 0) {
            // A turn by 0 is a product with 32767 / 32768, which rounding undoes at this size.
            join(i, m, aRe, aIm, bRe, bIm, cRe, cIm, dRe, dIm)
        } else {
            join(
                i,
                m,
                aRe,
                aIm,
                turnedRe(bRe, bIm, turn),
                turnedIm(bRe, bIm, turn),
                turnedRe(cRe, cIm, 2 * turn),
                turnedIm(cRe, cIm, 2 * turn),
                turnedRe(dRe, dIm, 3 * turn),
                turnedIm(dRe, dIm, 3 * turn),
            )
        }
    }

    private fun join(
        i: Int,
        m: Int,
        aRe: Int,
        aIm: Int,
        bRe: Int,
        bIm: Int,
        cRe: Int,
        cIm: Int,
        dRe: Int,
        dIm: Int,
    ) {
        val evenRe = aRe + cRe
        val evenIm = aIm + cIm
        val oddRe = aRe - cRe
        val oddIm = aIm - cIm
        put(i, evenRe + bRe + dRe, evenIm + bIm + dIm)
        put(i + m, oddRe + bIm - dIm, oddIm - bRe + dRe)
        put(i + 2 * m, evenRe - bRe - dRe, evenIm - bIm - dIm)
        put(i + 3 * m, oddRe - bIm + dIm, oddIm + bRe - dRe)
    }

    private fun split() {
        for (k in 1..half / 2) {
            val j = half - k
            val aRe = scale15(re[k], HALF)
            val aIm = scale15(im[k], HALF)
            val bRe = scale15(re[j], HALF)
            val bIm = scale15(wrap16(-im[j]), HALF)
            val sumRe = wrap16(aRe + bRe)
            val sumIm = wrap16(aIm + bIm)
            val lessRe = wrap16(aRe - bRe)
            val lessIm = wrap16(aIm - bIm)
            val turn = k + cosines.size / 4
            val turnRe = turnedRe(lessRe, lessIm, turn)
            val turnIm = turnedIm(lessRe, lessIm, turn)
            put(k, (sumRe + turnRe) shr 1, (sumIm + turnIm) shr 1)
            put(j, (sumRe - turnRe) shr 1, (turnIm - sumIm) shr 1)
        }
    }

    /** Real part of a product with exp(-2 pi i turn / n), rounded. */
    private fun turnedRe(
        real: Int,
        imaginary: Int,
        turn: Int,
    ): Int = wrap16((real * cosines[turn and mask] - imaginary * sine(turn) + ROUND) shr 15)

    private fun turnedIm(
        real: Int,
        imaginary: Int,
        turn: Int,
    ): Int = wrap16((real * sine(turn) + imaginary * cosines[turn and mask] + ROUND) shr 15)

    private fun sine(turn: Int): Int = cosines[turn + cosines.size / 4 and mask]

    private fun put(
        i: Int,
        real: Int,
        imaginary: Int,
    ) {
        re[i] = wrap16(real)
        im[i] = wrap16(imaginary)
    }

    private fun wrap16(value: Int): Int = value.toShort().toInt()

    private fun scale15(
        value: Int,
        factor: Int,
    ): Int = (value * factor + ROUND) shr 15
}
