// The C ABI of the CPU kernels: plain pointers and sizes, no torch headers. binding.py beside it binds it and checks
// every tensor before it comes here. All arrays are contiguous float32 unless said otherwise.
#include <atomic>
#include <vector>
#ifdef _OPENMP
#include <omp.h>
#else
static inline int omp_get_max_threads() { return 1; }
static inline int omp_get_thread_num() { return 0; }
#endif
#include "torso.h"
#include "volume.h"

namespace {

constexpr int STRETCH = BLOCK / TILE * TILE;  // points whose grid is read level by level, before their tiles' turn

template <int D>
void encode_all(const Grid& grid, const float* table, const float* points, int64_t count, float* out) {
  const int width = width_of(grid);
#pragma omp parallel for schedule(static)
  for (int64_t p = 0; p < count; p += BLOCK) {
    int real = (int)std::min<int64_t>(BLOCK, count - p), whole = real / LANES * LANES;
    encode_tile<D>(grid, table, points + p * D, D, whole, out + p * width, width);
    if (whole == real) continue;
    float padded[LANES * D] = {0}, encoded[LANES * 32];
    memcpy(padded, points + (p + whole) * D, sizeof(float) * (real - whole) * D);
    encode_tile<D>(grid, table, padded, D, LANES, encoded, width);
    memcpy(out + (p + whole) * width, encoded, sizeof(float) * (real - whole) * width);
  }
}

}  // namespace

