package packager.contract

import kotlin.math.sqrt

/** What keeps a flat image from a division by zero. */
internal enum class SpreadGuard {
    /** At least `1 / sqrt(n)` is the divisor. */
    TENSORFLOW,

    /** 1e-6 is added to the divisor. */
    KERAS,
}

/** Minus the mean of all values of the image, over their standard deviation, in float64 by a table. */
internal class Standardize(
    private val guard: SpreadGuard,
) {
    private val counts = IntArray(256)
    private val table = FloatArray(256)
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: Image): FloatArray {
        val row = input.width * input.channels
        if (values.size != row * input.height) values = FloatArray(row * input.height)
        count(input, row)
        tabulate(values.size)
        var to = 0
        for (y in 0 until input.height) {
            val from = y * input.stride
            for (i in from until from + row) values[to++] = table[input.data[i].toInt() and 0xFF]
        }
        return values
    }

    private fun count(
        input: Image,
        row: Int,
    ) {
        counts.fill(0)
        for (y in 0 until input.height) {
            val from = y * input.stride
            for (i in from until from + row) counts[input.data[i].toInt() and 0xFF]++
        }
    }

    private fun tabulate(size: Int) {
        var sum = 0L
        for (level in counts.indices) sum += counts[level].toLong() * level
        val mean = sum.toDouble() / size
        var squares = 0.0
        for (level in counts.indices) squares += counts[level] * ((level - mean) * (level - mean))
        val divisor = divisor(guard, squares / size, size)
        for (level in table.indices) table[level] = ((level - mean) / divisor).toFloat()
    }
}

/** Minus the mean of each channel's numbers (1 channel: of all), over their standard deviation, in float64. */
internal class StandardizeFloats(
    private val guard: SpreadGuard,
    private val channels: Int,
) {
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        if (input.isEmpty()) throw ContractException("there are no values")
        if (values.size != input.size) values = FloatArray(input.size)
        for (channel in 0 until channels) standardize(input, channel)
        return values
    }

    private fun standardize(
        input: FloatArray,
        channel: Int,
    ) {
        val count = input.size / channels
        var sum = 0.0
        for (i in channel..input.size - 1 step channels) sum += input[i]
        val mean = sum / count
        var squares = 0.0
        for (i in channel..input.size - 1 step channels) squares += (input[i] - mean) * (input[i] - mean)
        val divisor = divisor(guard, squares / count, count)
        for (i in channel..input.size - 1 step channels) values[i] = ((input[i] - mean) / divisor).toFloat()
    }
}

private fun divisor(
    guard: SpreadGuard,
    variance: Double,
    size: Int,
): Double =
    when (guard) {
        SpreadGuard.TENSORFLOW -> maxOf(sqrt(variance), 1.0 / sqrt(size.toDouble()))
        SpreadGuard.KERAS -> sqrt(variance) + 1e-6
    }
