package packager.contract

import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The model cannot be opened or run: wrong file, wrong runtime, or a device without the runtime's library. */
public class ModelException(
    message: String,
    cause: Throwable? = null,
) : RuntimeException(message, cause)

/**
 * How the model runs.
 *
 * @property threads for one prediction, at least 1
 * @property useXnnpack fast kernels (the default), or with `false` the runtime's built-in ones, which gave this
 * project's golden vectors; the results differ by rounding only
 */
public class ModelOptions(
    public val threads: Int = 2,
    public val useXnnpack: Boolean = true,
) {
    init {
        require(threads >= 1) { "threads must be at least 1, not $threads" }
    }
}

/** The kernel set and thread count that gave the golden vectors. */
internal val GOLDEN_OPTIONS: ModelOptions = ModelOptions(threads = 1, useXnnpack = false)

/** A tensor as this library was built for: [type] as the model file calls it (`FLOAT32`, `INT8`, ...). */
internal class TensorInfo(
    val name: String,
    val type: String,
    val shape: List<Int>,
)

/**
 * Runs one model with the TensorFlow Lite interpreter. Not thread-safe; the buffers it returns are used again.
 *
 * @throws ModelException if [model] is not the file that this library was built for, or cannot be opened
 */
internal class Engine(
    model: ByteBuffer,
    contractHash: String,
    inputs: List<TensorInfo>,
    outputs: List<TensorInfo>,
    options: ModelOptions,
) : AutoCloseable {
    private val interpreter: Interpreter
    private val inputBuffers: Array<Any>
    private val outputBuffers: Map<Int, Any>
    private val inputIndices: List<Int>
    private val outputIndices: List<Int>

    init {
        checkContract(model, contractHash)
        interpreter = guarded("open") { open(model, options) }
        try {
            val given = List(interpreter.inputTensorCount, interpreter::getInputTensor)
            val made = List(interpreter.outputTensorCount, interpreter::getOutputTensor)
            inputIndices = inputs.map { indexOf(it, given) }
            outputIndices = outputs.map { indexOf(it, made) }
            inputBuffers = Array(given.size) { bufferFor(given[it]) }
            outputBuffers = made.indices.associateWith { bufferFor(made[it]) }
        } catch (e: ModelException) {
            interpreter.close()
            throw e
        }
    }

    /** Sets input number [index] (in the order given to the constructor). */
    fun setInput(
        index: Int,
        values: FloatArray,
    ) {
        input(index, values.size * Float.SIZE_BYTES).asFloatBuffer().put(values)
    }

    /** Sets input number [index] (in the order given to the constructor). */
    fun setInput(
        index: Int,
        values: ByteArray,
    ) {
        rewound(input(index, values.size).put(values))
    }

    /** Sets input number [index] (in the order given to the constructor). */
    fun setInput(
        index: Int,
        values: IntArray,
    ) {
        input(index, values.size * Int.SIZE_BYTES).asIntBuffer().put(values)
    }

    /** Sets input number [index] (in the order given to the constructor). */
    fun setInput(
        index: Int,
        values: LongArray,
    ) {
        input(index, values.size * Long.SIZE_BYTES).asLongBuffer().put(values)
    }

    /** Runs the model once over the inputs that were set. */
    fun run() {
        outputBuffers.values.forEach(::rewound)
        guarded("run") { interpreter.runForMultipleInputsOutputs(inputBuffers, outputBuffers) }
    }

    /** Copies output number [index] of the last run to [into]. */
    fun output(
        index: Int,
        into: FloatArray,
    ): FloatArray {
        outputOf(index, into.size * Float.SIZE_BYTES).asFloatBuffer().get(into)
        return into
    }

    /** Copies output number [index] of the last run to [into]. */
    fun output(
        index: Int,
        into: ByteArray,
    ): ByteArray {
        outputOf(index, into.size).get(into)
        return into
    }

    /** Copies output number [index] of the last run to [into]. */
    fun output(
        index: Int,
        into: IntArray,
    ): IntArray {
        outputOf(index, into.size * Int.SIZE_BYTES).asIntBuffer().get(into)
        return into
    }

    /** Copies output number [index] of the last run to [into]. */
    fun output(
        index: Int,
        into: LongArray,
    ): LongArray {
        outputOf(index, into.size * Long.SIZE_BYTES).asLongBuffer().get(into)
        return into
    }

    override fun close(): Unit = interpreter.close()

    private fun input(
        index: Int,
        bytes: Int,
    ): ByteBuffer = tensor(inputBuffers[inputIndices[index]], bytes)

    private fun outputOf(
        index: Int,
        bytes: Int,
    ): ByteBuffer = tensor(outputBuffers.getValue(outputIndices[index]), bytes)

    private fun tensor(
        buffer: Any,
        bytes: Int,
    ): ByteBuffer {
        val found = rewound(buffer)
        if (bytes != found.capacity()) throw ModelException("the tensor has ${found.capacity()} bytes, not $bytes")
        return found
    }
}

/** By the method of [Buffer]: Android 8 has none of [ByteBuffer] itself. */
private fun rewound(buffer: Any): ByteBuffer {
    (buffer as Buffer).rewind()
    return buffer as ByteBuffer
}

private fun checkContract(
    model: ByteBuffer,
    expected: String,
) {
    val found = ModelFile(model).metadata(CONTRACT_KEY)
    if (found != expected) {
        throw ModelException(
            "the model file was built for contract ${found ?: "(none)"}, this library for $expected: " +
                "take both from the same bundle",
        )
    }
}

/** Two literals, because the name is also a package name that is replaced when this file is copied. */
private const val CONTRACT_KEY = "packager." + "contract"

/** XNNPACK refuses a model with tensors whose size is known only at run time; the built-in kernels take it. */
private fun open(
    model: ByteBuffer,
    options: ModelOptions,
): Interpreter =
    try {
        Interpreter(model, settings(options, options.useXnnpack))
    } catch (e: IllegalArgumentException) {
        if (!options.useXnnpack) throw e
        Interpreter(model, settings(options, useXnnpack = false))
    }

private fun settings(
    options: ModelOptions,
    useXnnpack: Boolean,
): Interpreter.Options = Interpreter.Options().setNumThreads(options.threads).setUseXNNPACK(useXnnpack)

private fun bufferFor(tensor: Tensor): ByteBuffer =
    ByteBuffer.allocateDirect(tensor.numBytes()).order(ByteOrder.nativeOrder())

private fun indexOf(
    wanted: TensorInfo,
    tensors: List<Tensor>,
): Int {
    val index = tensors.indexOfFirst { it.name() == wanted.name }
    if (index < 0) throw ModelException("the model file has no tensor ${wanted.name}")
    val tensor = tensors[index]
    val type = DataType.valueOf(wanted.type)
    val shape = tensor.shape().toList()
    if (tensor.dataType() != type || shape != wanted.shape) {
        throw ModelException(
            "tensor ${wanted.name} is ${tensor.dataType()}$shape in the model file, expected $type${wanted.shape}",
        )
    }
    return index
}

/** Runs [block]; what the runtime throws becomes a [ModelException]. */
private inline fun <T> guarded(
    what: String,
    block: () -> T,
): T =
    try {
        block()
    } catch (e: IllegalArgumentException) {
        throw ModelException("TensorFlow Lite cannot $what the model: ${e.message}", e)
    } catch (e: IllegalStateException) {
        throw ModelException("TensorFlow Lite cannot $what the model: ${e.message}", e)
    } catch (e: UnsatisfiedLinkError) {
        throw ModelException("the TensorFlow Lite library is missing for this device's processor: ${e.message}", e)
    }
