/* The calls of the CUDA runtime, the driver and NVML that the worker makes, over host memory.
 *
 * Prototypes are those of cuda_runtime_api.h, cuda.h and nvml.h, so that an argument of the wrong size or in the
 * wrong place fails here as it would there. Every handle is checked; a status other than 0 is an error.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STREAM ((void *)0x5157)
#define GRAPH ((void *)0x6772)
#define EXECUTABLE ((void *)0x6578)
#define DEVICE ((void *)0x6476)
#define BAD 1

static int capturing = 0, launches = 0;

/* runtime */
int cudaRuntimeGetVersion(int *version) { *version = 13000; return 0; }
int cudaSetDevice(int device) { return device == 0 ? 0 : BAD; }
const char *cudaGetErrorString(int status) { return status ? "invalid argument" : "no error"; }
int cudaMalloc(void **address, size_t size) { *address = malloc(size); return *address ? 0 : BAD; }
int cudaHostAlloc(void **address, size_t size, unsigned int flags) {
  if (flags) return BAD;
  *address = malloc(size);
  return *address ? 0 : BAD;
}
int cudaMemcpyAsync(void *target, const void *source, size_t size, int kind, void *stream) {
  if ((kind != 1 && kind != 2) || stream != STREAM) return BAD;
  memcpy(target, source, size);
  return 0;
}
int cudaMemsetAsync(void *address, int value, size_t size, void *stream) {
  if (stream != STREAM) return BAD;
  memset(address, value, size);
  return 0;
}
int cudaStreamCreateWithFlags(void **stream, unsigned int flags) { *stream = STREAM; return flags == 1 ? 0 : BAD; }
int cudaStreamSynchronize(void *stream) { return stream == STREAM ? 0 : BAD; }
int cudaEventCreate(void **event) { *event = calloc(1, sizeof(struct timespec)); return 0; }
int cudaEventRecord(void *event, void *stream) {
  return stream == STREAM && !clock_gettime(CLOCK_MONOTONIC, (struct timespec *)event) ? 0 : BAD;
}
int cudaEventSynchronize(void *event) { return event ? 0 : BAD; }
int cudaEventElapsedTime(float *ms, void *first, void *second) {
  struct timespec *a = first, *b = second;
  *ms = (float)((b->tv_sec - a->tv_sec) * 1e3 + (b->tv_nsec - a->tv_nsec) / 1e6);
  return 0;
}

/* driver */
int cuInit(unsigned int flags) { return flags ? BAD : 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = 0; return ordinal ? BAD : 0; }
int cuDeviceGetName(char *name, int length, int device) {
  strncpy(name, "Host Memory 1", (size_t)length);
  return device ? BAD : 0;
}
int cuDeviceGetUuid(unsigned char *uuid, int device) {
  for (int i = 0; i < 16; i++) uuid[i] = (unsigned char)(16 * i + i);
  return device ? BAD : 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 38 ? 1 << 20 : attribute;
  return device ? BAD : 0;
}
int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = (size_t)6 << 30; return device ? BAD : 0; }
/* The gate is closed: the word is below the value that it waits for. Nothing runs later here, so nothing waits. */
int cuStreamWaitValue32_v2(void *stream, unsigned long long address, unsigned int value, unsigned int flags) {
  return stream == STREAM && !flags && *(unsigned int *)(size_t)address + 1 == value ? 0 : BAD;
}
int cuStreamBeginCapture_v2(void *stream, int mode) {
  if (stream != STREAM || mode != 2 || capturing) return BAD;
  capturing = 1;
  return 0;
}
int cuStreamEndCapture(void *stream, void **graph) {
  if (stream != STREAM || !capturing) return BAD;
  capturing = 0;
  *graph = GRAPH;
  return 0;
}
int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags) {
  if (graph != GRAPH || flags) return BAD;
  *executable = EXECUTABLE;
  return 0;
}
int cuGraphLaunch(void *executable, void *stream) {
  launches++;
  return executable == EXECUTABLE && stream == STREAM ? 0 : BAD;
}

/* NVML */
int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
  *device = DEVICE;
  return strcmp(uuid, "GPU-00112233-4455-6677-8899-aabbccddeeff") ? BAD : 0;
}
int nvmlSystemGetDriverVersion(char *version, unsigned int length) {
  strncpy(version, "580.1", length);
  return 0;
}
int nvmlDeviceGetClockInfo(void *device, unsigned int type, unsigned int *mhz) {
  *mhz = 1000 + type;
  return device == DEVICE && type < 4 ? 0 : BAD;
}
int nvmlDeviceGetMaxClockInfo(void *device, unsigned int type, unsigned int *mhz) {
  *mhz = 2000 + type;
  return device == DEVICE && type < 4 ? 0 : BAD;
}
int nvmlDeviceGetTemperature(void *device, unsigned int sensor, unsigned int *celsius) {
  *celsius = 40;
  return device == DEVICE && !sensor ? 0 : BAD;
}
int nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts) {
  *milliwatts = 123456;
  return device == DEVICE ? 0 : BAD;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *reasons) {
  *reasons = 1ULL << 40;
  return device == DEVICE ? 0 : BAD;
}
