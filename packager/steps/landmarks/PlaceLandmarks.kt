package packager.contract

import kotlin.math.abs

/**
 * Points of [dimensions] numbers, in units of `1 / across` and `1 / down` pixels of the model's input, with a score
 * of 1.
 */
internal class PlaceLandmarks(
    private val dimensions: Int,
    private val across: Float,
    private val down: Float,
    geometry: IntArray,
) {
    private val places = KeptMapping(geometry)

    /** @throws ContractException if a number is not finite */
    fun run(
        input: FloatArray,
        photo: ImageSize,
    ): Landmarks = Landmarks(1f, points(input, photo))

    fun points(
        input: FloatArray,
        photo: ImageSize,
    ): List<Point3> {
        if (input.size % dimensions != 0) throw ContractException("${input.size} numbers are not points of $dimensions")
        if (!input.all(Float::isFinite)) throw ContractException("a point is not finite")
        val way = places.of(photo)
        val depth = abs(if (way.turned) way.scaleY else way.scaleX).toFloat()
        return List(input.size / dimensions) {
            val at = it * dimensions
            val x = input[at] * across
            val y = input[at + 1] * down
            val z = if (dimensions > 2) input[at + 2] * across * depth else 0f
            Point3(way.x(x, y), way.y(x, y), z)
        }
    }
}

/** [PlaceLandmarks] with the score of a second tensor, after a sigmoid where `squash` says so. */
internal class PlaceLandmarksScored(
    dimensions: Int,
    across: Float,
    down: Float,
    private val squash: Boolean,
    geometry: IntArray,
) {
    private val place = PlaceLandmarks(dimensions, across, down, geometry)
    private val sigmoid = Sigmoid()

    /** @throws ContractException if a number is not finite */
    fun run(
        input: FloatArray,
        score: FloatArray,
        photo: ImageSize,
    ): Landmarks {
        checkSize(score.size, 1)
        if (!score[0].isFinite()) throw ContractException("the score is not finite: ${score[0]}")
        val sure = if (squash) sigmoid.run(score)[0] else score[0]
        return Landmarks(sure, place.points(input, photo))
    }
}
