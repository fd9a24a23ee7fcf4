/* libtensorflowlite_jni.so for Linux: the native methods of the official org.tensorflow.lite Java classes (2.16) over
 * the official TensorFlow Lite C API, so that unmodified Android code runs on a JVM.
 *
 * Test use only. It implements what `Interpreter` calls for one model with numeric tensors: opening by file or buffer,
 * threads, XNNPACK, resizing, running, reading and writing tensors. Not implemented, so that a call ends in
 * UnsatisfiedLinkError: signature runners, delegates of the caller, cancellation.
 *
 * The interpreter, its tensors and its error text belong to one Java object, which must not be shared by threads
 * without a lock (as the Java class says of itself); the list of delegates is shared and has its own lock. */
#include <jni.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/lite/core/c/c_api.h"
#include "tensorflow/lite/core/c/c_api_experimental.h"
#include "tensorflow/lite/core/c/common.h"

#define NATIVE(result, class, name) JNIEXPORT result JNICALL Java_org_tensorflow_lite_##class##_##name
#define UNUSED(x) (void)(x)
#define ILLEGAL_ARGUMENT "java/lang/IllegalArgumentException"
#define ILLEGAL_STATE "java/lang/IllegalStateException"
#define OUT_OF_MEMORY "java/lang/OutOfMemoryError"
#define MAX_DIMS 16

typedef struct {
  char text[1024];
} ErrorText;

typedef struct {
  TfLiteInterpreter* interpreter;
  int index;
} TensorRef;

static void* pointer(jlong handle) { return (void*)(intptr_t)handle; }
static jlong handle_of(const void* p) { return (jlong)(intptr_t)p; }
static TfLiteInterpreter* interpreter_of(jlong handle) { return pointer(handle); }

static void throw_text(JNIEnv* env, const char* class_name, const char* what, jlong error) {
  char message[1400];
  const ErrorText* details = pointer(error);
  jclass class = (*env)->FindClass(env, class_name);
  if (class == NULL) return; /* FindClass has thrown */
  snprintf(message, sizeof message, "%s%s%s", what, details && details->text[0] ? ": " : "",
           details ? details->text : "");
  (*env)->ThrowNew(env, class, message);
}

static void on_error(void* user, const char* format, va_list arguments) {
  ErrorText* error = user;
  vsnprintf(error->text, sizeof error->text, format, arguments);
}

/* Without it dlsym() finds the JNI_OnLoad of the library behind, which wants classes that are not here. */
JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void* reserved) {
  UNUSED(vm);
  UNUSED(reserved);
  return JNI_VERSION_1_8;
}

/* ---- InterpreterFactoryImpl, TensorFlowLite ---- */

NATIVE(jstring, InterpreterFactoryImpl, nativeRuntimeVersion)(JNIEnv* env, jclass class) {
  UNUSED(class);
  return (*env)->NewStringUTF(env, TfLiteVersion());
}

NATIVE(jstring, InterpreterFactoryImpl, nativeSchemaVersion)(JNIEnv* env, jclass class) {
  char text[16];
  UNUSED(class);
  snprintf(text, sizeof text, "%d", TfLiteSchemaVersion());
  return (*env)->NewStringUTF(env, text);
}

NATIVE(void, TensorFlowLite, nativeDoNothing)(JNIEnv* env, jclass class) {
  UNUSED(env);
  UNUSED(class);
}

/* ---- NativeInterpreterWrapper: opening and closing ---- */

NATIVE(jlong, NativeInterpreterWrapper, createErrorReporter)(JNIEnv* env, jclass class, jint size) {
  ErrorText* error = calloc(1, sizeof *error);
  UNUSED(class);
  UNUSED(size);
  if (error == NULL) throw_text(env, OUT_OF_MEMORY, "no memory for an error reporter", 0);
  return handle_of(error);
}

NATIVE(jlong, NativeInterpreterWrapper, createModel)(JNIEnv* env, jclass class, jstring path, jlong error) {
  const char* text = (*env)->GetStringUTFChars(env, path, NULL);
  TfLiteModel* model;
  UNUSED(class);
  if (text == NULL) return 0;
  model = TfLiteModelCreateFromFileWithErrorReporter(text, on_error, pointer(error));
  (*env)->ReleaseStringUTFChars(env, path, text);
  if (model == NULL) {
    throw_text(env, ILLEGAL_ARGUMENT, "Contents of file does not encode a valid TensorFlow Lite model", error);
  }
  return handle_of(model);
}

