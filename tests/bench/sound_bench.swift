// The Swift side of sound_bench.py: a name and milliseconds. `@...@` are filled in by it.
import Glibc

func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) * 1e-6
}

let starts: [Int] = [@starts@]
let counts: [Int] = [@counts@]
let weights: [Float] = [@weights@]
let samples = (0..<16000).map { Int16(truncatingIfNeeded: (UInt32($0) &* 1_664_525 &+ 1_013_904_223) >> 18) }
let waveform = Waveform(samples: 16000)
let spectrogram = Spectrogram(frame: 400, hop: 160, fft: 512, first: @first@, frames: @frames@, power: 2)
let mel = Mel(columns: 257, starts: starts, counts: counts, weights: weights)
let logarithm = LogSpectrum(floor: 0, offset: 1e-6, base: .e)
try samples.withUnsafeBufferPointer { buffer in
  let audio = AudioView(samples: buffer, channels: 1)
  var least = Double.infinity
  for _ in 0..<300 {
    let started = now()
    _ = try logarithm.run(mel.run(spectrogram.run(waveform.run(audio))))
    least = min(least, now() - started)
  }
  print("log-mel", least)
}
