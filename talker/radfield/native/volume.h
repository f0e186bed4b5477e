// Marching through the occupancy grid. talker/radfield/volume.py is the reference and says what the names mean.
#pragma once
#include "simd.h"

constexpr int STEPS = 192, MAX_SAMPLES = 96;
constexpr float STEP = 2.f * 1.7320508075688772f / STEPS;
constexpr float NEAR = 0.05f, OPAQUE = 5.f, VOXEL_DEPTH_CAP = 0.6f;

// Two levels: a word is a brick of 4 x 4 x 4 voxels, and a brick without any is crossed in one stride.
struct Occupancy {
  const uint64_t* bricks;  // [(G / 4)^3] in z y x order, the voxels of each in z y x order
  int32_t resolution;      // G
};

struct Ray {
  float origin[3], direction[3], inverse[3], near, far, jitter;
  int step, samples;
};

INLINE void start_ray(Ray& ray, const float* origin, const float* direction, float jitter) {
  float near = NEAR, far = 1e9f;
  for (int c = 0; c < 3; c++) {
    ray.origin[c] = origin[c];
    ray.direction[c] = direction[c];
    ray.inverse[c] = 1.f / direction[c];
    float low = (-1.f - origin[c]) * ray.inverse[c], high = (1.f - origin[c]) * ray.inverse[c];
    near = std::max(near, std::min(low, high));
    far = std::min(far, std::max(low, high));
  }
  ray.near = near, ray.far = far, ray.jitter = jitter, ray.step = 0, ray.samples = 0;
}

INLINE float distance_at(const Ray& ray, int step) { return ray.near + ((float)step + ray.jitter) * STEP; }

// The next occupied lattice point in [0, 1]^3 and its voxel, or false.
INLINE bool next_sample(Ray& ray, const Occupancy& grid, float* point, int64_t* voxel) {
  const int G = grid.resolution, bricks = G / 4;
  while (ray.samples < MAX_SAMPLES && ray.step < STEPS) {
    float t = distance_at(ray, ray.step);
    if (!(t < ray.far)) return false;
    int cell[3];
    for (int c = 0; c < 3; c++) {
      point[c] = (ray.origin[c] + t * ray.direction[c]) * 0.5f + 0.5f;
      cell[c] = (int)std::min(std::max(0.f, point[c] * G), G - 1.f);  // in this order NaN becomes 0
    }
    uint64_t brick = grid.bricks[((cell[2] >> 2) * bricks + (cell[1] >> 2)) * bricks + (cell[0] >> 2)];
    if (brick >> ((cell[2] & 3) << 4 | (cell[1] & 3) << 2 | (cell[0] & 3)) & 1) {
      *voxel = ((int64_t)cell[2] * G + cell[1]) * G + cell[0];
      ray.step++, ray.samples++;
      for (int c = 0; c < 3; c++) point[c] = std::min(std::max(point[c], 0.f), 1.f);
      return true;
    }
    float stride = 4.f;  // no way through the box is longer
    const int side = brick ? 1 : 4;
    for (int c = 0; c < 3; c++) {
      if (ray.direction[c] == 0.f) continue;  // its faces are never met: 1 / 0 would say at once
      float face = ((cell[c] & -side) + (ray.direction[c] > 0 ? side : 0)) * (1.f / G);
      stride = std::min(stride, (face - point[c]) * 2.f * ray.inverse[c]);
    }
    ray.step += std::max(1, (int)std::ceil(stride / STEP - 1e-4f));
  }
  return false;
}
