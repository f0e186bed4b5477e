// The GPU's kernels: hash grids, marching, compositing, sparse Adam. encoding.py and volume.py are the reference and
// say what the names mean. One thread does one item; there are no warp tricks and there is no shared memory, so that
// the tests compile this very file as C++ and run it (tests/radfield/cuda_on_cpu.h).
//
// Every kernel's first parameter is how many threads have work. All arrays are contiguous; a point that is not a
// number reads the grid's border, so that nothing beyond a table is touched whatever comes in.

#define MAX_LEVELS 16
#define STEPS 192
#define MAX_SAMPLES 96
#define STEP (2.f * 1.7320508075688772f / STEPS)
#define NEAR 0.05f
#define OPAQUE 5.f
#define VOXEL_DEPTH_CAP 0.6f

struct Level { float scale; int resolution, offset, vertices, dense; };
struct Grid { int levels; Level level[MAX_LEVELS]; };

__device__ inline long long thread_index() { return (long long)blockIdx.x * blockDim.x + threadIdx.x; }

// --------------------------------------------------------------------------------------------------- hash grids

// Table rows and weights of the 2^D corners around one point; `fraction` receives the place within the cell.
template <int D>
__device__ inline void corners(const Level& level, const float* point, int* row, float* weight, float* fraction) {
  const unsigned primes[3] = {1u, 2654435761u, 805459861u};
  unsigned low[D], high[D], stride = 1;
  for (int d = 0; d < D; d++) {
    float position = fmaxf(fminf(point[d] * level.scale + 0.5f, level.scale + 0.5f), 0.5f);
    unsigned cell = (unsigned)position;
    fraction[d] = position - (float)cell;
    unsigned multiplier = level.dense ? stride : primes[d];
    low[d] = cell * multiplier;
    high[d] = low[d] + multiplier;
    stride *= level.resolution;
  }
  for (int corner = 0; corner < 1 << D; corner++) {
    unsigned index = 0;
    float product = 1.f;
    for (int d = 0; d < D; d++) {
      bool upper = corner >> d & 1;
      unsigned part = upper ? high[d] : low[d];
      index = level.dense ? index + part : index ^ part;
      product *= upper ? fraction[d] : 1.f - fraction[d];
    }
    if (!level.dense) index &= level.vertices - 1;                          // a hashed level has a power of two of them
    else if (index >= (unsigned)level.vertices) index -= level.vertices;    // only the far faces reach beyond
    row[corner] = level.offset + (int)index;
    weight[corner] = product;
  }
}

// Threads are (level, point), points fastest: neighbours in a block read the same level, and often the same cells.
template <int D>
__device__ inline void encode(long long count, const Grid& grid, const float* table, const float* points, float* out) {
  long long i = thread_index();
  if (i >= count) return;
  long long point_count = count / grid.levels, p = i % point_count;
  int l = (int)(i / point_count), row[1 << D];
  float weight[1 << D], fraction[D], first = 0.f, second = 0.f;
  corners<D>(grid.level[l], points + p * D, row, weight, fraction);
  for (int corner = 0; corner < 1 << D; corner++) {
    const float* vertex = table + 2 * (long long)row[corner];
    first += weight[corner] * vertex[0];
    second += weight[corner] * vertex[1];
  }
  float* features = out + p * 2 * grid.levels + 2 * l;
  features[0] = first;
  features[1] = second;
}

template <int D>
__device__ inline void table_gradient(long long count, const Grid& grid, const float* points, const float* gradient,
                                      float* d_table) {
  long long i = thread_index();
  if (i >= count) return;
  long long point_count = count / grid.levels, p = i % point_count;
  int l = (int)(i / point_count), row[1 << D];
  const float* g = gradient + p * 2 * grid.levels + 2 * l;
  if (g[0] == 0.f && g[1] == 0.f) return;
  float weight[1 << D], fraction[D];
  corners<D>(grid.level[l], points + p * D, row, weight, fraction);
  for (int corner = 0; corner < 1 << D; corner++) {
    float* vertex = d_table + 2 * (long long)row[corner];
    atomicAdd(vertex, weight[corner] * g[0]);
    atomicAdd(vertex + 1, weight[corner] * g[1]);
  }
}