NATIVE(jlong, NativeInterpreterWrapper, createModelWithBuffer)(JNIEnv* env, jclass class, jobject buffer, jlong error) {
  const void* data = (*env)->GetDirectBufferAddress(env, buffer);
  const jlong size = (*env)->GetDirectBufferCapacity(env, buffer);
  TfLiteModel* model = NULL;
  UNUSED(class);
  if (data != NULL && size > 0) {
    model = TfLiteModelCreateWithErrorReporter(data, (size_t)size, on_error, pointer(error));
  }
  if (model == NULL) throw_text(env, ILLEGAL_ARGUMENT, "ByteBuffer does not encode a valid model", error);
  return handle_of(model);
}

/* The official library uses XNNPACK unless setUseXNNPACK(false). Its header is not in the AAR: the two leading fields
 * of the options are declared here, with room for the rest. */
typedef struct {
  int32_t num_threads;
  uint32_t flags;
  char rest[504];
} XnnpackOptions;
XnnpackOptions TfLiteXNNPackDelegateOptionsDefault(void);
TfLiteDelegate* TfLiteXNNPackDelegateCreate(const XnnpackOptions* options);
void TfLiteXNNPackDelegateDelete(TfLiteDelegate* delegate);
enum { kXnnpackSigned8 = 1, kXnnpackUnsigned8 = 2 }; /* on by default in current LiteRT, off in 2.18 */

/* A delegate must outlive its interpreter. */
typedef struct OwnedDelegate {
  TfLiteInterpreter* interpreter;
  TfLiteDelegate* delegate;
  struct OwnedDelegate* next;
} OwnedDelegate;
static OwnedDelegate* owned_delegates;
static pthread_mutex_t owned_lock = PTHREAD_MUTEX_INITIALIZER;

static int own_delegate(TfLiteInterpreter* interpreter, TfLiteDelegate* delegate) {
  OwnedDelegate* entry = malloc(sizeof *entry);
  if (entry == NULL) return 0;
  entry->interpreter = interpreter;
  entry->delegate = delegate;
  pthread_mutex_lock(&owned_lock);
  entry->next = owned_delegates;
  owned_delegates = entry;
  pthread_mutex_unlock(&owned_lock);
  return 1;
}

static void delete_delegate_of(const TfLiteInterpreter* interpreter) {
  OwnedDelegate** link = &owned_delegates;
  OwnedDelegate* found = NULL;
  pthread_mutex_lock(&owned_lock);
  while (*link != NULL && (*link)->interpreter != interpreter) link = &(*link)->next;
  if (*link != NULL) {
    found = *link;
    *link = found->next;
  }
  pthread_mutex_unlock(&owned_lock);
  if (found != NULL) TfLiteXNNPackDelegateDelete(found->delegate);
  free(found);
}

static TfLiteDelegate* new_xnnpack(jint threads) {
  XnnpackOptions options = TfLiteXNNPackDelegateOptionsDefault();
  options.flags |= kXnnpackSigned8 | kXnnpackUnsigned8;
  if (threads > 0) options.num_threads = threads;
  return TfLiteXNNPackDelegateCreate(&options);
}

