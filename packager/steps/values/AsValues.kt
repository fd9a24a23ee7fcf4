package packager.contract

/** The numbers with their shape and unit. */
internal class AsValues(
    shape: IntArray,
    private val unit: String,
) {
    private val shape = shape.toList()

    /** @throws ContractException if a number is not finite */
    fun run(input: FloatArray): Values {
        if (!input.all(Float::isFinite)) throw ContractException("a number is not finite")
        return Values(input.toList(), shape, unit)
    }
}
