package packager.contract

/** One number to one label with the number as its score: the second of [names] above [limit], else the first. */
internal class Threshold(
    private val names: List<String>,
    private val limit: Float,
) {
    /** @throws ContractException if there is not one finite number */
    fun run(input: FloatArray): Classification {
        checkSize(input.size, 1)
        val score = input[0]
        if (!score.isFinite()) throw ContractException("score 0 is not finite: $score")
        val index = if (score > limit) 1 else 0
        return Classification(listOf(Label(names[index], score, index)))
    }
}