extern "C" __global__ void encode_2d(long long count, Grid grid, const float* table, const float* points, float* out) {
  encode<2>(count, grid, table, points, out);
}
extern "C" __global__ void encode_3d(long long count, Grid grid, const float* table, const float* points, float* out) {
  encode<3>(count, grid, table, points, out);
}
extern "C" __global__ void table_gradient_2d(long long count, Grid grid, const float* points, const float* gradient,
                                             float* d_table) {
  table_gradient<2>(count, grid, points, gradient, d_table);
}
extern "C" __global__ void table_gradient_3d(long long count, Grid grid, const float* points, const float* gradient,
                                             float* d_table) {
  table_gradient<3>(count, grid, points, gradient, d_table);
}

// Gradient of two-dimensional points from that of their features: one thread a point.
extern "C" __global__ void point_gradient_2d(long long count, Grid grid, const float* table, const float* points,
                                             const float* gradient, float* d_points) {
  long long p = thread_index();
  if (p >= count) return;
  float along_x = 0.f, along_y = 0.f;
  for (int l = 0; l < grid.levels; l++) {
    int row[4];
    float weight[4], fraction[2], v[4];
    corners<2>(grid.level[l], points + 2 * p, row, weight, fraction);
    const float* g = gradient + p * 2 * grid.levels + 2 * l;
    for (int corner = 0; corner < 4; corner++) {
      const float* vertex = table + 2 * (long long)row[corner];
      v[corner] = g[0] * vertex[0] + g[1] * vertex[1];
    }
    along_x += grid.level[l].scale * ((v[1] - v[0]) * (1.f - fraction[1]) + (v[3] - v[2]) * fraction[1]);
    along_y += grid.level[l].scale * ((v[2] - v[0]) * (1.f - fraction[0]) + (v[3] - v[1]) * fraction[0]);
  }
  d_points[2 * p] = along_x;
  d_points[2 * p + 1] = along_y;
}

// ------------------------------------------------------------------------------------------------------ marching

// Where a ray's next round starts: a step of its lattice, and how many samples it had. MAX_SAMPLES ends a ray.
struct Progress { int step, samples; };
struct Ray { float origin[3], direction[3], inverse[3], near, far, jitter; };

__device__ inline Ray load_ray(const float* origin, const float* direction, float jitter) {
  Ray ray;
  ray.near = NEAR, ray.far = 1e9f, ray.jitter = jitter;
  for (int c = 0; c < 3; c++) {
    ray.origin[c] = origin[c];
    ray.direction[c] = direction[c];
    ray.inverse[c] = 1.f / direction[c];
    float low = (-1.f - origin[c]) * ray.inverse[c], high = (1.f - origin[c]) * ray.inverse[c];
    ray.near = fmaxf(ray.near, fminf(low, high));
    ray.far = fminf(ray.far, fmaxf(low, high));
  }
  return ray;
}

