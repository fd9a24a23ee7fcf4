package packager.contract

/** Boxes and points of a heat map of centres, as CenterFace's are decoded; the maps hold y before x. */
internal class CenterBoxes(
    private val columns: Int,
    private val rows: Int,
    private val classes: Int,
    private val points: Int,
    private val stride: Float,
    private val threshold: Float,
) {
    private val cells = columns * rows
    private val found = Candidates(points)

    /** The returned candidates, in the order of cells, are overwritten by the next call. */
    fun run(
        heat: FloatArray,
        sizes: FloatArray,
        offsets: FloatArray,
        places: FloatArray,
    ): Candidates {
        checkSize(heat.size, classes * cells)
        checkSize(sizes.size, 2 * cells)
        checkSize(offsets.size, 2 * cells)
        checkSize(places.size, 2 * points * cells)
        found.reserve(cells)
        for (cell in 0 until cells) {
            if (!score(heat, cell)) continue
            axis(sizes, offsets, places, cells + cell, 0, cell % columns, columns * stride)
            axis(sizes, offsets, places, cell, 1, cell / columns, rows * stride)
            found.size++
        }
        return found
    }

    /** Writes the best class and its score at the end; false where it is below the threshold. */
    private fun score(
        heat: FloatArray,
        cell: Int,
    ): Boolean {
        val to = found.size
        for (kind in 0 until classes) {
            val value = heat[kind * cells + cell]
            if (!value.isFinite()) throw ContractException("the heat of cell $cell is not finite: $value")
            if (kind == 0 || value > found.scores[to]) {
                found.scores[to] = value
                found.classes[to] = kind
            }
        }
        return found.scores[to] >= threshold
    }

    /** Writes both edges and the points' coordinates of one axis at the end. */
    private fun axis(
        sizes: FloatArray,
        offsets: FloatArray,
        places: FloatArray,
        from: Int,
        axis: Int,
        index: Int,
        side: Float,
    ) {
        val length = finite(exactExp(sizes[from].toDouble()).toFloat() * stride)
        val middle = (index + offsets[from] + 0.5f) * stride - length / 2f
        if (middle.isNaN()) throw ContractException("a box is not finite")
        val first = middle.coerceIn(0f, side)
        found.boxes[4 * found.size + axis] = first
        found.boxes[4 * found.size + 2 + axis] = minOf(first + length, side)
        for (p in 0 until points) {
            val place = places[from + 2 * p * cells] * length + first
            found.points[2 * (points * found.size + p) + axis] = finite(place)
        }
    }

    private fun finite(value: Float): Float {
        if (!value.isFinite()) throw ContractException("a box is not finite")
        return value
    }
}
