package packager.contract

/**
 * The first and the last bytes, [pad] for each that is not there.
 *
 * Only [block] bytes at each end are looked at; with [strip], white space around the content is left out.
 */
internal class HeadTail(
    private val head: Int,
    private val tail: Int,
    private val block: Int,
    private val strip: Boolean,
    private val pad: Int,
) {
    private val values = IntArray(head + tail)

    /** The returned array is overwritten by the next call. */
    fun run(input: ByteArray): IntArray {
        values.fill(pad)
        val seen = minOf(block, input.size)
        var from = 0
        while (strip && from < seen && isSpace(input[from])) from++
        for (i in 0 until minOf(head, seen - from)) values[i] = input[from + i].toInt() and 0xFF
        var end = input.size
        var left = seen
        while (strip && left > 0 && isSpace(input[end - 1])) {
            end--
            left--
        }
        for (i in 1..minOf(tail, left)) values[values.size - i] = input[end - i].toInt() and 0xFF
        return values
    }

    /** Space, or one of \t \n \v \f \r. */
    private fun isSpace(byte: Byte): Boolean = byte.toInt() == 32 || byte in 9..13
}

/** [HeadTail] as floats. */
internal class HeadTailFloats(
    head: Int,
    tail: Int,
    block: Int,
    strip: Boolean,
    pad: Int,
) {
    private val bytes = HeadTail(head, tail, block, strip, pad)
    private val values = FloatArray(head + tail)

    /** The returned array is overwritten by the next call. */
    fun run(input: ByteArray): FloatArray {
        val found = bytes.run(input)
        for (i in values.indices) values[i] = found[i].toFloat()
        return values
    }
}
