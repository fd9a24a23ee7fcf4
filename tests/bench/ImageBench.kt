package packager.contract

import java.lang.management.ManagementFactory

private val clock = ManagementFactory.getThreadMXBean()

private fun best(
    name: String,
    runs: Int,
    work: () -> FloatArray,
) {
    var least = Long.MAX_VALUE
    repeat(runs) {
        val started = clock.currentThreadCpuTime
        work()
        least = minOf(least, clock.currentThreadCpuTime - started)
    }
    println("$name ${least / 1e6}")
}

/** The Kotlin side of image_bench.py: lines of a name and milliseconds. */
fun main() {
    val data = ByteArray(4000 * 3000 * 3) { ((it * 1664525 + 1013904223) ushr 24).toByte() }
    val mean = doubleArrayOf(123.675, 116.28, 103.53)
    val std = doubleArrayOf(58.395, 57.12, 57.375)
    val normalize = Normalize(mean, std, ChannelOrder.RGB)
    val stretch = ResizePillow(224, 224, Fit.STRETCH, Filter.BILINEAR, 0)
    val crop = ResizePillow(224, 224, Fit.CROP, Filter.BILINEAR, 0)
    val yuv = Yuv(YuvRange.LIMITED, 90)
    val photo = Image(data, 4000, 3000)
    val frame = Frame(data, data, data, 1280, 720, 1280, 1280, 2, 0, 1280 * 720 + 1, 1280 * 720)
    best("photo", 100) { normalize.run(stretch.run(photo)) }
    best("frame", 200) { normalize.run(crop.run(yuv.run(frame))) }
}