// The next occupied lattice point in [0, 1]^3 and its voxel, or false. A word of `bricks` holds 4 x 4 x 4 voxels, and a
// brick without any is crossed in one stride.
__device__ inline bool next_sample(const Ray& ray, Progress& at, const unsigned long long* bricks, int resolution,
                                   float* point, int* voxel) {
  const int across = resolution / 4;
  while (at.samples < MAX_SAMPLES && at.step < STEPS) {
    float t = ray.near + ((float)at.step + ray.jitter) * STEP;
    if (!(t < ray.far)) return false;
    int cell[3];
    for (int c = 0; c < 3; c++) {
      point[c] = (ray.origin[c] + t * ray.direction[c]) * 0.5f + 0.5f;
      cell[c] = (int)fminf(fmaxf(point[c] * resolution, 0.f), resolution - 1.f);  // NaN becomes 0
    }
    unsigned long long brick = bricks[((cell[2] >> 2) * across + (cell[1] >> 2)) * across + (cell[0] >> 2)];
    if (brick >> ((cell[2] & 3) << 4 | (cell[1] & 3) << 2 | (cell[0] & 3)) & 1) {
      *voxel = (cell[2] * resolution + cell[1]) * resolution + cell[0];
      at.step++, at.samples++;
      for (int c = 0; c < 3; c++) point[c] = fminf(fmaxf(point[c], 0.f), 1.f);
      return true;
    }
    float stride = 4.f;  // no way through the box is longer
    const int side = brick ? 1 : 4;
    for (int c = 0; c < 3; c++) {
      if (ray.direction[c] == 0.f) continue;  // its faces are never met: 1 / 0 would say at once
      float face = (float)((cell[c] & -side) + (ray.direction[c] > 0.f ? side : 0)) / resolution;
      stride = fminf(stride, (face - point[c]) * 2.f * ray.inverse[c]);
    }
    at.step += (int)fmaxf(1.f, ceilf(stride / STEP - 1e-4f));
  }
  return false;
}

// How many samples each ray has in this round, at most `limit`. `density`, where given, is the estimate that stops
// opaque rays in training.
extern "C" __global__ void march_count(long long rays, const float* origins, const float* directions,
                                       const float* jitter, const Progress* progress, const unsigned long long* bricks,
                                       int resolution, const float* density, int limit, int* counts) {
  long long i = thread_index();
  if (i >= rays) return;
  Ray ray = load_ray(origins + 3 * i, directions + 3 * i, jitter[i]);
  Progress at = progress[i];
  float point[3], depth = 0.f;
  int voxel, found = 0;
  while (found < limit && depth < OPAQUE && next_sample(ray, at, bricks, resolution, point, &voxel)) {
    found++;
    if (density) depth += fminf(density[voxel] * STEP, VOXEL_DEPTH_CAP);
  }
  counts[i] = found;
}

// The samples that march_count counted, from `starts` on; a ray that found fewer than `limit` is at its end.
extern "C" __global__ void march_fill(long long rays, const float* origins, const float* directions,
                                      const float* jitter, Progress* progress, const unsigned long long* bricks,
                                      int resolution, int limit, const int* starts, float* points, int* ray_of) {
  long long i = thread_index();
  if (i >= rays) return;
  Ray ray = load_ray(origins + 3 * i, directions + 3 * i, jitter[i]);
  Progress at = progress[i];
  int voxel;
  for (int s = starts[i]; s < starts[i + 1]; s++) {
    next_sample(ray, at, bricks, resolution, points + 3 * (long long)s, &voxel);
    ray_of[s] = (int)i;
  }
  if (starts[i + 1] - starts[i] < limit) at.samples = MAX_SAMPLES;
  progress[i] = at;
}

// --------------------------------------------------------------------------------------------------- compositing

__device__ inline float distance_along(const float* point, const float* origin, const float* direction) {
  float t = 0.f;
  for (int c = 0; c < 3; c++) t += (point[c] * 2.f - 1.f - origin[c]) * direction[c];
  return t;
}

// out: premultiplied [rays][channels]; alpha, depth [rays]; transmittance before each sample. One thread a ray.
extern "C" __global__ void composite_forward(long long rays, int channels, const int* starts, const float* sigmas,
                                             const float* values, const float* points, const float* origins,
                                             const float* directions, float* out, float* alpha, float* depth,
                                             float* transmittance) {
  long long i = thread_index();
  if (i >= rays) return;
  float T = 1.f, distance = 0.f;
  for (int s = starts[i]; s < starts[i + 1]; s++) {
    transmittance[s] = T;
    float w = T * -expm1f(-sigmas[s] * STEP);
    distance += w * distance_along(points + 3 * (long long)s, origins + 3 * i, directions + 3 * i);
    T *= expf(-sigmas[s] * STEP);
  }
  alpha[i] = 1.f - T;
  depth[i] = distance;
  for (int c = 0; c < channels; c++) {  // over again for each channel: sums stay in registers, however many there are
    float sum = 0.f;
    for (int s = starts[i]; s < starts[i + 1]; s++)
      sum += transmittance[s] * -expm1f(-sigmas[s] * STEP) * values[(long long)s * channels + c];
    out[i * channels + c] = sum;
  }
}

