package packager.contract

/** The input does not fit the contract: too large, empty, wrong size, or not finite. */
public class ContractException(
    message: String,
) : RuntimeException(message)

/**
 * An 8-bit sRGB image over the caller's bytes, which are not copied and must not change while it is used.
 *
 * @property data rows from top to bottom, each of [width] pixels of [channels] interleaved bytes (R, G, B)
 * @property width in pixels, at least 1
 * @property height in pixels, at least 1
 * @property channels 3 for colour, 1 for grey, 4 for colour and alpha or for C, M, Y, K
 * @property stride bytes from one row to the next
 * @throws ContractException if the image is empty or [data] is too short
 */
public class Image(
    public val data: ByteArray,
    public val width: Int,
    public val height: Int,
    public val channels: Int,
    public val stride: Int,
) {
    init {
        if (width < 1 || height < 1) throw ContractException("the image is empty: $width x $height")
        if (channels != 1 && channels != 3 && channels != 4) {
            throw ContractException("an image has 1, 3 or 4 channels, not $channels")
        }
        val row = width.toLong() * channels
        val needed = stride.toLong() * (height - 1) + row
        if (stride < row || data.size < needed) {
            throw ContractException("$width x $height x $channels pixels need $needed bytes, got ${data.size}")
        }
    }

    /** An image without gaps between its rows. */
    public constructor(data: ByteArray, width: Int, height: Int, channels: Int) :
        this(data, width, height, channels, width * channels)

    /** A colour image without gaps between its rows. */
    public constructor(data: ByteArray, width: Int, height: Int) : this(data, width, height, 3)

    /** Throws if this image has other channels. */
    internal fun check(channels: Int) {
        if (this.channels != channels) {
            throw ContractException("an image of $channels channels is needed, not of ${this.channels}")
        }
    }

    /** Throws if this image has other channels, or more pixels. */
    internal fun check(
        channels: Int,
        maxPixels: Int,
    ) {
        check(channels)
        if (width.toLong() * height > maxPixels) {
            throw ContractException("an image of at most $maxPixels pixels is needed, not $width x $height")
        }
    }
}

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
 * Plain numbers.
 *
 * @property values in C order
 * @property shape of the model's output
 */
public data class Values(
    public val values: List<Float>,
    public val shape: List<Int>,
)

/** Order in which a pixel's channels go to the model. */
internal enum class ChannelOrder { RGB, BGR, GREY }

/** Rounded division by 255 of a product of bytes, as Pillow does it. */
internal fun div255(product: Int): Int = (((product + 128) shr 8) + product + 128) shr 8

/** Throws if a tensor has not as many elements as it needs. */
internal fun checkSize(
    size: Int,
    needed: Int,
) {
    if (size != needed) throw ContractException("$needed values are needed, got $size")
}
