package packager.contract

import java.lang.management.ManagementFactory

/** The Kotlin side of sound_bench.py: a name and milliseconds. `@...@` are filled in by it. */
fun main() {
    val clock = ManagementFactory.getThreadMXBean()
    val starts = intArrayOf(@starts@)
    val counts = intArrayOf(@counts@)
    val weights = floatArrayOf(@weights@)
    val audio = Audio(ShortArray(16000) { ((it * 1664525 + 1013904223) ushr 18).toShort() })
    val waveform = Waveform(16000)
    val spectrogram = Spectrogram(400, 160, 512, @first@, @frames@, 2)
    val mel = Mel(257, starts, counts, weights)
    val log = LogSpectrum(0.0f, 1e-6f, LogBase.E)
    var least = Long.MAX_VALUE
    repeat(2000) {
        val started = clock.currentThreadCpuTime
        log.run(mel.run(spectrogram.run(waveform.run(audio))))
        least = minOf(least, clock.currentThreadCpuTime - started)
    }
    println("log-mel ${least / 1e6}")
}
