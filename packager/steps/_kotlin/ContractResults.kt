package packager.contract

/**
 * One class.
 *
 * @property label the class's name, as the model's labels file has it
 * @property score in the model's own scale: a probability where the model ends in softmax
 * @property index the class's position in the model's output
 */
public data class Label(
    public val label: String,
    public val score: Float,
    public val index: Int,
)

/**
 * The classes asked for.
 *
 * @property labels best first, equal scores by lower index
 */
public data class Classification(
    public val labels: List<Label>,
)

/**
 * Edges in pixels of the original image, inside it.
 *
 * @property left not larger than [right]
 * @property top not larger than [bottom]
 */
public data class Box(
    public val left: Float,
    public val top: Float,
    public val right: Float,
    public val bottom: Float,
)

/** A place in pixels of the original image; it may lie outside. */
public data class Point(
    public val x: Float,
    public val y: Float,
)

/**
 * A place in pixels of the original image.
 *
 * @property z in the unit of [x]; 0 where the model gives none
 */
public data class Point3(
    public val x: Float,
    public val y: Float,
    public val z: Float,
)

/**
 * One object.
 *
 * @property label the class's name, as the manifest has it
 * @property score in the model's own scale
 * @property index the class's position among the model's classes
 * @property points in the model's order; may be empty
 */
public data class Detection(
    public val label: String,
    public val score: Float,
    public val index: Int,
    public val box: Box,
    public val points: List<Point>,
)

/**
 * The objects that were found.
 *
 * @property detections best first; may be empty
 */
public data class Detections(
    public val detections: List<Detection>,
)

/**
 * The points of one object.
 *
 * @property score how sure the model is that the object is there
 * @property points in the model's order
 */
public data class Landmarks(
    public val score: Float,
    public val points: List<Point3>,
)

/**
 * A class for each pixel of the original image.
 *
 * @property classes rows from top to bottom, one byte (0 to 255) for a pixel
 * @property labels names of the classes; may be empty
 */
public class Mask(
    public val width: Int,
    public val height: Int,
    public val classes: ByteArray,
    public val labels: List<String>,
) {
    override fun equals(other: Any?): Boolean =
        other is Mask &&
            width == other.width &&
            height == other.height &&
            labels == other.labels &&
            classes.contentEquals(other.classes)

    override fun hashCode(): Int = classes.contentHashCode()
}

/**
 * A vector whose distances mean something.
 *
 * @property values in the model's order
 */
public data class Embedding(
    public val values: List<Float>,
)

/**
 * Plain numbers.
 *
 * @property values in C order
 * @property shape of the model's output
 * @property unit of the values; may be empty
 */
public data class Values(
    public val values: List<Float>,
    public val shape: List<Int>,
    public val unit: String,
)

/** Width and height in pixels of the image that the app handed over. */
public data class ImageSize(
    public val width: Int,
    public val height: Int,
)
