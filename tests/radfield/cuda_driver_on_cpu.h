// NVIDIA's driver API, as far as talker uses it, over run_kernel(): GpuModule runs against it without a GPU.
#pragma once
#include "cuda_on_cpu.h"

static int current_context = 0;
static void* context_token = &current_context;

extern "C" {
int cuInit(unsigned) { return 0; }
int cuDeviceGet(int* device, int ordinal) { return *device = ordinal, 0; }
int cuDevicePrimaryCtxRetain(void** context, int) { return *context = context_token, 0; }
int cuCtxSetCurrent(void* context) { return current_context = context == context_token, !current_context; }
int cuModuleLoadData(void** module, const char* image) {
  return *module = (void*)image, strncmp(image, "\177ELF", 4) ? 200 : 0;  // CUDA_ERROR_INVALID_IMAGE
}
int cuModuleGetFunction(void** function, void*, const char* name) {
  auto found = kernels().find(name);
  if (found == kernels().end()) return 500;  // CUDA_ERROR_NOT_FOUND
  return *function = (void*)found->first.c_str(), 0;
}
int cuLaunchKernel(void* function, unsigned blocks, unsigned, unsigned, unsigned threads, unsigned, unsigned, unsigned,
                   void* stream, void** parameters, void**) {
  if (!current_context || stream != (void*)7) return 201;  // CUDA_ERROR_INVALID_CONTEXT
  return run_kernel((const char*)function, blocks, threads, parameters);
}
int cuGetErrorString(int code, const char** text) {
  return *text = code == 500 ? "named symbol not found" : "device kernel image is invalid", 0;
}
}
