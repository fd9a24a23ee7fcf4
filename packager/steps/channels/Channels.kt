package packager.contract

/** Gives the channels of a three-channel image in [order], of which only the exchange of first and third is one. */
internal class Channels(
    private val order: ChannelOrder,
) {
    private val kept = KeptImage()

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        input.check(3)
        val row = input.width * 3
        val result = kept.of(input.width, input.height, 3)
        val bytes = result.data
        val first = if (order == ChannelOrder.BGR) 2 else 0
        for (y in 0 until input.height) {
            var from = y * input.stride
            for (to in y * row..(y + 1) * row - 1 step 3) {
                bytes[to] = input.data[from + first]
                bytes[to + 1] = input.data[from + 1]
                bytes[to + 2] = input.data[from + 2 - first]
                from += 3
            }
        }
        return result
    }
}
