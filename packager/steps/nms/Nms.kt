package packager.contract

/**
 * The best candidates without those (of their class) whose overlap with a better one is greater than the threshold.
 *
 * Best first, equal scores by lower index; the arithmetic is torchvision's.
 */
internal class Nms(
    private val capacity: Int,
    private val iouThreshold: Float,
    private val maxResults: Int,
    private val perClass: Boolean,
) {
    private val gone = BooleanArray(capacity)
    private var kept = Candidates(0)

    /** The returned candidates are overwritten by the next call. */
    fun run(input: Candidates): Candidates {
        if (input.size > capacity) throw ContractException("at most $capacity candidates are needed, not ${input.size}")
        if (kept.pointsEach != input.pointsEach) kept = Candidates(input.pointsEach)
        kept.reserve(maxResults)
        gone.fill(false)
        var best = if (input.size > 0) 0 else -1
        for (i in 1 until input.size) if (input.scores[i] > input.scores[best]) best = i
        while (best >= 0 && kept.size < maxResults) {
            append(input, best)
            best = suppress(input, best)
        }
        return kept
    }

    /** Copies a candidate to the end of [kept]. */
    private fun append(
        input: Candidates,
        index: Int,
    ) {
        val to = kept.size
        val coordinates = 2 * input.pointsEach
        input.boxes.copyInto(kept.boxes, 4 * to, 4 * index, 4 * index + 4)
        input.points.copyInto(kept.points, coordinates * to, coordinates * index, coordinates * (index + 1))
        kept.scores[to] = input.scores[index]
        kept.classes[to] = input.classes[index]
        kept.size = to + 1
    }

    /** Marks [best] and what it suppresses as gone; returns the best of the rest, or -1. */
    private fun suppress(
        input: Candidates,
        best: Int,
    ): Int {
        var next = -1
        gone[best] = true
        for (i in 0 until input.size) {
            if (gone[i]) continue
            val rivals = !perClass || input.classes[i] == input.classes[best]
            if (rivals && overlap(input.boxes, 4 * best, 4 * i) > iouThreshold) {
                gone[i] = true
            } else if (next < 0 || input.scores[i] > input.scores[next]) {
                next = i
            }
        }
        return next
    }

    /** Intersection over union of two boxes; NaN for two empty ones. */
    private fun overlap(
        boxes: FloatArray,
        one: Int,
        other: Int,
    ): Float {
        val width = minOf(boxes[one + 2], boxes[other + 2]) - maxOf(boxes[one], boxes[other])
        val height = minOf(boxes[one + 3], boxes[other + 3]) - maxOf(boxes[one + 1], boxes[other + 1])
        val inter = (if (width > 0f) width else 0f) * (if (height > 0f) height else 0f)
        return inter / (area(boxes, one) + area(boxes, other) - inter)
    }

    private fun area(
        boxes: FloatArray,
        at: Int,
    ): Float = (boxes[at + 2] - boxes[at]) * (boxes[at + 3] - boxes[at + 1])
}
