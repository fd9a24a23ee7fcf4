package packager.contract

/** Rows to columns: [[rows], [columns]] to [[columns], [rows]]. */
internal class Transpose(
    private val rows: Int,
    private val columns: Int,
) {
    private val values = FloatArray(rows * columns)

    /** The returned array is overwritten by the next call. */
    fun run(input: FloatArray): FloatArray {
        checkSize(input.size, values.size)
        for (y in 0 until rows) {
            for (x in 0 until columns) values[x * rows + y] = input[y * columns + x]
        }
        return values
    }
}
