package packager.contract

/**
 * From places in the model's input back to the original image: `x = scaleX * (the model's y if turned, else its x) +
 * offsetX`; y likewise of the other one.
 */
internal class Mapping(
    val scaleX: Double,
    val offsetX: Double,
    val scaleY: Double,
    val offsetY: Double,
    val turned: Boolean,
) {
    private val factorX = scaleX.toFloat()
    private val summandX = offsetX.toFloat()
    private val factorY = scaleY.toFloat()
    private val summandY = offsetY.toFloat()

    /** The original x of a place in the model's input. */
    fun x(
        x: Float,
        y: Float,
    ): Float = (if (turned) y else x) * factorX + summandX

    /** The original y of a place in the model's input. */
    fun y(
        x: Float,
        y: Float,
    ): Float = (if (turned) x else y) * factorY + summandY

    /** [step] first, then this, each backwards. */
    private fun after(step: Mapping): Mapping {
        val first = if (turned) step.exchanged() else step
        return Mapping(
            scaleX * first.scaleX,
            scaleX * first.offsetX + offsetX,
            scaleY * first.scaleY,
            scaleY * first.offsetY + offsetY,
            turned != step.turned,
        )
    }

    private fun exchanged() = Mapping(scaleY, offsetY, scaleX, offsetX, turned)

    companion object {
        /**
         * The whole way back for an original image of this size.
         *
         * @param moves three numbers for each move of the model's input: kind, a, b
         */
        fun of(
            moves: IntArray,
            photo: ImageSize,
        ): Mapping {
            if (photo.width < 1 || photo.height < 1) throw ContractException("the original image is empty")
            var way = Mapping(1.0, 0.0, 1.0, 0.0, false)
            var width = photo.width.toLong()
            var height = photo.height.toLong()
            for (i in moves.indices step 3) {
                val move = moveOf(moves[i], moves[i + 1].toLong(), moves[i + 2].toLong(), width, height)
                way = way.after(move.back())
                width = move.newWidth
                height = move.newHeight
            }
            return way
        }
    }
}

/** The way back of the last size, so that a camera's frames make it once. */
internal class KeptMapping(
    private val moves: IntArray,
) {
    private var size: ImageSize? = null
    private var kept = Mapping(1.0, 0.0, 1.0, 0.0, false)

    /** As [Mapping.of]. */
    fun of(photo: ImageSize): Mapping {
        if (photo != size) {
            kept = Mapping.of(moves, photo)
            size = photo
        }
        return kept
    }
}

/** One move; to a shorter side it is a stretch to the size that this is. */
private fun moveOf(
    kind: Int,
    a: Long,
    b: Long,
    width: Long,
    height: Long,
): Move =
    when {
        kind != Move.SHORTER -> Move(kind, a, b, width, height)
        width <= height -> Move(Move.STRETCH, a, a * height / width, width, height)
        else -> Move(Move.STRETCH, a * width / height, a, width, height)
    }

/** One move of an image of [width] x [height] pixels. */
private class Move(
    private val kind: Int,
    private val a: Long,
    private val b: Long,
    private val width: Long,
    private val height: Long,
) {
    private val turned = kind == ORIENT && a >= FIRST_TURNED
    val newWidth: Long =
        when (kind) {
            ORIENT -> if (turned) height else width
            CROP_RATIO -> part(width, height, a, b)
            else -> a
        }
    val newHeight: Long =
        when (kind) {
            ORIENT -> if (turned) width else height
            CROP_RATIO -> part(height, width, b, a)
            else -> b
        }

    fun back(): Mapping =
        when (kind) {
            ORIENT -> orient()
            CROP_SIZE, CROP_RATIO -> crop(newWidth, newHeight)
            else -> resize()
        }

    private fun orient(): Mapping {
        val mirrorX = a in MIRROR_X
        val mirrorY = a in MIRROR_Y
        return Mapping(
            if (mirrorX) -1.0 else 1.0,
            if (mirrorX) width.toDouble() else 0.0,
            if (mirrorY) -1.0 else 1.0,
            if (mirrorY) height.toDouble() else 0.0,
            turned,
        )
    }

    private fun crop(
        boxWidth: Long,
        boxHeight: Long,
    ) = Mapping(1.0, ((width - boxWidth) / 2).toDouble(), 1.0, ((height - boxHeight) / 2).toDouble(), false)

    private fun resize(): Mapping {
        val boxWidth = if (kind == CROP) part(width, height, a, b) else width
        val boxHeight = if (kind == CROP) part(height, width, b, a) else height
        val wider = width * b >= height * a
        val partWidth = if (kind == LETTERBOX && !wider) maxOf(1, (2 * width * b + height) / (2 * height)) else a
        val partHeight = if (kind == LETTERBOX && wider) maxOf(1, (2 * height * a + width) / (2 * width)) else b
        val scaleX = boxWidth.toDouble() / partWidth.toDouble()
        val scaleY = boxHeight.toDouble() / partHeight.toDouble()
        return Mapping(
            scaleX,
            ((width - boxWidth) / 2).toDouble() - scaleX * ((a - partWidth) / 2).toDouble(),
            scaleY,
            ((height - boxHeight) / 2).toDouble() - scaleY * ((b - partHeight) / 2).toDouble(),
            false,
        )
    }

    private fun part(
        side: Long,
        other: Long,
        across: Long,
        down: Long,
    ): Long = maxOf(1, minOf(side, other * across / down))

    companion object {
        const val ORIENT = 0
        const val CROP_SIZE = 1
        const val CROP_RATIO = 2
        const val STRETCH = 3
        const val CROP = 4
        const val LETTERBOX = 5
        const val SHORTER = 6
        const val FIRST_TURNED = 5
        val MIRROR_X = setOf(2L, 3L, 7L, 8L)
        val MIRROR_Y = setOf(3L, 4L, 6L, 7L)
    }
}