NATIVE(jlong, NativeInterpreterWrapper, createInterpreter)
(JNIEnv* env, jclass class, jlong model, jlong error, jint threads, jboolean xnnpack, jobject delegates) {
  TfLiteInterpreterOptions* options = TfLiteInterpreterOptionsCreate();
  TfLiteDelegate* delegate = xnnpack ? new_xnnpack(threads) : NULL;
  TfLiteInterpreter* interpreter;
  UNUSED(class);
  UNUSED(delegates); /* the Java layer lists here only delegates of its caller */
  if (threads > 0) TfLiteInterpreterOptionsSetNumThreads(options, threads);
  TfLiteInterpreterOptionsSetErrorReporter(options, on_error, pointer(error));
  if (delegate != NULL) TfLiteInterpreterOptionsAddDelegate(options, delegate);
  interpreter = TfLiteInterpreterCreate(pointer(model), options);
  TfLiteInterpreterOptionsDelete(options);
  if (interpreter == NULL) {
    if (delegate != NULL) TfLiteXNNPackDelegateDelete(delegate);
    throw_text(env, ILLEGAL_ARGUMENT, "Internal error: Cannot create interpreter", error);
    return 0;
  }
  if (delegate != NULL && !own_delegate(interpreter, delegate)) {
    TfLiteInterpreterDelete(interpreter);
    TfLiteXNNPackDelegateDelete(delegate);
    throw_text(env, OUT_OF_MEMORY, "no memory for a delegate", 0);
    return 0;
  }
  return handle_of(interpreter);
}

NATIVE(void, NativeInterpreterWrapper, delete)
(JNIEnv* env, jclass class, jlong error, jlong model, jlong interpreter) {
  UNUSED(env);
  UNUSED(class);
  if (interpreter != 0) {
    TfLiteInterpreterDelete(interpreter_of(interpreter));
    delete_delegate_of(interpreter_of(interpreter));
  }
  if (model != 0) TfLiteModelDelete(pointer(model));
  free(pointer(error));
}

/* Closing always calls it; without createCancellationFlag there is none to delete. */
NATIVE(jlong, NativeInterpreterWrapper, deleteCancellationFlag)(JNIEnv* env, jclass class, jlong flag) {
  UNUSED(env);
  UNUSED(class);
  UNUSED(flag);
  return 0;
}

/* ---- NativeInterpreterWrapper: running ---- */

NATIVE(jlong, NativeInterpreterWrapper, allocateTensors)(JNIEnv* env, jclass class, jlong interpreter, jlong error) {
  UNUSED(class);
  if (TfLiteInterpreterAllocateTensors(interpreter_of(interpreter)) != kTfLiteOk) {
    throw_text(env, ILLEGAL_STATE, "Internal error: Unexpected failure when preparing tensor allocations", error);
  }
  return 0;
}

NATIVE(void, NativeInterpreterWrapper, run)(JNIEnv* env, jclass class, jlong interpreter, jlong error) {
  UNUSED(class);
  if (TfLiteInterpreterInvoke(interpreter_of(interpreter)) != kTfLiteOk) {
    throw_text(env, ILLEGAL_ARGUMENT, "Internal error: Failed to run on the given Interpreter", error);
  }
}

/* With `strict` only dimensions that the model leaves open (-1 in its signature) may change. */
static int may_resize(const TfLiteTensor* tensor, const jint* dims, jint count, jboolean strict) {
  const TfLiteIntArray* signature = tensor->dims_signature;
  if (!strict) return 1;
  if (TfLiteTensorNumDims(tensor) != count) return 0;
  for (jint i = 0; i < count; i++) {
    const int open = signature != NULL && signature->size == count && signature->data[i] == -1;
    if (!open && TfLiteTensorDim(tensor, i) != dims[i]) return 0;
  }
  return 1;
}

static int has_shape(const TfLiteTensor* tensor, const jint* dims, jint count) {
  if (TfLiteTensorNumDims(tensor) != count) return 0;
  for (jint i = 0; i < count; i++) {
    if (TfLiteTensorDim(tensor, i) != dims[i]) return 0;
  }
  return 1;
}

NATIVE(jboolean, NativeInterpreterWrapper, resizeInput)
(JNIEnv* env, jclass class, jlong interpreter, jlong error, jint index, jintArray shape, jboolean strict) {
  const jint count = (*env)->GetArrayLength(env, shape);
  const TfLiteTensor* tensor = TfLiteInterpreterGetInputTensor(interpreter_of(interpreter), index);
  jint dims[MAX_DIMS];
  UNUSED(class);
  if (tensor == NULL || count > MAX_DIMS) {
    throw_text(env, ILLEGAL_ARGUMENT, "Input error: no such input, or too many dimensions", 0);
    return JNI_FALSE;
  }
  (*env)->GetIntArrayRegion(env, shape, 0, count, dims);
  if (has_shape(tensor, dims, count)) return JNI_FALSE;
  if (!may_resize(tensor, dims, count, strict) ||
      TfLiteInterpreterResizeInputTensor(interpreter_of(interpreter), index, dims, count) != kTfLiteOk) {
    throw_text(env, ILLEGAL_ARGUMENT, "Internal error: Failed to resize input", error);
    return JNI_FALSE;
  }
  return JNI_TRUE;
}

