package packager.contract

/** Names the scores: the [top] best, best first, equal scores by lower index. */
internal class Labels(
    private val names: List<String>,
    private val top: Int,
) {
    private val order = IntArray(top)

    /** @throws ContractException if there is not one finite score for each name */
    fun run(input: FloatArray): Classification {
        if (input.size != names.size) throw ContractException("${names.size} scores are needed, got ${input.size}")
        var count = 0
        for (index in input.indices) {
            if (!input[index].isFinite()) throw ContractException("score $index is not finite: ${input[index]}")
            count = insert(input, index, count)
        }
        return Classification(order.take(count).map { Label(names[it], input[it], it) })
    }

    /** Puts [index] behind all of the [count] indices in [order] that are not worse; returns the new count. */
    private fun insert(
        scores: FloatArray,
        index: Int,
        count: Int,
    ): Int {
        var place = count
        while (place > 0 && scores[order[place - 1]] < scores[index]) place--
        if (place == top) return count
        val kept = minOf(count, top - 1)
        order.copyInto(order, place + 1, place, kept)
        order[place] = index
        return kept + 1
    }
}
