package packager.contract

/** Pixels to the model's float range: `(x - mean) / std`, by a table for each channel that is made in float64. */
internal class Normalize(
    mean: DoubleArray,
    std: DoubleArray,
    private val order: ChannelOrder,
) {
    private val tables = Array(mean.size) { FloatArray(LEVELS) { level -> normalized(level, mean[it], std[it]) } }
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: Image): FloatArray {
        input.check(if (order == ChannelOrder.GREY) 1 else 3)
        val size = input.width * input.height * input.channels
        if (values.size != size) values = FloatArray(size)
        forEachValue(input, order, tables.size) { to, table, level -> values[to] = tables[table][level] }
        return values
    }
}

/** [Normalize] and [Quantize] in one: pixels go straight to int8 by composed tables. */
internal class NormalizeQuantize(
    mean: DoubleArray,
    std: DoubleArray,
    private val order: ChannelOrder,
    scale: Float,
    zeroPoint: Int,
) {
    private val tables =
        Array(mean.size) {
            ByteArray(LEVELS) { level -> quantize(normalized(level, mean[it], std[it]), scale, zeroPoint) }
        }
    private var bytes = ByteArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: Image): ByteArray {
        input.check(if (order == ChannelOrder.GREY) 1 else 3)
        val size = input.width * input.height * input.channels
        if (bytes.size != size) bytes = ByteArray(size)
        forEachValue(input, order, tables.size) { to, table, level -> bytes[to] = tables[table][level] }
        return bytes
    }
}

/** Numbers to the model's range, in float32: `(x - mean) / std` with the numbers of the last axis. */
internal class NormalizeFloats(
    private val mean: FloatArray,
    private val std: FloatArray,
) {
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        if (input.size % mean.size != 0) throw ContractException("a multiple of ${mean.size} values is needed")
        if (values.size != input.size) values = FloatArray(input.size)
        for (i in input.indices) values[i] = (input[i] - mean[i % mean.size]) / std[i % mean.size]
        return values
    }
}

private const val LEVELS = 256

private fun normalized(
    level: Int,
    mean: Double,
    std: Double,
): Float = ((level - mean) / std).toFloat()

/** Calls [put] with the place in the output, the number of the table (of [tables]) and the level of each value. */
private inline fun forEachValue(
    input: Image,
    order: ChannelOrder,
    tables: Int,
    put: (to: Int, table: Int, level: Int) -> Unit,
) {
    val channels = input.channels
    var to = 0
    for (y in 0 until input.height) {
        for (x in 0 until input.width) {
            val from = y * input.stride + x * channels
            for (channel in 0 until channels) {
                val source = if (order == ChannelOrder.BGR) channels - 1 - channel else channel
                put(to++, if (tables == 1) 0 else channel, input.data[from + source].toInt() and 0xFF)
            }
        }
    }
}