NATIVE(void, NativeInterpreterWrapperExperimental, resetVariableTensors)
(JNIEnv* env, jclass class, jlong interpreter, jlong error) {
  UNUSED(class);
  if (TfLiteInterpreterResetVariableTensors(interpreter_of(interpreter)) != kTfLiteOk) {
    throw_text(env, ILLEGAL_ARGUMENT, "Internal error: Failed to reset variable tensors", error);
  }
}

/* ---- NativeInterpreterWrapper: what the model has ---- */

NATIVE(jint, NativeInterpreterWrapper, getInputCount)(JNIEnv* env, jclass class, jlong interpreter) {
  UNUSED(env);
  UNUSED(class);
  return TfLiteInterpreterGetInputTensorCount(interpreter_of(interpreter));
}

NATIVE(jint, NativeInterpreterWrapper, getOutputCount)(JNIEnv* env, jclass class, jlong interpreter) {
  UNUSED(env);
  UNUSED(class);
  return TfLiteInterpreterGetOutputTensorCount(interpreter_of(interpreter));
}

NATIVE(jint, NativeInterpreterWrapper, getInputTensorIndex)(JNIEnv* env, jclass class, jlong interpreter, jint index) {
  UNUSED(env);
  UNUSED(class);
  return TfLiteInterpreterInputTensorIndices(interpreter_of(interpreter))[index];
}

NATIVE(jint, NativeInterpreterWrapper, getOutputTensorIndex)(JNIEnv* env, jclass class, jlong interpreter, jint index) {
  UNUSED(env);
  UNUSED(class);
  return TfLiteInterpreterOutputTensorIndices(interpreter_of(interpreter))[index];
}

typedef const char* (*NameOf)(const TfLiteInterpreter* interpreter, int index);

static const char* input_name(const TfLiteInterpreter* interpreter, int index) {
  return TfLiteTensorName(TfLiteInterpreterGetInputTensor(interpreter, index));
}

static const char* output_name(const TfLiteInterpreter* interpreter, int index) {
  return TfLiteTensorName(TfLiteInterpreterGetOutputTensor(interpreter, index));
}

static const char* signature_key(const TfLiteInterpreter* interpreter, int index) {
  return TfLiteInterpreterGetSignatureKey(interpreter, index);
}

static jobjectArray names(JNIEnv* env, jlong interpreter, int count, NameOf name_of) {
  jclass string_class = (*env)->FindClass(env, "java/lang/String");
  jobjectArray array = string_class == NULL ? NULL : (*env)->NewObjectArray(env, count, string_class, NULL);
  for (int i = 0; array != NULL && i < count; i++) {
    const char* text = name_of(interpreter_of(interpreter), i);
    jstring name = (*env)->NewStringUTF(env, text != NULL ? text : "");
    if (name == NULL) return NULL;
    (*env)->SetObjectArrayElement(env, array, i, name);
    (*env)->DeleteLocalRef(env, name);
  }
  return array;
}

NATIVE(jobjectArray, NativeInterpreterWrapper, getInputNames)(JNIEnv* env, jclass class, jlong interpreter) {
  UNUSED(class);
  return names(env, interpreter, TfLiteInterpreterGetInputTensorCount(interpreter_of(interpreter)), input_name);
}

NATIVE(jobjectArray, NativeInterpreterWrapper, getOutputNames)(JNIEnv* env, jclass class, jlong interpreter) {
  UNUSED(class);
  return names(env, interpreter, TfLiteInterpreterGetOutputTensorCount(interpreter_of(interpreter)), output_name);
}

NATIVE(jobjectArray, NativeInterpreterWrapper, getSignatureKeys)(JNIEnv* env, jclass class, jlong interpreter) {
  UNUSED(class);
  return names(env, interpreter, TfLiteInterpreterGetSignatureCount(interpreter_of(interpreter)), signature_key);
}

