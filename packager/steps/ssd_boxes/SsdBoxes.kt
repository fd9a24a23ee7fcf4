package packager.contract

import kotlin.math.abs
import kotlin.math.floor

/** Which of a pair comes first: x and width, or y and height. */
internal enum class BoxOrder { XYWH, YXHW }

/**
 * Boxes, points and best class of an SSD head, as MediaPipe decodes them.
 *
 * The anchors lie in grids of [columns] x [rows] cells, [sizes] for each cell, whose widths and heights stand one grid
 * after the other.
 */
internal class SsdBoxes(
    private val columns: IntArray,
    private val rows: IntArray,
    private val sizes: IntArray,
    private val anchorWidths: FloatArray,
    private val anchorHeights: FloatArray,
    private val offset: FloatArray,
    private val scale: FloatArray,
    private val inputSize: IntArray,
    private val points: Int,
    private val classes: Int,
    order: BoxOrder,
    private val exponential: Boolean,
    private val sigmoid: Boolean,
    private val clip: Float,
    private val threshold: Float,
) {
    private val count = columns.indices.sumOf { columns[it] * rows[it] * sizes[it] }
    private val numbers = 4 + 2 * points
    private val swapped = if (order == BoxOrder.YXHW) 1 else 0
    private val found = Candidates(points)

    /** The returned candidates, in index order, are overwritten by the next call. */
    fun run(
        boxes: FloatArray,
        scores: FloatArray,
    ): Candidates {
        checkSize(boxes.size, count * numbers)
        checkSize(scores.size, count * classes)
        found.reserve(count)
        var anchor = 0
        var first = 0
        for (grid in columns.indices) {
            for (cell in 0 until columns[grid] * rows[grid]) {
                for (kind in first until first + sizes[grid]) decode(boxes, scores, anchor++, grid, cell, kind)
            }
            first += sizes[grid]
        }
        return found
    }

    private fun decode(
        boxes: FloatArray,
        scores: FloatArray,
        anchor: Int,
        grid: Int,
        cell: Int,
        kind: Int,
    ) {
        val logit = best(scores, anchor * classes)
        val score = if (sigmoid) exactSigmoid(logit) else logit
        if (!(score >= threshold)) return
        found.scores[found.size] = score
        val x = (cell % columns[grid] + offset[0]) / columns[grid]
        val y = (cell / columns[grid] + offset[1]) / rows[grid]
        axis(boxes, anchor * numbers, 0, x, anchorWidths[kind])
        axis(boxes, anchor * numbers, 1, y, anchorHeights[kind])
        val to = 4 * found.size
        if (found.boxes[to + 2] >= found.boxes[to] && found.boxes[to + 3] >= found.boxes[to + 1]) found.size++
    }

    /** The best logit, clipped; its class goes to the end of the candidates. */
    private fun best(
        scores: FloatArray,
        at: Int,
    ): Float {
        var best = 0f
        for (kind in 0 until classes) {
            val raw = scores[at + kind]
            if (!raw.isFinite()) throw ContractException("score ${at + kind} is not finite: $raw")
            val logit = raw.coerceIn(-clip, clip)
            if (kind == 0 || logit > best) {
                best = logit
                found.classes[found.size] = kind
            }
        }
        return best
    }

    /** Writes both edges and the points' coordinates of one axis at the end of the candidates. */
    private fun axis(
        boxes: FloatArray,
        raw: Int,
        axis: Int,
        anchorCenter: Float,
        anchorSize: Float,
    ) {
        val place = raw + if (swapped == 0) axis else 1 - axis
        val side = inputSize[axis].toFloat()
        val center = boxes[place] / scale[axis] * anchorSize + anchorCenter
        var size = boxes[place + 2] / scale[2 + axis]
        if (exponential) size = exactExp(size.toDouble()).toFloat()
        val half = size * anchorSize / 2f
        found.boxes[4 * found.size + axis] = finite((center - half) * side)
        found.boxes[4 * found.size + 2 + axis] = finite((center + half) * side)
        val to = 2 * points * found.size + axis
        for (p in 0 until points) {
            val point = boxes[place + 4 + 2 * p] / scale[axis] * anchorSize + anchorCenter
            found.points[to + 2 * p] = finite(point * side)
        }
    }

    private fun finite(value: Float): Float {
        if (!value.isFinite()) throw ContractException("a box is not finite")
        return value
    }
}

private val EXP_COEFFICIENTS =
    doubleArrayOf(
        2.505210838544172e-08,
        2.755731922398589e-07,
        2.7557319223985893e-06,
        2.48015873015873e-05,
        0.0001984126984126984,
        0.001388888888888889,
        0.008333333333333333,
        0.041666666666666664,
        0.16666666666666666,
        0.5,
        1.0,
        1.0,
    )

/** exp(x), x clamped to [-200, 200], the same to the bit everywhere: 2^k times a polynomial of r, x = k * ln 2 + r. */
internal fun exactExp(x: Double): Double {
    if (x.isNaN()) return x
    val clamped = x.coerceIn(-200.0, 200.0)
    val k = floor(clamped * 1.4426950408889634 + 0.5)
    val r = (clamped - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    var p = 0.0
    for (coefficient in EXP_COEFFICIENTS) p = p * r + coefficient
    return p * Double.fromBits((k.toLong() + 1023) shl 52)
}

/** 1 / (1 + exp(-x)) in float64, rounded once; x is finite. */
internal fun exactSigmoid(x: Float): Float {
    val small = exactExp(-abs(x.toDouble()))
    return ((if (x >= 0f) 1.0 else small) / (1.0 + small)).toFloat()
}