// With v_i = d_out . values_i: d loss / d sigma_i = STEP (T_{i+1} v_i - sum_{j > i} w_j v_j + d_alpha (1 - alpha)).
extern "C" __global__ void composite_backward(long long rays, int channels, const int* starts, const float* sigmas,
                                              const float* values, const float* out, const float* alpha,
                                              const float* transmittance, const float* d_out, const float* d_alpha,
                                              float* d_sigmas, float* d_values) {
  long long i = thread_index();
  if (i >= rays) return;
  const float* d = d_out + i * channels;
  float behind = 0.f;  // sum of w_j v_j over the samples still to come
  for (int c = 0; c < channels; c++) behind += d[c] * out[i * channels + c];
  float through = d_alpha[i] * (1.f - alpha[i]);
  for (int s = starts[i]; s < starts[i + 1]; s++) {
    float w = transmittance[s] * -expm1f(-sigmas[s] * STEP), v = 0.f;
    for (int c = 0; c < channels; c++) {
      v += d[c] * values[(long long)s * channels + c];
      d_values[(long long)s * channels + c] = w * d[c];
    }
    behind -= w * v;
    d_sigmas[s] = STEP * (transmittance[s] * expf(-sigmas[s] * STEP) * v - behind + through);
  }
}

// Rendering: adds one round of samples to out [rays][channels + 2] (premultiplied values, alpha, depth), and ends the
// rays whose transmittance falls to `stop`.
extern "C" __global__ void composite_onto(long long rays, int channels, const int* starts, const float* sigmas,
                                          const float* values, const float* points, const float* origins,
                                          const float* directions, float stop, Progress* progress, float* out) {
  long long i = thread_index();
  if (i >= rays || starts[i] == starts[i + 1]) return;
  float* sum = out + i * (channels + 2);
  float before = 1.f - sum[channels], T = before, distance = sum[channels + 1];
  for (int s = starts[i]; s < starts[i + 1]; s++) {
    float w = T * -expm1f(-sigmas[s] * STEP);
    distance += w * distance_along(points + 3 * (long long)s, origins + 3 * i, directions + 3 * i);
    T *= expf(-sigmas[s] * STEP);
  }
  for (int c = 0; c < channels; c++) {
    float total = sum[c], left = before;
    for (int s = starts[i]; s < starts[i + 1]; s++) {
      total += left * -expm1f(-sigmas[s] * STEP) * values[(long long)s * channels + c];
      left *= expf(-sigmas[s] * STEP);
    }
    sum[c] = total;
  }
  sum[channels] = 1.f - T;
  sum[channels + 1] = distance;
  if (!(T > stop)) progress[i].samples = MAX_SAMPLES;
}

// ----------------------------------------------------------------------------------------------------- optimiser

// Adam on the entries that have a gradient (a hash table is touched sparsely); clears the gradient.
extern "C" __global__ void sparse_adam(long long count, float* value, float* gradient, float* first, float* second,
                                       float rate, float beta1, float beta2, float epsilon, float correction1,
                                       float correction2) {
  long long i = thread_index();
  if (i >= count || gradient[i] == 0.f) return;
  float g = gradient[i];
  first[i] = beta1 * first[i] + (1.f - beta1) * g;
  second[i] = beta2 * second[i] + (1.f - beta2) * g * g;
  value[i] -= rate * (first[i] * correction1) / (sqrtf(second[i] * correction2) + epsilon);
  gradient[i] = 0.f;
}
