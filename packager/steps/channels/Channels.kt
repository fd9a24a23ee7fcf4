package packager.contract

/** Gives the channels of a three-channel image in [order], of which only the exchange of first and third is one. */
internal class Channels(
    private val order: ChannelOrder,
) {
    private var bytes = ByteArray(0)

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        input.check(3)
        val row = input.width * 3
        if (bytes.size < row * input.height) bytes = ByteArray(row * input.height)
        val first = if (order == ChannelOrder.BGR) 2 else 0
        for (y in 0 until input.height) {
            var from = y * input.stride
            for (to in y * row until (y + 1) * row step 3) {
                bytes[to] = input.data[from + first]
                bytes[to + 1] = input.data[from + 1]
                bytes[to + 2] = input.data[from + 2 - first]
                from += 3
            }
        }
        return Image(bytes, input.width, input.height)
    }
}
