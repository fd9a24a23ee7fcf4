package packager.contract

import kotlin.math.sqrt

/** The numbers as a vector, of length 1 where [normalize] says so; one of zeros stays. */
internal class AsEmbedding(
    private val normalize: Boolean,
) {
    /** @throws ContractException if a number is not finite */
    fun run(input: FloatArray): Embedding {
        var sum = 0.0
        for (value in input) {
            if (!value.isFinite()) throw ContractException("a number is not finite")
            sum += value.toDouble() * value.toDouble()
        }
        val length = sqrt(sum)
        val scales = normalize && length > 0.0
        return Embedding(input.map { if (scales) (it.toDouble() / length).toFloat() else it })
    }
}
