package packager.contract

import kotlin.math.max

/** How the image's ratio is handled. */
internal enum class Fit {
    /** The largest centred box of the output's ratio is taken. */
    CROP,

    /** The ratio is not kept. */
    STRETCH,

    /** The image keeps its ratio and is centred; the rest is filled. */
    LETTERBOX,

    /** The image keeps its ratio, the output's shorter side is the stated one. */
    SHORTER,
}

/** Box of the image, the size it is resampled to, and where it goes in the output. */
internal class Placement(
    val left: Int,
    val top: Int,
    val boxWidth: Int,
    val boxHeight: Int,
    val width: Int,
    val height: Int,
    val x: Int,
    val y: Int,
) {
    /** Pillow 13 starts with the columns where that makes fewer rows by more than it costs. */
    val downFirst: Boolean = boxHeight - height > max(0, 2 * (boxWidth - width))
}

/** Where an image of [w] x [h] goes in an output of [width] x [height]. */
internal fun place(
    w: Int,
    h: Int,
    width: Int,
    height: Int,
    fit: Fit,
): Placement =
    when (fit) {
        Fit.STRETCH -> {
            Placement(0, 0, w, h, width, height, 0, 0)
        }
        Fit.CROP -> {
            val boxWidth = (h.toLong() * width / height).coerceIn(1, w.toLong()).toInt()
            val boxHeight = (w.toLong() * height / width).coerceIn(1, h.toLong()).toInt()
            Placement((w - boxWidth) / 2, (h - boxHeight) / 2, boxWidth, boxHeight, width, height, 0, 0)
        }
        Fit.LETTERBOX -> {
            val wider = w.toLong() * height >= h.toLong() * width
            val newWidth = if (wider) width else scaled(w, height, h)
            val newHeight = if (wider) scaled(h, width, w) else height
            Placement(0, 0, w, h, newWidth, newHeight, (width - newWidth) / 2, (height - newHeight) / 2)
        }
        Fit.SHORTER -> {
            val newWidth = if (w <= h) width else (width.toLong() * w / h).toInt()
            val newHeight = if (w <= h) (width.toLong() * h / w).toInt() else width
            Placement(0, 0, w, h, newWidth, newHeight, 0, 0)
        }
    }

/** `side * target / other`, half rounded up, at least 1. */
private fun scaled(
    side: Int,
    target: Int,
    other: Int,
): Int = max(1, (2L * side * target + other) / (2L * other)).toInt()

/** Memory of a resized image, with the border that [Fit.LETTERBOX] leaves. It is kept from call to call. */
internal class ResizedImage(
    private val width: Int,
    private val height: Int,
    private val fit: Fit,
    private val fill: Int,
) {
    private var imageWidth = 0
    private var imageHeight = 0
    private var outWidth = width
    private var image: Image? = null

    /** Of the last image. */
    var geometry = Placement(0, 0, 0, 0, 0, 0, 0, 0)
        private set

    /** Of the last image. */
    var channels = 0
        private set

    /** Rows of the result. */
    var bytes = ByteArray(0)
        private set

    /** Makes room for the result of an image; the returned image is over [bytes]. */
    fun prepare(input: Image): Image {
        if (imageWidth != input.width || imageHeight != input.height) {
            geometry = place(input.width, input.height, width, height, fit)
            imageWidth = input.width
            imageHeight = input.height
        }
        channels = input.channels
        outWidth = if (fit == Fit.SHORTER) geometry.width else width
        val outHeight = if (fit == Fit.SHORTER) geometry.height else height
        val size = outWidth * outHeight * channels
        if (bytes.size != size) bytes = ByteArray(size)
        if (fit == Fit.LETTERBOX) bytes.fill(fill.toByte())
        val kept = image
        if (kept != null && kept.data === bytes && kept.width == outWidth && kept.channels == channels) return kept
        return Image(bytes, outWidth, outHeight, channels).also { image = it }
    }

    /** First byte of a row of the resampled part. */
    fun row(y: Int): Int = ((geometry.y + y) * outWidth + geometry.x) * channels

    /** First byte of a row of the image's box. */
    fun source(
        input: Image,
        y: Int,
    ): Int = (geometry.top + y) * input.stride + geometry.left * channels
}
