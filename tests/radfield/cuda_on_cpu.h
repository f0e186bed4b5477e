// Enough of CUDA for g++ to compile talker/radfield/cuda/kernels.cu as C++, and run_kernel() to run its grids one
// thread after the other. The parameters come as cuLaunchKernel has them: one pointer to each.
#pragma once
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <utility>

#define __global__
#define __device__ static

struct Index { unsigned x = 0; };
static thread_local Index blockIdx, threadIdx, blockDim;

static inline void atomicAdd(float* to, float value) { *to += value; }

template <typename... Parameters, size_t... At>
static void call(void (*kernel)(Parameters...), void** parameters, std::index_sequence<At...>) {
  kernel(*(Parameters*)parameters[At]...);
}

using Kernel = std::function<void(void**)>;
static std::map<std::string, Kernel>& kernels() {
  static std::map<std::string, Kernel> registered;
  return registered;
}

struct Registration {
  template <typename... Parameters>
  Registration(const char* name, void (*kernel)(Parameters...)) {
    kernels()[name] = [kernel](void** parameters) {
      call(kernel, parameters, std::index_sequence_for<Parameters...>{});
    };
  }
};

extern "C" int run_kernel(const char* name, unsigned blocks, unsigned threads, void** parameters) {
  auto found = kernels().find(name);
  if (found == kernels().end()) return 1;
  blockDim.x = threads;
  for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++)
    for (threadIdx.x = 0; threadIdx.x < threads; threadIdx.x++) found->second(parameters);
  return 0;
}
