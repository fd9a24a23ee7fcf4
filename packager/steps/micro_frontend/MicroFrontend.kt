package packager.contract

import kotlin.math.abs

/** Which frames of longer audio are kept. */
internal enum class FramePlace { FIRST, LAST }

/**
 * The micro frontend of TensorFlow Lite Micro: audio to [frames] frames, [every] apart, of one feature a channel.
 *
 * All audio is one stream, and each frame goes on with the noise of those before it.
 *
 * @param window Hann, 12 bits
 * @param cosines cos(2 pi k / n), 15 bits
 * @param widths bins of each channel, one channel more than features
 * @param weights 12 bits: what a bin gives to its channel
 * @param unweights and to the one after it
 * @param gains the gain curve
 * @param noise smoothing bits, even and odd smoothing and the part that remains (14 bits)
 */
internal class MicroFrontend(
    private val window: IntArray,
    private val cosines: IntArray,
    private val widths: IntArray,
    private val weights: IntArray,
    private val unweights: IntArray,
    private val gains: IntArray,
    private val noise: IntArray,
    private val firstBin: Int,
    private val step: Int,
    private val gain: Boolean,
    private val gainShift: Int,
    private val log: Boolean,
    private val logShift: Int,
    private val frames: Int,
    private val every: Int,
    private val place: FramePlace,
    private val pad: Boolean,
    private val scale: Float,
) {
    private val channels = widths.size - 1
    private val correction = bitsOf(cosines.size.toLong()) - 1 - 6
    private val transform = FixedTransform(cosines)
    private val shaped = IntArray(window.size)
    private val estimate = LongArray(channels)
    private val signal = LongArray(channels)
    private val values = FloatArray(frames * channels)

    /** The returned array is overwritten by the next call. */
    fun run(input: Audio): FloatArray {
        input.check(1, Int.MAX_VALUE)
        val needed = (frames - 1) * every + 1
        var total = if (input.frames < window.size) 0 else 1 + (input.frames - window.size) / step
        if (total < needed && !pad) {
            val least = window.size + (needed - 1) * step
            throw ContractException("at least $least samples are needed, not ${input.frames}")
        }
        total = maxOf(total, needed)
        estimate.fill(0)
        val first = if (place == FramePlace.FIRST) 0 else total - needed
        var to = 0
        for (i in 0 until first + needed) {
            val kept = i >= first && (i - first) % every == 0
            frame(input.samples, minOf(i * step, input.frames), input.frames, if (kept) to else -1)
            if (kept) to += channels
        }
        return values
    }

    /** One window from [start] on; with [to] of at least 0 also its features. */
    private fun frame(
        samples: ShortArray,
        start: Int,
        end: Int,
        to: Int,
    ) {
        val shift = shape(samples, start, end)
        transform.run(shaped, shift)
        accumulate(shift)
        for (channel in 0 until channels) {
            val left = reduce(signal[channel], channel)
            if (to >= 0) values[to + channel] = finish(left, estimate[channel]).toFloat() * scale
        }
    }

    /** Window; the shift by which its largest value fills 15 bits. The least short has no twin: it is left out. */
    private fun shape(
        samples: ShortArray,
        start: Int,
        end: Int,
    ): Int {
        var largest = 0
        for (i in window.indices) {
            val value = if (start + i < end) (samples[start + i] * window[i]) shr 12 else 0
            shaped[i] = value
            if (value != -32768) largest = maxOf(largest, abs(value))
        }
        return 15 - bitsOf(largest.toLong())
    }

    /** Root of each channel's weighted energy. */
    private fun accumulate(shift: Int) {
        var passed = 0L
        var bin = firstBin
        var at = 0
        for (channel in widths.indices) {
            var kept = passed
            passed = 0
            repeat(widths[channel]) {
                val energy = transform.energy(bin++)
                kept += energy * weights[at]
                passed += energy * unweights[at++]
            }
            if (channel > 0) signal[channel - 1] = root(kept) shr shift
        }
    }

    /** Moves the noise of a channel towards its signal; the signal without it. */
    private fun reduce(
        value: Long,
        channel: Int,
    ): Long {
        val bits = noise[0]
        val smoothing = noise[1 + channel % 2].toLong()
        val wide = value shl bits and LOW32
        val now = (wide * smoothing + estimate[channel] * ((1L shl 14) - smoothing)) shr 14 and LOW32
        estimate[channel] = now
        val left = if (now > wide) 0 else (wide - now) shr bits
        return maxOf(left, value * noise[3] shr 14)
    }

    /** Gain control and logarithm. */
    private fun finish(
        left: Long,
        noise: Long,
    ): Long {
        var value = left
        if (gain) value = shrink(value * gainOf(noise) ushr gainShift and LOW32)
        if (log) {
            val corrected = if (correction < 0) value shr -correction else value shl correction and LOW32
            value = logarithm(corrected, logShift)
        }
        return minOf(value, 0xFFFF)
    }

    /** The gain curve: a parabola between two powers of two. */
    private fun gainOf(x: Long): Long {
        if (x <= 2) return gains[x.toInt()].toLong()
        val bits = bitsOf(x)
        val at = 4 * bits - 6
        val part = (if (bits < 11) x shl (11 - bits) else x shr (bits - 11)) and 0x3FF
        val slope = (gains[at + 2] * part shr 5) + (gains[at + 1].toLong() shl 5)
        val value = (slope * part + (1 shl 14) shr 15) + gains[at]
        return value.toShort().toLong() and LOW32
    }
}

