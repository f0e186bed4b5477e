// Multiresolution hash grids with two features a vertex, in tiny-cuda-nn's conventions (talker/radfield/encoding.py
// is the reference). Eight points are worked on at a time.
#pragma once
#include <vector>

#include "simd.h"

struct Level { float scale; int32_t resolution, offset, vertices, dense; };
struct Grid { int32_t levels, dims; Level level[16]; };
INLINE int width_of(const Grid& grid) { return 2 * grid.levels; }

constexpr int BLOCK = 256;  // points encoded at a time: enough that a level's table is read from the cache

// Coordinates of eight points. Whatever comes in, NaN included, lies in the grid: nothing beyond it is read or written.
template <int D>
INLINE void load_points(const float* points, int stride, f8* coordinate) {
  for (int d = 0; d < D; d++) {
    f8 x;
    for (int lane = 0; lane < LANES; lane++) x[lane] = points[lane * stride + d];
    x = x > 0.f ? x : f8{};
    coordinate[d] = x < 1.f ? x : (f8){} + 1.f;
  }
}

// Table rows and weights of the 2^D corners around eight points; `fraction` receives the position within the cell.
template <int D>
INLINE void corners(const Level& level, const f8* coordinate, i8* index, f8* weight, f8* fraction) {
  u8 low[D], high[D];
  const uint32_t primes[3] = {1u, 2654435761u, 805459861u};
  uint32_t dense_stride = 1;
  for (int d = 0; d < D; d++) {
    f8 position = coordinate[d] * level.scale + 0.5f;
    i8 cell = __builtin_convertvector(position, i8);  // positions are positive: truncation is the floor
    fraction[d] = position - __builtin_convertvector(cell, f8);
    uint32_t multiplier = level.dense ? dense_stride : primes[d];
    low[d] = (u8)cell * multiplier;
    high[d] = low[d] + multiplier;
    dense_stride *= level.resolution;
  }
  const u8 vertices = (u8){} + (uint32_t)level.vertices;
  for (int corner = 0; corner < (1 << D); corner++) {
    u8 row = corner & 1 ? high[0] : low[0];
    f8 w = corner & 1 ? fraction[0] : 1.f - fraction[0];
    for (int d = 1; d < D; d++) {
      bool upper = (corner >> d) & 1;
      row = level.dense ? row + (upper ? high[d] : low[d]) : row ^ (upper ? high[d] : low[d]);
      w *= upper ? fraction[d] : 1.f - fraction[d];
    }
    if (level.dense) row -= row >= vertices ? vertices : (u8){};  // only the far faces of the box reach beyond
    else row &= (uint32_t)(level.vertices - 1);                  // a hashed level has a power of two of them
    index[corner] = (i8)row;
    weight[corner] = w;
  }
}

// Features of `count` points (a multiple of eight, at most BLOCK): out[p * ldo + 2 l + feature].
template <int D>
INLINE void encode_tile(const Grid& grid, const float* table, const float* points, int stride, int count, float* out,
                        int ldo) {
  f8 coordinate[BLOCK / LANES][D];
  for (int p = 0; p < count; p += LANES) load_points<D>(points + p * stride, stride, coordinate[p / LANES]);
  for (int l = 0; l < grid.levels; l++) {
    const pair* pairs = (const pair*)(table + 2 * (int64_t)grid.level[l].offset);
    for (int p = 0; p < count; p += LANES) {
      i8 index[1 << D];
      f8 weight[1 << D], fraction[D], first{}, second{};
      corners<D>(grid.level[l], coordinate[p / LANES], index, weight, fraction);
      for (int corner = 0; corner < (1 << D); corner++) {
        i8 row = index[corner];
        f8 w = weight[corner];
        d4 a = {pairs[row[0]], pairs[row[1]], pairs[row[2]], pairs[row[3]]};
        d4 b = {pairs[row[4]], pairs[row[5]], pairs[row[6]], pairs[row[7]]};
        first += low_twice(w) * (f8)a;
        second += high_twice(w) * (f8)b;
      }
      for (int lane = 0; lane < 4; lane++) {
        memcpy(out + (p + lane) * ldo + 2 * l, (float*)&first + 2 * lane, 8);
        memcpy(out + (p + 4 + lane) * ldo + 2 * l, (float*)&second + 2 * lane, 8);
      }
    }
  }
}

// Adds the table's gradient. One thread owns one level: no atomics, and the same sums in the same order every time.
template <int D>
static void scatter(const Grid& grid, int64_t count, const float* points, const float* gradient, int ldg,
                    float* table) {
  struct Coordinates { f8 of[D]; };
  std::vector<Coordinates> coordinates((count + LANES - 1) / LANES);
  for (int64_t p = 0; p < count; p += LANES) {
    float padded[LANES * D] = {0};
    memcpy(padded, points + p * D, sizeof(float) * D * std::min<int64_t>(LANES, count - p));
    load_points<D>(padded, D, coordinates[p / LANES].of);
  }
#pragma omp parallel for schedule(dynamic, 1)
  for (int reversed = 0; reversed < grid.levels; reversed++) {
    int l = grid.levels - 1 - reversed;  // the finest, slowest level first
    f2* vertices = (f2*)(table + 2 * (int64_t)grid.level[l].offset);
    for (int64_t p = 0; p < count; p += LANES) {
      int lanes = (int)std::min<int64_t>(LANES, count - p);
      i8 index[1 << D];
      f8 weight[1 << D], fraction[D];
      corners<D>(grid.level[l], coordinates[p / LANES].of, index, weight, fraction);
      for (int lane = 0; lane < lanes; lane++) {
        f2 g = *(const f2*)(gradient + (p + lane) * ldg + 2 * l);
        if (g[0] == 0.f && g[1] == 0.f) continue;
        for (int corner = 0; corner < (1 << D); corner++) vertices[index[corner][lane]] += weight[corner][lane] * g;
      }
    }
  }
}

// Gradient of two-dimensional points from the gradient of their features; count a multiple of eight.
INLINE void point_gradient_tile(const Grid& grid, const float* table, const float* points, int count,
                                const float* gradient, int ldg, float* out) {
  for (int p = 0; p < count * 2; p++) out[p] = 0.f;
  for (int l = 0; l < grid.levels; l++) {
    const float* level_table = table + 2 * (int64_t)grid.level[l].offset;
    float scale = grid.level[l].scale;
    for (int p = 0; p < count; p += LANES) {
      i8 index[4];
      f8 weight[4], f[2], coordinate[2];
      load_points<2>(points + p * 2, 2, coordinate);
      corners<2>(grid.level[l], coordinate, index, weight, f);
      for (int lane = 0; lane < LANES; lane++) {
        const float* g = gradient + (p + lane) * ldg + 2 * l;
        float v[4];
        for (int corner = 0; corner < 4; corner++) {
          const float* vertex = level_table + 2 * (int64_t)index[corner][lane];
          v[corner] = g[0] * vertex[0] + g[1] * vertex[1];
        }
        out[(p + lane) * 2] += scale * ((v[1] - v[0]) * (1 - f[1][lane]) + (v[3] - v[2]) * f[1][lane]);
        out[(p + lane) * 2 + 1] += scale * ((v[2] - v[0]) * (1 - f[0][lane]) + (v[3] - v[1]) * f[0][lane]);
      }
    }
  }
}
