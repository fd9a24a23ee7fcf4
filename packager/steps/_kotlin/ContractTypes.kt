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
 * A YUV 4:2:0 camera frame over the caller's bytes, which are not copied and must not change while it is used.
 *
 * It covers I420 ([uvStep] 1) and NV12 and NV21 ([uvStep] 2, [u] and [v] in one array).
 *
 * @property y luma, [yStride] bytes for each row
 * @property u blue chroma at half the width and height, rounded up, [uvStride] bytes for each row
 * @property v red chroma, as [u]
 * @property width in pixels, at least 1
 * @property height in pixels, at least 1
 * @property uvStep bytes from one chroma value of a row to the next
 * @property yOffset where luma starts in [y]
 * @property uOffset where blue chroma starts in [u]
 * @property vOffset where red chroma starts in [v]
 * @property rotation degrees by which it is turned clockwise to stand upright: 0, 90, 180 or 270 (CameraX:
 * `imageInfo.rotationDegrees`)
 * @throws ContractException if the frame is empty, an array is too short or the rotation is another number
 */
public class Frame(
    public val y: ByteArray,
    public val u: ByteArray,
    public val v: ByteArray,
    public val width: Int,
    public val height: Int,
    public val yStride: Int,
    public val uvStride: Int,
    public val uvStep: Int,
    public val yOffset: Int = 0,
    public val uOffset: Int = 0,
    public val vOffset: Int = 0,
    public val rotation: Int = 0,
) {
    /** Width of the upright frame. */
    public val uprightWidth: Int get() = if (rotation % 180 == 0) width else height

    /** Height of the upright frame. */
    public val uprightHeight: Int get() = if (rotation % 180 == 0) height else width

    init {
        if (width < 1 || height < 1) throw ContractException("the frame is empty: $width x $height")
        if (rotation !in 0..270 || rotation % 90 != 0) throw ContractException("a frame is not turned by $rotation")
        if (uvStep < 1) throw ContractException("chroma values are $uvStep bytes apart")
        val chromaRow = (width - 1L) / 2 * uvStep + 1
        val chromaRows = (height - 1) / 2
        need("y", y, yOffset, yStride.toLong() * (height - 1) + width, yStride >= width)
        need("u", u, uOffset, uvStride.toLong() * chromaRows + chromaRow, uvStride >= chromaRow)
        need("v", v, vOffset, uvStride.toLong() * chromaRows + chromaRow, uvStride >= chromaRow)
    }

    private fun need(
        plane: String,
        data: ByteArray,
        offset: Int,
        bytes: Long,
        stride: Boolean,
    ) {
        if (offset < 0 || !stride || data.size - offset.toLong() < bytes) {
            throw ContractException("plane $plane of $width x $height pixels needs $bytes bytes, got ${data.size}")
        }
    }

    /** Throws if this frame has more pixels. */
    internal fun check(maxPixels: Int) {
        if (width.toLong() * height > maxPixels) {
            throw ContractException("a frame of at most $maxPixels pixels is needed, not $width x $height")
        }
    }
}

/**
 * 16-bit PCM over the caller's samples, which are not copied.
 *
 * @property samples the channels of one moment side by side
 * @property channels 1 for mono, 2 for stereo
 * @throws ContractException if there is no sample, or a part of a frame
 */
public class Audio(
    public val samples: ShortArray,
    public val channels: Int,
) {
    /** Moments: samples of one channel. */
    public val frames: Int = countOf("audio", samples.size, channels)

    /** Mono. */
    public constructor(samples: ShortArray) : this(samples, 1)

    /** Throws if this has other channels, or is longer. */
    internal fun check(
        channels: Int,
        maxFrames: Int,
    ): Unit = checkRows("audio", this.channels, channels, frames, maxFrames)
}

/**
 * Measurements in time order over the caller's numbers, which are not copied.
 *
 * @property values the channels of one moment side by side
 * @property channels at least 1
 * @throws ContractException if there is no number, or a part of a row
 */
public class Series(
    public val values: FloatArray,
    public val channels: Int,
) {
    /** Moments. */
    public val length: Int = countOf("a series", values.size, channels)

    /** Throws if this has other channels, or is longer. */
    internal fun check(
        channels: Int,
        maxLength: Int,
    ): Unit = checkRows("a series", this.channels, channels, length, maxLength)
}

private fun countOf(
    what: String,
    size: Int,
    channels: Int,
): Int {
    if (channels < 1) throw ContractException("$what has at least 1 channel, not $channels")
    if (size == 0) throw ContractException("$what is empty")
    if (size % channels != 0) throw ContractException("$what of $channels channels cannot have $size values")
    return size / channels
}

private fun checkRows(
    what: String,
    channels: Int,
    needed: Int,
    length: Int,
    limit: Int,
) {
    if (channels != needed) throw ContractException("$what of $needed channels is needed, not of $channels")
    if (length > limit) throw ContractException("$what of at most $limit moments is needed, not of $length")
}

/** Throws if there are no bytes, or more. */
internal fun checkBytes(
    bytes: ByteArray,
    limit: Int,
) {
    if (bytes.isEmpty()) throw ContractException("there are no bytes")
    if (bytes.size > limit) throw ContractException("at most $limit bytes are needed, not ${bytes.size}")
}

/** An image whose bytes are used again: a step gives the same one for inputs of the same size. */
internal class KeptImage {
    private var kept: Image? = null

    /** The image of this size, with what was in it before. */
    fun of(
        width: Int,
        height: Int,
        channels: Int,
    ): Image {
        val last = kept
        if (last != null && last.width == width && last.height == height && last.channels == channels) return last
        val size = width * height * channels
        val bytes = if (last == null || last.data.size < size) ByteArray(size) else last.data
        return Image(bytes, width, height, channels).also { kept = it }
    }
}

/**
 * Detections before they are a result, in pixels of the model's input. The arrays grow and are used again.
 *
 * @property pointsEach points of each candidate
 */
internal class Candidates(
    val pointsEach: Int,
) {
    /** Left, top, right, bottom of each. */
    var boxes = FloatArray(0)
        private set

    /** x and y of each point of each. */
    var points = FloatArray(0)
        private set
    var scores = FloatArray(0)
        private set
    var classes = IntArray(0)
        private set

    /** How many there are. */
    var size = 0

    /** Makes place for [count]; what was there is gone. */
    fun reserve(count: Int) {
        size = 0
        if (scores.size >= count) return
        boxes = FloatArray(count * 4)
        points = FloatArray(count * pointsEach * 2)
        scores = FloatArray(count)
        classes = IntArray(count)
    }
}

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
