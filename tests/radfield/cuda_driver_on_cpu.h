// NVIDIA's driver API, as far as talker uses it, over run_kernel(): GpuModule runs against it without a GPU.
#pragma once
#include "cuda_on_cpu.h"

static int the_context;
static thread_local bool is_current = false;  // a new thread starts without a context, as the driver has it

extern "C" {
int cuInit(unsigned) { return 0; }
int cuDeviceGet(int* device, int ordinal) { return *device = ordinal, 0; }
int cuDevicePrimaryCtxRetain(void** context, int) { return *context = &the_context, 0; }
int cuCtxSetCurrent(void* context) { return is_current = context == &the_context, !is_current; }
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
  if (!is_current || stream != (void*)7) return 201;  // CUDA_ERROR_INVALID_CONTEXT
  return run_kernel((const char*)function, blocks, threads, parameters);
}
int cuGetErrorString(int code, const char** text) {
  return *text = code == 500 ? "named symbol not found" : "device kernel image is invalid", 0;
}
}
