package packager.contract

/** Whether windows start with the first row, or end with the last. */
internal enum class WindowPlace { FIRST, LAST }

/** [count] windows of [length] rows, [hop] apart; with [pad], zeros stand for rows that are not there. */
internal class Window(
    private val length: Int,
    private val hop: Int,
    private val count: Int,
    private val place: WindowPlace,
    private val pad: Boolean,
) {
    private var values = FloatArray(0)

    /** The returned array is overwritten by the next call. */
    fun run(input: Series): FloatArray {
        val needed = length + (count - 1) * hop
        if (input.length < needed && !pad) {
            throw ContractException("at least $needed moments are needed, not ${input.length}")
        }
        val channels = input.channels
        val size = count * length * channels
        if (values.size != size) values = FloatArray(size)
        val start = if (place == WindowPlace.FIRST) 0 else input.length - needed
        var to = 0
        for (i in 0 until count) {
            for (row in start + i * hop until start + i * hop + length) {
                if (row in 0 until input.length) {
                    input.values.copyInto(values, to, row * channels, (row + 1) * channels)
                } else {
                    values.fill(0f, to, to + channels)
                }
                to += channels
            }
        }
        return values
    }
}
