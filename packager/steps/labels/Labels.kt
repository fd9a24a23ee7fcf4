package packager.contract

/** Names the scores: the `top` best, best first, equal scores by lower index. */
internal class Labels(
    names: List<String>,
    top: Int,
) {
    private val best = Best(names, top, Float.NEGATIVE_INFINITY)

    /** @throws ContractException if there is not one finite score for each name */
    fun run(input: FloatArray): Classification = best.of(input)
}

/** [Labels], of these the ones with a score of at least `threshold`; there may be none. */
internal class LabelsAbove(
    names: List<String>,
    top: Int,
    threshold: Float,
) {
    private val best = Best(names, top, threshold)

    /** @throws ContractException if there is not one finite score for each name */
    fun run(input: FloatArray): Classification = best.of(input)
}

/** Sorts the [top] best of the scores that are not below [threshold]. */
private class Best(
    private val names: List<String>,
    private val top: Int,
    private val threshold: Float,
) {
    private val order = IntArray(top)

    fun of(scores: FloatArray): Classification {
        if (scores.size != names.size) throw ContractException("${names.size} scores are needed, got ${scores.size}")
        var count = 0
        for (index in scores.indices) {
            if (!scores[index].isFinite()) throw ContractException("score $index is not finite: ${scores[index]}")
            if (scores[index] >= threshold) count = insert(scores, index, count)
        }
        return Classification(List(count) { Label(names[order[it]], scores[order[it]], order[it]) })
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