/** Number of bits of a value. */
private fun bitsOf(value: Long): Int = Long.SIZE_BITS - value.countLeadingZeroBits()

/** Square root, rounded to the nearest, but at most 16 bits for a value of at most 32. */
private fun root(value: Long): Long {
    if (value == 0L) return 0
    var rest = value
    var found = 0L
    var bit = 1L shl (bitsOf(value) - 1) / 2 * 2
    while (bit != 0L) {
        if (rest >= found + bit) {
            rest -= found + bit
            found = (found shr 1) + bit
        } else {
            found = found shr 1
        }
        bit = bit shr 2
    }
    val most = if (value shr 32 == 0L) 0xFFFF else LOW32
    return if (rest > found && found != most) found + 1 else found
}

private fun shrink(ratio: Long): Long = if (ratio < 2L shl 12) ratio * ratio shr 20 else (ratio shr 6) - (1 shl 6)

/** Natural logarithm: log2 by a straight line and what it lacks at 128 places, times ln 2. */
private fun logarithm(
    x: Long,
    shift: Int,
): Long {
    if (x <= 1) return 0
    val whole = bitsOf(x) - 1
    val rest = x - (1L shl whole)
    val part = (if (whole < 16) rest shl (16 - whole) else rest shr (whole - 16)).toInt()
    val segment = part shr 9
    val lack = LOG_TABLE[segment]
    val fraction = part + lack + ((LOG_TABLE[segment + 1] - lack) * (part - (segment shl 9)) shr 16)
    val natural = (45426 * ((whole.toLong() shl 16) + fraction) + 32768) shr 16
    return (natural shl shift) + 32768 shr 16
}

private const val LOW32 = 0xFFFFFFFFL

private val LOG_TABLE =
    intArrayOf(
        0,
        224,
        442,
        654,
        861,
        1063,
        1259,
        1450,
        1636,
        1817,
        1992,
        2163,
        2329,
        2490,
        2646,
        2797,
        2944,
        3087,
        3224,
        3358,
        3487,
        3611,
        3732,
        3848,
        3960,
        4068,
        4172,
        4272,
        4368,
        4460,
        4549,
        4633,
        4714,
        4791,
        4864,
        4934,
        5001,
        5063,
        5123,
        5178,
        5231,
        5280,
        5326,
        5368,
        5408,
        5444,
        5477,
        5507,
        5533,
        5557,
        5578,
        5595,
        5610,
        5622,
        5631,
        5637,
        5640,
        5641,
        5638,
        5633,
        5626,
        5615,
        5602,
        5586,
        5568,
        5547,
        5524,
        5498,
        5470,
        5439,
        5406,
        5370,
        5332,
        5291,
        5249,
        5203,
        5156,
        5106,
        5054,
        5000,
        4944,
        4885,
        4825,
        4762,
        4697,
        4630,
        4561,
        4490,
        4416,
        4341,
        4264,
        4184,
        4103,
        4020,
        3935,
        3848,
        3759,
        3668,
        3575,
        3481,
        3384,
        3286,
        3186,
        3084,
        2981,
        2875,
        2768,
        2659,
        2549,
        2437,
        2323,
        2207,
        2090,
        1971,
        1851,
        1729,
        1605,
        1480,
        1353,
        1224,
        1094,
        963,
        830,
        695,
        559,
        421,
        282,
        142,
        0,
    )
