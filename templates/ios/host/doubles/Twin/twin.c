#include "twin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxruntime_c_api.h"

#define TWIN_MAX 16

struct twin {
  const OrtApi *api;
  OrtEnv *env;
  OrtSessionOptions *options;
  OrtSession *session;
  OrtAllocator *allocator;
  size_t input_count;
  size_t output_count;
  char *input_names[TWIN_MAX];
  char *output_names[TWIN_MAX];
  OrtValue *inputs[TWIN_MAX];
  OrtValue *outputs[TWIN_MAX];
};

static int32_t failed(struct twin *twin, OrtStatus *status, char *problem, size_t capacity) {
  if (status == NULL) {
    return 0;
  }
  if (problem != NULL) {
    snprintf(problem, capacity, "%s", twin->api->GetErrorMessage(status));
  }
  twin->api->ReleaseStatus(status);
  return -1;
}

struct twin *twin_open(const char *path, char *problem, size_t capacity) {
  struct twin *twin = calloc(1, sizeof *twin);
  if (twin == NULL) {
    return NULL;
  }
  twin->api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  const OrtApi *api = twin->api;
  if (failed(twin, api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "twin", &twin->env), problem, capacity) ||
      failed(twin, api->CreateSessionOptions(&twin->options), problem, capacity) ||
      failed(twin, api->SetIntraOpNumThreads(twin->options, 1), problem, capacity) ||
      failed(twin, api->CreateSession(twin->env, path, twin->options, &twin->session), problem, capacity) ||
      failed(twin, api->GetAllocatorWithDefaultOptions(&twin->allocator), problem, capacity)) {
    twin_close(twin);
    return NULL;
  }
  return twin;
}

void twin_close(struct twin *twin) {
  twin_begin(twin);
  twin->api->ReleaseSession(twin->session);
  twin->api->ReleaseSessionOptions(twin->options);
  twin->api->ReleaseEnv(twin->env);
  free(twin);
}

void twin_begin(struct twin *twin) {
  for (size_t i = 0; i < twin->input_count; i++) {
    free(twin->input_names[i]);
    twin->api->ReleaseValue(twin->inputs[i]);
  }
  for (size_t i = 0; i < twin->output_count; i++) {
    free(twin->output_names[i]);
    twin->api->ReleaseValue(twin->outputs[i]);
  }
  memset(twin->inputs, 0, sizeof twin->inputs);
  memset(twin->outputs, 0, sizeof twin->outputs);
  twin->input_count = twin->output_count = 0;
}

/* Bytes of an element of either type. */
#define TWIN_ELEMENT 4

static ONNXTensorElementDataType element(enum twin_type type) {
  return type == TWIN_INT32 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
}

int32_t twin_input(struct twin *twin, const char *name, enum twin_type type, const void *values, const int64_t *shape,
                   size_t rank, char *problem, size_t capacity) {
  OrtValue *tensor = NULL;
  void *data = NULL;
  size_t count = 1;
  for (size_t axis = 0; axis < rank; axis++) {
    count *= (size_t)shape[axis];
  }
  if (twin->input_count == TWIN_MAX) {
    snprintf(problem, capacity, "more than %d inputs", TWIN_MAX);
    return -1;
  }
  if (failed(twin, twin->api->CreateTensorAsOrtValue(twin->allocator, shape, rank, element(type), &tensor), problem,
             capacity) ||
      failed(twin, twin->api->GetTensorMutableData(tensor, &data), problem, capacity)) {
    return -1;
  }
  memcpy(data, values, count * TWIN_ELEMENT);
  twin->input_names[twin->input_count] = strdup(name);
  twin->inputs[twin->input_count++] = tensor;
  return 0;
}

int32_t twin_output(struct twin *twin, const char *name, char *problem, size_t capacity) {
  if (twin->output_count == TWIN_MAX) {
    snprintf(problem, capacity, "more than %d outputs", TWIN_MAX);
    return -1;
  }
  twin->output_names[twin->output_count++] = strdup(name);
  return 0;
}

int32_t twin_run(struct twin *twin, char *problem, size_t capacity) {
  return failed(twin,
                twin->api->Run(twin->session, NULL, (const char *const *)twin->input_names,
                               (const OrtValue *const *)twin->inputs, twin->input_count,
                               (const char *const *)twin->output_names, twin->output_count, twin->outputs),
                problem, capacity);
}

int32_t twin_shape(struct twin *twin, size_t index, enum twin_type type, int64_t *shape, size_t capacity) {
  OrtTensorTypeAndShapeInfo *info = NULL;
  ONNXTensorElementDataType found = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  size_t rank = 0;
  int32_t result = -1;
  if (failed(twin, twin->api->GetTensorTypeAndShape(twin->outputs[index], &info), NULL, 0)) {
    return -1;
  }
  if (!failed(twin, twin->api->GetTensorElementType(info, &found), NULL, 0) && found == element(type) &&
      !failed(twin, twin->api->GetDimensionsCount(info, &rank), NULL, 0) && rank <= capacity &&
      !failed(twin, twin->api->GetDimensions(info, shape, rank), NULL, 0)) {
    result = (int32_t)rank;
  }
  twin->api->ReleaseTensorTypeAndShapeInfo(info);
  return result;
}

int32_t twin_values(struct twin *twin, size_t index, void *values, size_t count) {
  OrtTensorTypeAndShapeInfo *info = NULL;
  void *data = NULL;
  size_t found = 0;
  if (failed(twin, twin->api->GetTensorTypeAndShape(twin->outputs[index], &info), NULL, 0)) {
    return -1;
  }
  int32_t result = failed(twin, twin->api->GetTensorShapeElementCount(info, &found), NULL, 0);
  twin->api->ReleaseTensorTypeAndShapeInfo(info);
  if (result != 0 || found != count ||
      failed(twin, twin->api->GetTensorMutableData(twin->outputs[index], &data), NULL, 0)) {
    return -1;
  }
  memcpy(values, data, count * TWIN_ELEMENT);
  return 0;
}
