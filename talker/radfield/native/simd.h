// Eight floats at a time with GCC/Clang vector extensions: AVX2 where the machine has it, SSE or NEON pairs elsewhere.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#define INLINE static inline __attribute__((always_inline))

typedef float f8 __attribute__((vector_size(32), aligned(4)));  // aligned(4): loads may start anywhere
typedef int32_t i8 __attribute__((vector_size(32)));
typedef uint32_t u8 __attribute__((vector_size(32)));
typedef double d4 __attribute__((vector_size(32)));
typedef float f2 __attribute__((vector_size(8), aligned(4)));
typedef double pair __attribute__((may_alias));  // two floats read as one
constexpr int LANES = 8;
constexpr float LEAK = 0.01f;  // LeakyReLU's slope below zero

// Cephes' expf, good to 1e-7: a coarser one spoils gradients by percents.
INLINE float exp_accurate(float x) {
  x = std::min(std::max(x, -87.f), 88.f);
  float number = x == x ? x : 0.f;  // what is not a number has no integer; it stays visible through r
  int32_t whole = (int32_t)(number * 1.44269504f + (x < 0 ? -0.5f : 0.5f));
  float n = (float)whole, r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float poly = ((((1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r +
                1.6666665459e-1f) * r + 5.0000001201e-1f;
  int32_t bits = (whole + 127) << 23;
  float scale;
  memcpy(&scale, &bits, 4);
  return (poly * r * r + r + 1.f) * scale;
}
// The first (or the last) four floats, each of them twice.
#if __has_builtin(__builtin_shufflevector)
INLINE f8 low_twice(f8 x) { return __builtin_shufflevector(x, x, 0, 0, 1, 1, 2, 2, 3, 3); }
INLINE f8 high_twice(f8 x) { return __builtin_shufflevector(x, x, 4, 4, 5, 5, 6, 6, 7, 7); }
#else  // g++ before 12
INLINE f8 low_twice(f8 x) { return __builtin_shuffle(x, i8{0, 0, 1, 1, 2, 2, 3, 3}); }
INLINE f8 high_twice(f8 x) { return __builtin_shuffle(x, i8{4, 4, 5, 5, 6, 6, 7, 7}); }
#endif

INLINE float sigmoid(float x) { return 1.f / (1.f + exp_accurate(-x)); }
INLINE float tanh_accurate(float x) { return 2.f * sigmoid(2.f * x) - 1.f; }

// C[M x N] (+)= A[M x K] B[K x N]. A is addressed by (row stride, column stride), so that one kernel serves the
// forward pass, the gradient of the inputs and the gradient of the weights. M even, N a multiple of eight.
struct Strided { const float* data; int row, column; };
enum class Write { set, add };
enum class Activation { none, leaky_relu };

template <int ROWS, int VECTORS>
INLINE void gemm_block(int K, Strided a, const float* b, int ldb, float* c, int ldc, Write write, Activation act) {
  f8 sum[ROWS][VECTORS];
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < VECTORS; j++) sum[i][j] = write == Write::add ? *(f8*)(c + i * ldc + j * LANES) : f8{};
  for (int k = 0; k < K; k++) {
    f8 right[VECTORS];
    for (int j = 0; j < VECTORS; j++) right[j] = *(const f8*)(b + k * ldb + j * LANES);
    for (int i = 0; i < ROWS; i++) {
      float left = a.data[i * a.row + k * a.column];
      for (int j = 0; j < VECTORS; j++) sum[i][j] += left * right[j];
    }
  }
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < VECTORS; j++) {
      f8 s = sum[i][j];
      if (act == Activation::leaky_relu) s = s > 0.f ? s : s * LEAK;
      *(f8*)(c + i * ldc + j * LANES) = s;
    }
}

INLINE void gemm(int M, int N, int K, Strided a, const float* b, int ldb, float* c, int ldc, Write write = Write::set,
                 Activation act = Activation::none) {
  int j = 0;
  auto rows = [&](int i) { return Strided{a.data + i * a.row, a.row, a.column}; };
  for (; j + 2 * LANES <= N; j += 2 * LANES) {
    int i = 0;
    for (; i + 6 <= M; i += 6) gemm_block<6, 2>(K, rows(i), b + j, ldb, c + i * ldc + j, ldc, write, act);
    for (; i < M; i += 2) gemm_block<2, 2>(K, rows(i), b + j, ldb, c + i * ldc + j, ldc, write, act);
  }
  for (; j < N; j += LANES) {
    int i = 0;
    for (; i + 8 <= M; i += 8) gemm_block<8, 1>(K, rows(i), b + j, ldb, c + i * ldc + j, ldc, write, act);
    for (; i < M; i += 2) gemm_block<2, 1>(K, rows(i), b + j, ldb, c + i * ldc + j, ldc, write, act);
  }
}

INLINE void leaky_relu_backward(const float* activated, float* gradient, int count) {
  for (int i = 0; i < count; i++) gradient[i] = activated[i] > 0.f ? gradient[i] : LEAK * gradient[i];
}