/* Only compared with 1 by the Java layer, for a warning about delegates that took nothing. */
NATIVE(jint, NativeInterpreterWrapper, getExecutionPlanLength)(JNIEnv* env, jclass class, jlong interpreter) {
  UNUSED(env);
  UNUSED(class);
  UNUSED(interpreter);
  return 1;
}

/* A model with operators of full TensorFlow does not open with this library at all. */
NATIVE(jboolean, NativeInterpreterWrapper, hasUnresolvedFlexOp)(JNIEnv* env, jclass class, jlong interpreter) {
  UNUSED(env);
  UNUSED(class);
  UNUSED(interpreter);
  return JNI_FALSE;
}

/* ---- TensorImpl ---- */

static TfLiteTensor* tensor_of(jlong handle) {
  const TensorRef* ref = pointer(handle);
  return TfLiteInterpreterGetTensor(ref->interpreter, ref->index);
}

NATIVE(jlong, TensorImpl, create)(JNIEnv* env, jclass class, jlong interpreter, jint index, jint subgraph) {
  TensorRef* ref = malloc(sizeof *ref);
  UNUSED(class);
  UNUSED(subgraph);
  if (ref == NULL) {
    throw_text(env, OUT_OF_MEMORY, "no memory for a tensor", 0);
    return 0;
  }
  ref->interpreter = interpreter_of(interpreter);
  ref->index = index;
  return handle_of(ref);
}

NATIVE(void, TensorImpl, delete)(JNIEnv* env, jclass class, jlong handle) {
  UNUSED(env);
  UNUSED(class);
  free(pointer(handle));
}

NATIVE(jobject, TensorImpl, buffer)(JNIEnv* env, jclass class, jlong handle) {
  TfLiteTensor* tensor = tensor_of(handle);
  UNUSED(class);
  if (TfLiteTensorData(tensor) == NULL) {
    throw_text(env, ILLEGAL_ARGUMENT, "Internal error: Tensor hasn't been allocated", 0);
    return NULL;
  }
  return (*env)->NewDirectByteBuffer(env, TfLiteTensorData(tensor), (jlong)TfLiteTensorByteSize(tensor));
}

/* The Java layer has compared the sizes. */
NATIVE(void, TensorImpl, writeDirectBuffer)(JNIEnv* env, jclass class, jlong handle, jobject source) {
  TfLiteTensor* tensor = tensor_of(handle);
  const void* data = (*env)->GetDirectBufferAddress(env, source);
  UNUSED(class);
  if (data == NULL || TfLiteTensorData(tensor) == NULL) {
    throw_text(env, ILLEGAL_ARGUMENT, "Input ByteBuffer is not a direct buffer", 0);
    return;
  }
  memcpy(TfLiteTensorData(tensor), data, TfLiteTensorByteSize(tensor));
}

NATIVE(jint, TensorImpl, dtype)(JNIEnv* env, jclass class, jlong handle) {
  UNUSED(env);
  UNUSED(class);
  return (jint)TfLiteTensorType(tensor_of(handle));
}

static jintArray int_array(JNIEnv* env, const jint* values, jint count) {
  jintArray array = (*env)->NewIntArray(env, count);
  if (array != NULL) (*env)->SetIntArrayRegion(env, array, 0, count, values);
  return array;
}

static jintArray shape_of(JNIEnv* env, const TfLiteTensor* tensor) {
  const jint count = TfLiteTensorNumDims(tensor);
  jint dims[MAX_DIMS];
  if (count > MAX_DIMS) {
    throw_text(env, ILLEGAL_STATE, "a tensor has too many dimensions", 0);
    return NULL;
  }
  for (jint i = 0; i < count; i++) dims[i] = TfLiteTensorDim(tensor, i);
  return int_array(env, dims, count);
}

NATIVE(jintArray, TensorImpl, shape)(JNIEnv* env, jclass class, jlong handle) {
  UNUSED(class);
  return shape_of(env, tensor_of(handle));
}

NATIVE(jintArray, TensorImpl, shapeSignature)(JNIEnv* env, jclass class, jlong handle) {
  const TfLiteTensor* tensor = tensor_of(handle);
  const TfLiteIntArray* signature = tensor->dims_signature;
  UNUSED(class);
  if (signature == NULL || signature->size == 0) return shape_of(env, tensor);
  return int_array(env, signature->data, signature->size);
}

