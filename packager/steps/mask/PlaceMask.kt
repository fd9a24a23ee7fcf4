package packager.contract

import kotlin.math.floor

/** Scores for each cell of a grid to the best class (ties: the lower one) for each pixel of the original image. */
internal class PlaceMaskBest(
    names: List<String>,
    gridWidth: Int,
    gridHeight: Int,
    private val channels: Int,
    planar: Boolean,
    width: Int,
    height: Int,
    geometry: IntArray,
) {
    private val grid = MaskGrid(names, gridWidth, gridHeight, channels, planar, width, height, geometry)

    /** @throws ContractException if there is not one finite score for each class and cell */
    fun run(
        input: FloatArray,
        photo: ImageSize,
    ): Mask =
        grid.run(input, photo) { cell ->
            var best = 0
            for (channel in 1 until channels) {
                if (input[grid.at(cell, channel)] > input[grid.at(cell, best)]) best = channel
            }
            best
        }
}

/** Scores for each cell of a grid to class 1 where [channel] is at least [threshold], for each pixel of the original. */
internal class PlaceMaskAbove(
    names: List<String>,
    gridWidth: Int,
    gridHeight: Int,
    channels: Int,
    planar: Boolean,
    private val channel: Int,
    private val threshold: Float,
    width: Int,
    height: Int,
    geometry: IntArray,
) {
    private val grid = MaskGrid(names, gridWidth, gridHeight, channels, planar, width, height, geometry)

    /** @throws ContractException if there is not one finite score for each class and cell */
    fun run(
        input: FloatArray,
        photo: ImageSize,
    ): Mask = grid.run(input, photo) { cell -> if (input[grid.at(cell, channel)] >= threshold) 1 else 0 }
}

/** The model's grid, and its way back to the original image. */
private class MaskGrid(
    private val names: List<String>,
    private val gridWidth: Int,
    private val gridHeight: Int,
    private val channels: Int,
    private val planar: Boolean,
    private val width: Int,
    private val height: Int,
    geometry: IntArray,
) {
    private val places = KeptMapping(geometry)
    private val cells = gridWidth * gridHeight
    private val classes = ByteArray(cells)
    private var columns = IntArray(0)

    fun at(
        cell: Int,
        channel: Int,
    ): Int = if (planar) channel * cells + cell else cell * channels + channel

    inline fun run(
        input: FloatArray,
        photo: ImageSize,
        classOf: (Int) -> Int,
    ): Mask {
        checkSize(input.size, cells * channels)
        if (!input.all(Float::isFinite)) throw ContractException("a score is not finite")
        for (cell in 0 until cells) classes[cell] = classOf(cell).toByte()
        return place(photo)
    }

    fun place(photo: ImageSize): Mask {
        val way = places.of(photo)
        val across = if (way.turned) gridHeight else gridWidth
        val down = if (way.turned) gridWidth else gridHeight
        val sideX = if (way.turned) height else width
        val sideY = if (way.turned) width else height
        if (columns.size < photo.width) columns = IntArray(photo.width)
        for (x in 0 until photo.width) columns[x] = cell(x, way.scaleX, way.offsetX, sideX, across)
        val result = ByteArray(photo.width * photo.height)
        for (y in 0 until photo.height) {
            val row = cell(y, way.scaleY, way.offsetY, sideY, down)
            if (row < 0) continue
            for (x in 0 until photo.width) {
                val column = columns[x]
                if (column < 0) continue
                val at = if (way.turned) column * gridWidth + row else row * gridWidth + column
                result[y * photo.width + x] = classes[at]
            }
        }
        return Mask(photo.width, photo.height, result, names)
    }

    /** The cell of an original pixel along one axis, -1 outside of the model's input. */
    private fun cell(
        pixel: Int,
        scale: Double,
        offset: Double,
        side: Int,
        count: Int,
    ): Int {
        val u = ((pixel.toDouble() + HALF) - offset) / scale
        if (!(u >= 0.0 && u < side.toDouble())) return -1
        return minOf(floor(u * count.toDouble() / side.toDouble()).toInt(), count - 1)
    }

    private companion object {
        const val HALF = 0.5
    }
}
