package packager.contract

/**
 * Image of R, G and B to another space, in integers.
 *
 * @param linear linear light of each of the 256 levels
 * @param thresholds least sum of each level from 1 to 255
 * @param matrix 3 x 3, row by row: linear light of the one space to sums of the other
 */
internal class ConvertColors(
    private val linear: IntArray,
    private val thresholds: IntArray,
    private val matrix: IntArray,
) {
    /** Level of the first sum of each bucket; sums share one where they differ only in their low [BUCKET_BITS]. */
    private val buckets = IntArray(BUCKETS)
    private val kept = KeptImage()

    init {
        var level = 0
        for (bucket in buckets.indices) {
            while (level < 255 && thresholds[level] <= bucket shl BUCKET_BITS) level++
            buckets[bucket] = level
        }
    }

    /** The returned image is overwritten by the next call. */
    fun run(input: Image): Image {
        input.check(3)
        val result = kept.of(input.width, input.height, 3)
        var to = 0
        for (y in 0 until input.height) {
            val row = y * input.stride
            for (from in row..row + input.width * 3 - 1 step 3) {
                val red = linear[input.data[from].toInt() and 0xFF]
                val green = linear[input.data[from + 1].toInt() and 0xFF]
                val blue = linear[input.data[from + 2].toInt() and 0xFF]
                for (i in 0..8 step 3) {
                    val sum = matrix[i] * red + matrix[i + 1] * green + matrix[i + 2] * blue
                    result.data[to++] = level(sum).toByte()
                }
            }
        }
        return result
    }

    /** Number of thresholds that are not above [sum], found from its bucket on, which few thresholds share. */
    private fun level(sum: Int): Int {
        if (sum < 0) return 0
        val bucket = sum shr BUCKET_BITS
        if (bucket >= BUCKETS) return 255
        var level = buckets[bucket]
        while (level < 255 && thresholds[level] <= sum) level++
        return level
    }
}

private const val BUCKET_BITS = 20
private const val BUCKETS = 1 shl (30 - BUCKET_BITS)