extern "C" {

int32_t abi_version() { return 3; }

void grid_forward(const Grid* grid, const float* table, const float* points, int64_t count, float* out) {
  if (grid->dims == 3) encode_all<3>(*grid, table, points, count, out);
  else encode_all<2>(*grid, table, points, count, out);
}

void grid_backward(const Grid* grid, const float* points, const float* gradient, int64_t count, float* d_table) {
  if (grid->dims == 3) scatter<3>(*grid, count, points, gradient, width_of(*grid), d_table);
  else scatter<2>(*grid, count, points, gradient, width_of(*grid), d_table);
}

// Two-dimensional points only.
void grid_point_gradient(const Grid* grid, const float* table, const float* points, const float* gradient,
                         int64_t count, float* d_points) {
  const int width = width_of(*grid);
#pragma omp parallel for schedule(static)
  for (int64_t p = 0; p < count; p += LANES) {
    int real = (int)std::min<int64_t>(LANES, count - p);
    float padded[LANES * 2] = {0}, g[LANES * 32] = {0}, out[LANES * 2];
    memcpy(padded, points + p * 2, sizeof(float) * real * 2);
    memcpy(g, gradient + p * width, sizeof(float) * real * width);
    point_gradient_tile(*grid, table, padded, LANES, g, width, out);
    memcpy(d_points + p * 2, out, sizeof(float) * real * 2);
  }
}

// `encoded` [count][encoded], where given, keeps the points' features for field_backward.
void field_forward(const Network* n, const float* points, const float* harmonics, const int32_t* ray_of, int64_t count,
                   float* sigma, float* value, float* ambient, float* encoded) {
  Transposed weights;
  transpose_all(*n, weights);
  const int width = encoded_width(*n), channels = channels_of(*n);
#pragma omp parallel
  {
    Activations a;
    memset(&a, 0, sizeof a);
    const Values values = values_of(*n, a);
    std::vector<float> features(STRETCH * width), padded(STRETCH * 3);
#pragma omp for schedule(static)
    for (int64_t begin = 0; begin < count; begin += STRETCH) {
      const int64_t end = std::min<int64_t>(count, begin + STRETCH);
      memcpy(padded.data(), points + begin * 3, sizeof(float) * 3 * (end - begin));
      encode_tile<3>(n->space, n->space_table, padded.data(), 3, (int)(end - begin + LANES - 1) / LANES * LANES,
                     features.data(), width);
      for (int64_t p = begin; p < end; p += TILE) {
        const int real = (int)std::min<int64_t>(TILE, end - p);
        load_rays(*n, harmonics, ray_of + p, real, a);
        memcpy(a.encoded, features.data() + (p - begin) * width, sizeof(float) * TILE * width);
        forward_tile(*n, weights, a, real, Known::space);
        if (encoded) memcpy(encoded + p * width, a.encoded, sizeof(float) * real * width);
        memcpy(sigma + p, a.sigma, sizeof(float) * real);
        for (int i = 0; i < real; i++) {
          memcpy(value + channels * (p + i), values.data + i * values.wide, sizeof(float) * channels);
          memcpy(ambient + 2 * (p + i), a.ambient + i * PADDED, sizeof(float) * 2);
        }
      }
    }
  }
}

// Recomputes the activations from field_forward's `features`, tile by tile. `weights_out` points at the ten gradients
// in WeightGradients' order, to be added to; `encoded_scratch` is [count][encoded], `ambient_scratch` [count][2].
void field_backward(const Network* n, const float* points, const float* harmonics, const int32_t* ray_of, int64_t count,
                    const float* d_sigma, const float* d_value, const float* d_ambient, float** weights_out,
                    float* d_space_table, float* d_ambient_table, const float* features, float* encoded_scratch,
                    float* ambient_scratch) {
  Transposed weights;
  transpose_all(*n, weights);
  const int space = width_of(n->space), encoded = encoded_width(*n), bias = HIDDEN * n->frames;
  constexpr int ARRAYS = 10;
  const int padded_sizes[ARRAYS] = {HIDDEN * space, PADDED * HIDDEN,    HIDDEN * encoded, HIDDEN * HIDDEN,
                                    GEOMETRY * HIDDEN, HIDDEN * COLOUR_IN, PADDED * HIDDEN, bias, bias, bias};
  const int sizes[ARRAYS] = {HIDDEN * space, 2 * HIDDEN,         HIDDEN * encoded, HIDDEN * HIDDEN,
                             GEOMETRY * HIDDEN, HIDDEN * COLOUR_IN, 3 * HIDDEN, bias, bias, bias};
  int offset[ARRAYS + 1] = {0};
  for (int i = 0; i < ARRAYS; i++) offset[i + 1] = offset[i] + padded_sizes[i];
  const int threads = omp_get_max_threads();
  std::vector<float> partial((size_t)offset[ARRAYS] * threads, 0.f);
#pragma omp parallel
  {
    Activations a;
    BackwardScratch s;
    memset(&a, 0, sizeof a);
    memset(&s, 0, sizeof s);
    if (!n->deferred) memcpy(s.colour_out, n->colour_out, sizeof(float) * 3 * HIDDEN);
    memcpy(s.ambient_out, n->ambient_out, sizeof(float) * 2 * HIDDEN);
    float* mine = partial.data() + (size_t)offset[ARRAYS] * omp_get_thread_num();
    const WeightGradients g = {mine + offset[0], mine + offset[1], mine + offset[2], mine + offset[3],
                               mine + offset[4], mine + offset[5], mine + offset[6], mine + offset[7],
                               mine + offset[8], mine + offset[9]};
#pragma omp for schedule(static)
    for (int64_t p = 0; p < count; p += TILE) {
      int real = (int)std::min<int64_t>(TILE, count - p);
      load_rays(*n, harmonics, ray_of + p, real, a);
      memcpy(a.encoded, features + p * encoded, sizeof(float) * real * encoded);
      forward_tile(*n, weights, a, TILE, Known::all);
      memcpy(ambient_scratch + p * 2, a.ambient_point, sizeof(float) * real * 2);
      backward_tile(*n, a, real, d_sigma + p, d_value + channels_of(*n) * p, d_ambient + 2 * p, s, g,
                    encoded_scratch + p * encoded);
    }
  }
  for (int t = 0; t < threads; t++)
    for (int i = 0; i < ARRAYS; i++) {
      const float* from = partial.data() + (size_t)t * offset[ARRAYS] + offset[i];
      for (int k = 0; k < sizes[i]; k++) weights_out[i][k] += from[k];
    }
  scatter<3>(n->space, count, points, encoded_scratch, encoded, d_space_table);
  scatter<2>(n->ambient, count, ambient_scratch, encoded_scratch + space, encoded, d_ambient_table);
}

// First call with points == nullptr: fills starts [rays + 1]. Second call: fills points and ray_of.
void march(const float* origins, const float* directions, const float* jitter, const float* density, int32_t rays,
           const Occupancy* grid, int32_t* starts, float* points, int32_t* ray_of) {
#pragma omp parallel for schedule(dynamic, 256)
  for (int i = 0; i < rays; i++) {
    Ray ray;
    start_ray(ray, origins + 3 * i, directions + 3 * i, jitter[i]);
    float point[3];
    int64_t voxel;
    if (points) {
      for (int s = starts[i]; s < starts[i + 1]; s++) {
        next_sample(ray, *grid, points + 3 * (int64_t)s, &voxel);
        ray_of[s] = i;
      }
    } else {
      int samples = 0;
      float depth = 0.f;
      while (depth < OPAQUE && next_sample(ray, *grid, point, &voxel)) {
        samples++;
        depth += std::min(density[voxel] * STEP, VOXEL_DEPTH_CAP);
      }
      starts[i + 1] = samples;
    }
  }
  if (points) return;
  starts[0] = 0;
  for (int i = 0; i < rays; i++) starts[i + 1] += starts[i];
}

// out: premultiplied values [rays][channels]; alpha, depth [rays]; transmittance before each sample.
void composite_forward(int32_t rays, int32_t channels, const int32_t* starts, const float* sigma, const float* value,
                       const float* points, const float* origins, const float* directions, float* out, float* alpha,
                       float* depth, float* transmittance) {
#pragma omp parallel for schedule(static, 256)
  for (int i = 0; i < rays; i++) {
    float T = 1.f, sum[MAX_CHANNELS] = {0}, distance = 0.f;
    for (int s = starts[i]; s < starts[i + 1]; s++) {
      transmittance[s] = T;
      float through = exp_accurate(-sigma[s] * STEP), w = T * (1.f - through), t = 0.f;
      for (int c = 0; c < channels; c++) sum[c] += w * value[channels * s + c];
      for (int c = 0; c < 3; c++) {
        t += (points[3 * s + c] * 2.f - 1.f - origins[3 * i + c]) * directions[3 * i + c];
      }
      distance += w * t;
      T *= through;
    }
    memcpy(out + channels * i, sum, sizeof(float) * channels);
    alpha[i] = 1.f - T;
    depth[i] = distance;
  }
}

// d out / d sigma_i = STEP (T_{i+1} v_i - sum_{j > i} w_j v_j);  d alpha / d sigma_i = STEP (1 - alpha).
void composite_backward(int32_t rays, int32_t channels, const int32_t* starts, const float* sigma, const float* value,
                        const float* out, const float* alpha, const float* d_out, const float* d_alpha, float* d_sigma,
                        float* d_value) {
#pragma omp parallel for schedule(static, 256)
  for (int i = 0; i < rays; i++) {
    float T = 1.f, sum[MAX_CHANNELS] = {0};
    for (int s = starts[i]; s < starts[i + 1]; s++) {
      float through = exp_accurate(-sigma[s] * STEP), w = T * (1.f - through), gradient = 0.f;
      T *= through;
      for (int c = 0; c < channels; c++) {
        sum[c] += w * value[channels * s + c];
        d_value[channels * s + c] = w * d_out[channels * i + c];
        gradient += d_out[channels * i + c] * (T * value[channels * s + c] - (out[channels * i + c] - sum[c]));
      }
      d_sigma[s] = (gradient + d_alpha[i] * (1.f - alpha[i])) * STEP;
    }
  }
}

// Forward only, one frame: a wave of rays is kept full by refilling slots as rays end, and samples are never stored.
// out: premultiplied rgb, alpha, depth: [rays][5].
void render(const Network* n, const float* origins, const float* directions, const float* harmonics, int32_t rays,
            const Occupancy* grid, float stop, float* out) {
  struct Slot { Ray ray; float T, t, sum[MAX_CHANNELS], depth; int id; };
  Transposed weights;
  transpose_all(*n, weights);
  const int channels = channels_of(*n), width = encoded_width(*n);
  constexpr int CHUNK = 256;
  std::atomic<int> queue{0};
#pragma omp parallel
  {
    Activations a;
    ShadeTile shaded;
    memset(&a, 0, sizeof a);
    memset(&shaded, 0, sizeof shaded);
    const Values values = values_of(*n, a);
    Slot slots[STRETCH];
    float points[STRETCH * 3] = {0};
    std::vector<float> features(STRETCH * width);
    int live = 0, current = 0, end = 0;
    auto harmonics_of = [&](const Slot& slot) { return harmonics + HARMONICS * (int64_t)slot.id; };
    auto finish = [&](const Slot& slot) {
      float* o = out + 5 * (int64_t)slot.id;
      memcpy(o, slot.sum, sizeof(float) * 3);
      o[3] = 1.f - slot.T;
      o[4] = slot.depth;
      if (!n->deferred || slot.T == 1.f) return;
      float* input = shaded.input + shaded.count * COLOUR_IN;
      memcpy(input, slot.sum, sizeof(float) * GEOMETRY);
      memcpy(input + GEOMETRY, harmonics_of(slot), sizeof(float) * HARMONICS);
      shaded.ray[shaded.count++] = slot.id;
      if (shaded.count == TILE) shade_tile(*n, weights, shaded, out);
    };
    auto advance = [&](int s) {
      int64_t voxel;
      Ray& ray = slots[s].ray;
      bool more = next_sample(ray, *grid, points + 3 * s, &voxel);
      slots[s].t = distance_at(ray, ray.step - 1);
      return more;
    };
    auto refill = [&](int s) {  // starts the next ray that meets anything in slot s
      for (;;) {
        if (current == end) {
          current = queue.fetch_add(CHUNK);
          if (current >= rays) { current = end = rays; return false; }
          end = std::min(rays, current + CHUNK);
        }
        Slot& slot = slots[s];
        slot = Slot{};
        slot.id = current++;
        slot.T = 1.f;
        start_ray(slot.ray, origins + 3 * (int64_t)slot.id, directions + 3 * (int64_t)slot.id, 0.5f);
        if (advance(s)) return true;
        finish(slot);
      }
    };
    while (live < STRETCH && refill(live)) live++;
    while (live > 0) {
      encode_tile<3>(n->space, n->space_table, points, 3, (live + LANES - 1) / LANES * LANES, features.data(), width);
      for (int begin = 0; begin < live; begin += TILE) {
        const int real = std::min(TILE, live - begin);
        memcpy(a.encoded, features.data() + begin * width, sizeof(float) * TILE * width);
        for (int p = 0; p < real; p++)
          memcpy(a.colour_input + p * COLOUR_IN + GEOMETRY, harmonics_of(slots[begin + p]), sizeof(float) * HARMONICS);
        forward_tile(*n, weights, a, real, Known::space);
        for (int p = 0; p < real; p++) {
          Slot& slot = slots[begin + p];
          float through = exp_accurate(-a.sigma[p] * STEP), w = slot.T * (1.f - through);
          for (int c = 0; c < channels; c++) slot.sum[c] += w * values.data[p * values.wide + c];
          slot.depth += w * slot.t;
          slot.T *= through;
        }
      }
      for (int s = 0; s < live;) {
        if (slots[s].T > stop && advance(s)) { s++; continue; }
        finish(slots[s]);
        if (refill(s)) { s++; continue; }
        if (--live > s) {  // no more rays: the last slot moves here, and is looked at next
          slots[s] = slots[live];
          memcpy(points + 3 * s, points + 3 * live, sizeof(float) * 3);
        }
      }
    }
    shade_tile(*n, weights, shaded, out);
  }
}

void paint_torso(const TorsoNetwork* n, const float* positions, int64_t count, float* rgba) {
  TransposedTorso weights;
  transpose_all(*n, weights);
#pragma omp parallel
  {
    TorsoTile tile;
    memset(&tile, 0, sizeof tile);
#pragma omp for schedule(static)
    for (int64_t p = 0; p < count; p += TILE)
      paint_tile(*n, weights, positions + 2 * p, (int)std::min<int64_t>(TILE, count - p), tile, rgba + 4 * p);
  }
}

// Adam that leaves blocks of 16 without any gradient alone (a hash table is touched sparsely); clears the gradient.
void sparse_adam(float* value, float* gradient, float* first, float* second, int64_t count, float rate, float beta1,
                 float beta2, float epsilon, float correction1, float correction2) {
  constexpr int64_t TOUCHED = 16;
#pragma omp parallel for schedule(static)
  for (int64_t begin = 0; begin < count; begin += TOUCHED) {
    int64_t end = std::min(count, begin + TOUCHED);
    bool touched = false;
    for (int64_t i = begin; i < end; i++) touched |= gradient[i] != 0.f;
    if (!touched) continue;
    for (int64_t i = begin; i < end; i++) {
      float g = gradient[i];
      first[i] = beta1 * first[i] + (1.f - beta1) * g;
      second[i] = beta2 * second[i] + (1.f - beta2) * g * g;
      value[i] -= rate * (first[i] * correction1) / (std::sqrt(second[i] * correction2) + epsilon);
      gradient[i] = 0.f;
    }
  }
}

}  // extern "C"
