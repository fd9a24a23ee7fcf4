package packager.contract

/** How a head's tensor is laid out: v5 a row for each box, with objectness; v8 a column for each box. */
internal enum class YoloLayout { V5, V8 }

/** Boxes, best class and score of a YOLO head; [width] and [height] are the coordinates' factors. */
internal class YoloBoxes(
    private val boxes: Int,
    private val classes: Int,
    layout: YoloLayout,
    private val width: Float,
    private val height: Float,
    private val threshold: Float,
) {
    private val rows = layout == YoloLayout.V5
    private val numbers = classes + if (rows) 5 else 4
    private val next = if (rows) 1 else boxes
    private val found = Candidates(0)

    /** The returned candidates, in index order, are overwritten by the next call. */
    fun run(input: FloatArray): Candidates {
        checkSize(input.size, boxes * numbers)
        found.reserve(boxes)
        if (rows) scoreRows(input) else scoreColumns(input)
        for (i in 0 until boxes) {
            val score = found.scores[i]
            if (score >= threshold && place(input, if (rows) i * numbers else i)) {
                found.scores[found.size] = score
                found.classes[found.size] = found.classes[i]
                found.size++
            }
        }
        return found
    }

    private fun scoreRows(input: FloatArray) {
        for (i in 0 until boxes) {
            val row = i * numbers
            for (c in 0 until classes) rate(i, c, input[row + 5 + c] * input[row + 4])
        }
    }

    private fun scoreColumns(input: FloatArray) {
        for (c in 0 until classes) {
            val row = (4 + c) * boxes
            for (i in 0 until boxes) rate(i, c, input[row + i])
        }
    }

    /** Keeps the best of a box's scores. */
    private fun rate(
        box: Int,
        kind: Int,
        score: Float,
    ) {
        if (!score.isFinite()) throw ContractException("the score of class $kind of box $box is not finite: $score")
        if (kind == 0 || score > found.scores[box]) {
            found.scores[box] = score
            found.classes[box] = kind
        }
    }

    /** Writes the box at the end; false where its width or height is negative. */
    private fun place(
        input: FloatArray,
        at: Int,
    ): Boolean {
        edges(input, at, 0, width)
        edges(input, at, 1, height)
        val to = 4 * found.size
        return found.boxes[to + 2] >= found.boxes[to] && found.boxes[to + 3] >= found.boxes[to + 1]
    }

    private fun edges(
        input: FloatArray,
        at: Int,
        axis: Int,
        factor: Float,
    ) {
        val center = input[at + axis * next]
        val half = input[at + (2 + axis) * next] / 2f
        val first = (center - half) * factor
        val last = (center + half) * factor
        if (!first.isFinite() || !last.isFinite()) throw ContractException("a box is not finite")
        found.boxes[4 * found.size + axis] = first
        found.boxes[4 * found.size + 2 + axis] = last
    }
}