NATIVE(jint, TensorImpl, numBytes)(JNIEnv* env, jclass class, jlong handle) {
  UNUSED(env);
  UNUSED(class);
  return (jint)TfLiteTensorByteSize(tensor_of(handle));
}

NATIVE(jboolean, TensorImpl, hasDelegateBufferHandle)(JNIEnv* env, jclass class, jlong handle) {
  UNUSED(env);
  UNUSED(class);
  UNUSED(handle);
  return JNI_FALSE;
}

NATIVE(jint, TensorImpl, index)(JNIEnv* env, jclass class, jlong handle) {
  const TensorRef* ref = pointer(handle);
  UNUSED(env);
  UNUSED(class);
  return ref->index;
}

NATIVE(jstring, TensorImpl, name)(JNIEnv* env, jclass class, jlong handle) {
  const char* name = TfLiteTensorName(tensor_of(handle));
  UNUSED(class);
  return (*env)->NewStringUTF(env, name != NULL ? name : "");
}

NATIVE(jfloat, TensorImpl, quantizationScale)(JNIEnv* env, jclass class, jlong handle) {
  UNUSED(env);
  UNUSED(class);
  return TfLiteTensorQuantizationParams(tensor_of(handle)).scale;
}

NATIVE(jint, TensorImpl, quantizationZeroPoint)(JNIEnv* env, jclass class, jlong handle) {
  UNUSED(env);
  UNUSED(class);
  return TfLiteTensorQuantizationParams(tensor_of(handle)).zero_point;
}

/* Nested Java arrays; the Java layer has checked type and shape. Returns the place behind what was copied. */
static char* copy_array(JNIEnv* env, size_t width, int dims, jobject array, char* at, int to_tensor) {
  const jint count = (*env)->GetArrayLength(env, (jarray)array);
  if (dims > 1) {
    for (jint i = 0; at != NULL && i < count; i++) {
      jobject part = (*env)->GetObjectArrayElement(env, (jobjectArray)array, i);
      at = copy_array(env, width, dims - 1, part, at, to_tensor);
      (*env)->DeleteLocalRef(env, part);
    }
    return at;
  }
  void* values = (*env)->GetPrimitiveArrayCritical(env, (jarray)array, NULL);
  const size_t size = width * (size_t)count;
  if (values == NULL) return NULL; /* out of memory: the JVM has thrown */
  if (to_tensor) {
    memcpy(at, values, size);
  } else {
    memcpy(values, at, size);
  }
  (*env)->ReleasePrimitiveArrayCritical(env, (jarray)array, values, to_tensor ? JNI_ABORT : 0);
  return at + size;
}

static size_t width_of(TfLiteType type) {
  switch (type) {
    case kTfLiteInt64:
      return 8;
    case kTfLiteFloat32:
    case kTfLiteInt32:
      return 4;
    case kTfLiteInt16:
      return 2;
    case kTfLiteInt8:
    case kTfLiteUInt8:
    case kTfLiteBool:
      return 1;
    default:
      return 0;
  }
}

static void copy_nested(JNIEnv* env, jlong handle, jobject array, int to_tensor) {
  TfLiteTensor* tensor = tensor_of(handle);
  const size_t width = width_of(TfLiteTensorType(tensor));
  if (width == 0 || TfLiteTensorData(tensor) == NULL) {
    throw_text(env, ILLEGAL_ARGUMENT, "this type of tensor cannot be copied from or to arrays", 0);
    return;
  }
  copy_array(env, width, TfLiteTensorNumDims(tensor), array, TfLiteTensorData(tensor), to_tensor);
}

NATIVE(void, TensorImpl, readMultiDimensionalArray)(JNIEnv* env, jclass class, jlong handle, jobject array) {
  UNUSED(class);
  copy_nested(env, handle, array, 0);
}

NATIVE(void, TensorImpl, writeMultiDimensionalArray)(JNIEnv* env, jclass class, jlong handle, jobject array) {
  UNUSED(class);
  copy_nested(env, handle, array, 1);
}
