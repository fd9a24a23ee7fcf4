package packager.contract

/** The `top` best candidates, equal scores by lower index, as named detections in pixels of the original image. */
internal class PlaceDetections(
    private val names: List<String>,
    private val top: Int,
    geometry: IntArray,
) {
    private val places = KeptMapping(geometry)
    private val order = IntArray(top)

    /** @throws ContractException if a number is not finite, or a class has no label */
    fun run(
        input: Candidates,
        photo: ImageSize,
    ): Detections {
        check(input)
        val way = places.of(photo)
        var count = 0
        for (index in 0 until input.size) count = insert(input.scores, index, count)
        return Detections(List(count) { detection(input, order[it], way, photo) })
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

    private fun check(input: Candidates) {
        checkFinite(input.boxes, input.size * BOX)
        checkFinite(input.points, input.size * input.pointsEach * POINT)
        checkFinite(input.scores, input.size)
        for (i in 0 until input.size) {
            if (input.classes[i] !in names.indices) throw ContractException("class ${input.classes[i]} has no label")
        }
    }

    private fun checkFinite(
        numbers: FloatArray,
        count: Int,
    ) {
        for (i in 0 until count) {
            if (!numbers[i].isFinite()) throw ContractException("a candidate holds a number that is not finite")
        }
    }

    private fun detection(
        input: Candidates,
        at: Int,
        way: Mapping,
        photo: ImageSize,
    ): Detection {
        val index = input.classes[at]
        val points =
            List(input.pointsEach) {
                val place = (at * input.pointsEach + it) * POINT
                val x = input.points[place]
                val y = input.points[place + 1]
                Point(way.x(x, y), way.y(x, y))
            }
        return Detection(names[index], input.scores[at], index, box(input.boxes, at * BOX, way, photo), points)
    }

    private fun box(
        boxes: FloatArray,
        at: Int,
        way: Mapping,
        photo: ImageSize,
    ): Box {
        val x0 = way.x(boxes[at], boxes[at + 1])
        val y0 = way.y(boxes[at], boxes[at + 1])
        val x1 = way.x(boxes[at + 2], boxes[at + 3])
        val y1 = way.y(boxes[at + 2], boxes[at + 3])
        return Box(
            clipped(minOf(x0, x1), photo.width),
            clipped(minOf(y0, y1), photo.height),
            clipped(maxOf(x0, x1), photo.width),
            clipped(maxOf(y0, y1), photo.height),
        )
    }

    private fun clipped(
        edge: Float,
        side: Int,
    ): Float = minOf(maxOf(edge, 0f), side.toFloat())

    private companion object {
        const val BOX = 4
        const val POINT = 2
    }
}
