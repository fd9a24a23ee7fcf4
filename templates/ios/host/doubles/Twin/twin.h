/* ONNX Runtime, as far as the Core ML double needs it: tensors of float32 and int32. Functions that can fail return 0 or
   write what is wrong into `problem`. One session is used by one thread at a time. */
#ifndef PACKAGER_TWIN_H
#define PACKAGER_TWIN_H

#include <stddef.h>
#include <stdint.h>

struct twin;

/* Type of a tensor's elements, of 4 bytes each. */
enum twin_type { TWIN_FLOAT32, TWIN_INT32 };

/* Opens a model; NULL where that fails. */
struct twin *twin_open(const char *path, char *problem, size_t capacity);
void twin_close(struct twin *twin);

/* Forgets inputs and outputs of the last run. */
void twin_begin(struct twin *twin);

/* Gives an input; `values` are copied. At most 16 inputs. */
int32_t twin_input(struct twin *twin, const char *name, enum twin_type type, const void *values, const int64_t *shape,
                   size_t rank, char *problem, size_t capacity);

/* Asks for an output. At most 16 outputs. */
int32_t twin_output(struct twin *twin, const char *name, char *problem, size_t capacity);

int32_t twin_run(struct twin *twin, char *problem, size_t capacity);

/* Rank of an output, its shape in `shape`; -1 where it is no tensor of `type` or has more than `capacity` axes. */
int32_t twin_shape(struct twin *twin, size_t index, enum twin_type type, int64_t *shape, size_t capacity);

/* Copies an output; -1 where it has other than `count` elements. */
int32_t twin_values(struct twin *twin, size_t index, void *values, size_t count);

#endif
