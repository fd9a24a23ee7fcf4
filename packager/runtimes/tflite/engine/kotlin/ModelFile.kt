package packager.contract

import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * The metadata of a TFLite file, read from its flatbuffer. The file is not copied.
 *
 * Layout: the flatbuffers binary format (root offset, vtables, vectors) and the fields of TensorFlow Lite's schema,
 * version 3: `Model.buffers` is field 4, `Model.metadata` field 6, `Metadata.name` and `.buffer` fields 0 and 1,
 * `Buffer.data` field 0.
 */
internal class ModelFile(
    model: ByteBuffer,
) {
    private val bytes: ByteBuffer = model.duplicate().order(ByteOrder.LITTLE_ENDIAN).apply { rewind() }

    /**
     * The text under [name], or null if there is none.
     *
     * @throws ModelException if the file is not a TFLite file or is damaged
     */
    fun metadata(name: String): String? {
        if (bytes.limit() < HEADER || text(IDENTIFIER_AT, IDENTIFIER.length) != IDENTIFIER) {
            throw ModelException("not a TFLite file")
        }
        return try {
            find(name)
        } catch (e: IndexOutOfBoundsException) {
            throw ModelException("the TFLite file is damaged", e)
        }
    }

    private fun find(name: String): String? {
        val model = follow(0)
        val entries = field(model, MODEL_METADATA) ?: return null
        for (entry in tables(follow(entries))) {
            val key = field(entry, METADATA_NAME)?.let { string(follow(it)) }
            if (key == name) return buffer(model, field(entry, METADATA_BUFFER)?.let(bytes::getInt) ?: 0)
        }
        return null
    }

    private fun buffer(
        model: Int,
        index: Int,
    ): String? {
        val buffers = field(model, MODEL_BUFFERS) ?: return null
        val table = tables(follow(buffers)).elementAt(index)
        return field(table, BUFFER_DATA)?.let { string(follow(it)) }
    }

    /** Position that the offset at [at] points to. */
    private fun follow(at: Int): Int = at + bytes.getInt(at)

    /** Position of a field's value in a table, or null where the table leaves it out. */
    private fun field(
        table: Int,
        number: Int,
    ): Int? {
        val vtable = table - bytes.getInt(table)
        val slot = VTABLE_HEADER + number * Short.SIZE_BYTES
        if (slot >= bytes.getShort(vtable)) return null
        val offset = bytes.getShort(vtable + slot).toInt()
        return if (offset == 0) null else table + offset
    }

    /** Positions of the tables of a vector. */
    private fun tables(vector: Int): Sequence<Int> =
        (0 until bytes.getInt(vector)).asSequence().map { follow(vector + Int.SIZE_BYTES * (it + 1)) }

    private fun string(vector: Int): String = text(vector + Int.SIZE_BYTES, bytes.getInt(vector))

    private fun text(
        at: Int,
        length: Int,
    ): String {
        if (length < 0 || length > bytes.limit() - at) throw IndexOutOfBoundsException("text of $length bytes at $at")
        return String(ByteArray(length) { bytes.get(at + it) }, Charsets.UTF_8)
    }

    private companion object {
        const val IDENTIFIER = "TFL3"
        const val IDENTIFIER_AT = 4
        const val HEADER = 8
        const val VTABLE_HEADER = 4
        const val MODEL_BUFFERS = 4
        const val MODEL_METADATA = 6
        const val METADATA_NAME = 0
        const val METADATA_BUFFER = 1
        const val BUFFER_DATA = 0
    }
}
