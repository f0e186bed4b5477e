// The head field's network on a tile of points: hash grids, the ambient (audio) MLP, density and colour MLPs.
// talker/radfield/field.py is the reference. Conditions enter as biases of the three first layers. The samples of a
// deferred field carry their geometry features to the ray, whose colour is made at its end; the middle layer is then
// the colour MLP's.
#pragma once
#include "hashgrid.h"

constexpr int TILE = 24;             // points worked on at a time: activations stay in the first-level cache
constexpr int HIDDEN = 64;           // width of every hidden layer
constexpr int GEOMETRY = 16;         // density logit and features for the colour MLP
constexpr int HARMONICS = 16;        // spherical harmonics of the viewing direction
constexpr int MAX_ENCODED = 64;      // 3-D and 2-D features together
constexpr int COLOUR_IN = GEOMETRY + HARMONICS;
constexpr int PADDED = 8;            // small outputs (2 ambient, 3 colours) are padded to one vector
constexpr int MAX_CHANNELS = GEOMETRY;  // of a sample's values
constexpr float DENSITY_SHIFT = 2.5f, DENSITY_LOGIT_MAX = 15.f;

// Weights are row-major [out][in], as torch.nn.functional.linear has them.
struct Network {
  Grid space, ambient;
  const float *space_table, *ambient_table;
  const float *ambient_in, *ambient_out, *density_in, *middle, *density_out, *colour_in, *colour_out;
  const float *ambient_bias, *density_bias, *colour_bias;  // [frames][HIDDEN]
  const int32_t* frame_of;                                 // [rays]
  int32_t frames;
  int32_t deferred;
};
INLINE int channels_of(const Network& n) { return n.deferred ? GEOMETRY : 3; }  // of a sample's values
INLINE int encoded_width(const Network& n) { return width_of(n.space) + width_of(n.ambient); }

// The same weights, transposed to [in][out] and padded, for the forward pass.
struct Transposed {
  float ambient_in[MAX_ENCODED * HIDDEN], ambient_out[HIDDEN * PADDED], density_in[MAX_ENCODED * HIDDEN],
      middle[HIDDEN * HIDDEN], density_out[HIDDEN * GEOMETRY], colour_in[COLOUR_IN * HIDDEN],
      colour_out[HIDDEN * PADDED];
};
static void transpose(const float* from, int out, int in, float* to, int padded_out) {
  for (int k = 0; k < in; k++)
    for (int j = 0; j < padded_out; j++) to[k * padded_out + j] = j < out ? from[j * in + k] : 0.f;
}
static void transpose_all(const Network& n, Transposed& t) {
  transpose(n.ambient_in, HIDDEN, width_of(n.space), t.ambient_in, HIDDEN);
  transpose(n.ambient_out, 2, HIDDEN, t.ambient_out, PADDED);
  transpose(n.density_in, HIDDEN, encoded_width(n), t.density_in, HIDDEN);
  transpose(n.density_out, GEOMETRY, HIDDEN, t.density_out, GEOMETRY);
  transpose(n.middle, HIDDEN, HIDDEN, t.middle, HIDDEN);
  transpose(n.colour_in, HIDDEN, COLOUR_IN, t.colour_in, HIDDEN);
  transpose(n.colour_out, 3, HIDDEN, t.colour_out, PADDED);
}

struct alignas(64) Activations {
  float encoded[TILE * MAX_ENCODED],  // features of space, then of the ambient coordinate
      ambient_hidden[TILE * HIDDEN], ambient[TILE * PADDED], ambient_point[TILE * 2], density_first[TILE * HIDDEN],
      density_second[TILE * HIDDEN],
      colour_input[TILE * COLOUR_IN],  // geometry, then harmonics, which the caller fills
      colour_hidden[TILE * HIDDEN], colour[TILE * PADDED], sigma[TILE];
  int32_t frame[TILE];
};

// The points' rays: their directions and frames; what is left of the tile is padding.
static void load_rays(const Network& n, const float* harmonics, const int32_t* ray_of, int count, Activations& a) {
  for (int p = 0; p < count; p++) {
    memcpy(a.colour_input + p * COLOUR_IN + GEOMETRY, harmonics + HARMONICS * (int64_t)ray_of[p],
           sizeof(float) * HARMONICS);
    a.frame[p] = n.frame_of[ray_of[p]];
  }
  for (int p = count; p < TILE; p++) a.frame[p] = 0;
}

INLINE void bias_rows(const Activations& a, const float* bias, int count, float* out) {
  for (int p = 0; p < count; p++) memcpy(out + p * HIDDEN, bias + (int64_t)a.frame[p] * HIDDEN, HIDDEN * sizeof(float));
}

enum class Known { space, all };  // features that a.encoded has already

INLINE void forward_tile(const Network& n, const Transposed& t, Activations& a, int count, Known known) {
  count = (count + LANES - 1) / LANES * LANES;
  const int space = width_of(n.space), encoded = encoded_width(n);

  bias_rows(a, n.ambient_bias, count, a.ambient_hidden);
  gemm(count, HIDDEN, space, {a.encoded, encoded, 1}, t.ambient_in, HIDDEN, a.ambient_hidden, HIDDEN, Write::add,
       Activation::leaky_relu);
  gemm(count, PADDED, HIDDEN, {a.ambient_hidden, HIDDEN, 1}, t.ambient_out, PADDED, a.ambient, PADDED);
  for (int p = 0; p < count; p++)
    for (int c = 0; c < 2; c++) {
      float coordinate = tanh_accurate(a.ambient[p * PADDED + c]);
      a.ambient[p * PADDED + c] = coordinate;
      a.ambient_point[p * 2 + c] = (coordinate + 1.f) * 0.5f;
    }
  if (known == Known::space)
    encode_tile<2>(n.ambient, n.ambient_table, a.ambient_point, 2, count, a.encoded + space, encoded);

  bias_rows(a, n.density_bias, count, a.density_first);
  gemm(count, HIDDEN, encoded, {a.encoded, encoded, 1}, t.density_in, HIDDEN, a.density_first, HIDDEN, Write::add,
       Activation::leaky_relu);
  if (!n.deferred)
    gemm(count, HIDDEN, HIDDEN, {a.density_first, HIDDEN, 1}, t.middle, HIDDEN, a.density_second, HIDDEN, Write::set,
         Activation::leaky_relu);
  gemm(count, GEOMETRY, HIDDEN, {n.deferred ? a.density_first : a.density_second, HIDDEN, 1}, t.density_out, GEOMETRY,
       a.colour_input, COLOUR_IN);
  for (int p = 0; p < count; p++)
    a.sigma[p] = exp_accurate(std::min(a.colour_input[p * COLOUR_IN] + DENSITY_SHIFT, DENSITY_LOGIT_MAX));
  if (n.deferred) return;

  bias_rows(a, n.colour_bias, count, a.colour_hidden);
  gemm(count, HIDDEN, COLOUR_IN, {a.colour_input, COLOUR_IN, 1}, t.colour_in, HIDDEN, a.colour_hidden, HIDDEN,
       Write::add, Activation::leaky_relu);
  gemm(count, PADDED, HIDDEN, {a.colour_hidden, HIDDEN, 1}, t.colour_out, PADDED, a.colour, PADDED);
  for (int p = 0; p < count; p++)
    for (int c = 0; c < 3; c++) a.colour[p * PADDED + c] = sigmoid(a.colour[p * PADDED + c]);
}

// A sample's values: its colour, or what a deferred field gathers along the ray; consecutive samples are `wide` apart.
struct Values { float* data; int wide; };
INLINE Values values_of(const Network& n, Activations& a) {
  return n.deferred ? Values{a.colour_input, COLOUR_IN} : Values{a.colour, PADDED};
}

// Ended rays of a deferred field, waiting until there are enough of them to be shaded at once.
struct alignas(64) ShadeTile {
  float input[TILE * COLOUR_IN], first[TILE * HIDDEN], second[TILE * HIDDEN], colour[TILE * PADDED];
  int64_t ray[TILE];
  int count;
};

// Writes the colours of the waiting rays, premultiplied by the alpha beside them: out is [rays][5].
INLINE void shade_tile(const Network& n, const Transposed& t, ShadeTile& s, float* out) {
  const int M = (s.count + LANES - 1) / LANES * LANES;
  for (int p = 0; p < M; p++) memcpy(s.first + p * HIDDEN, n.colour_bias, HIDDEN * sizeof(float));
  gemm(M, HIDDEN, COLOUR_IN, {s.input, COLOUR_IN, 1}, t.colour_in, HIDDEN, s.first, HIDDEN, Write::add,
       Activation::leaky_relu);
  gemm(M, HIDDEN, HIDDEN, {s.first, HIDDEN, 1}, t.middle, HIDDEN, s.second, HIDDEN, Write::set, Activation::leaky_relu);
  gemm(M, PADDED, HIDDEN, {s.second, HIDDEN, 1}, t.colour_out, PADDED, s.colour, PADDED);
  for (int p = 0; p < s.count; p++)
    for (int c = 0; c < 3; c++) out[5 * s.ray[p] + c] = out[5 * s.ray[p] + 3] * sigmoid(s.colour[p * PADDED + c]);
  s.count = 0;
}

// Where the gradients of one thread (or of all) go; same shapes as the weights, small outputs padded.
struct WeightGradients {
  float *ambient_in, *ambient_out, *density_in, *middle, *density_out, *colour_in, *colour_out, *ambient_bias,
      *density_bias, *colour_bias;
};

struct alignas(64) BackwardScratch {
  float hidden[TILE * HIDDEN], hidden2[TILE * HIDDEN], encoded[TILE * MAX_ENCODED], small[TILE * PADDED],
      point[TILE * 2], colour_out[PADDED * HIDDEN], ambient_out[PADDED * HIDDEN];
};

INLINE void add_bias_gradient(const Activations& a, int count, const float* gradient, float* bias) {
  for (int p = 0; p < count; p++)
    for (int j = 0; j < HIDDEN; j++) bias[(int64_t)a.frame[p] * HIDDEN + j] += gradient[p * HIDDEN + j];
}

// Backward through the colour MLP of one tile: s.hidden2 receives the gradient of its GEOMETRY inputs.
INLINE void colour_backward(const Network& n, const Activations& a, int count, const float* d_rgb, BackwardScratch& s,
                            const WeightGradients& g) {
  const int M = TILE;
  for (int p = 0; p < M; p++)
    for (int c = 0; c < PADDED; c++) {
      float y = a.colour[p * PADDED + c];
      s.small[p * PADDED + c] = c < 3 && p < count ? d_rgb[p * 3 + c] * y * (1.f - y) : 0.f;
    }
  gemm(PADDED, HIDDEN, M, {s.small, 1, PADDED}, a.colour_hidden, HIDDEN, g.colour_out, HIDDEN, Write::add);
  gemm(M, HIDDEN, PADDED, {s.small, PADDED, 1}, s.colour_out, HIDDEN, s.hidden, HIDDEN);
  leaky_relu_backward(a.colour_hidden, s.hidden, M * HIDDEN);
  gemm(HIDDEN, COLOUR_IN, M, {s.hidden, 1, HIDDEN}, a.colour_input, COLOUR_IN, g.colour_in, COLOUR_IN, Write::add);
  add_bias_gradient(a, count, s.hidden, g.colour_bias);
  gemm(M, GEOMETRY, HIDDEN, {s.hidden, HIDDEN, 1}, n.colour_in, COLOUR_IN, s.hidden2, GEOMETRY);
}

// Backward through one tile whose activations forward_tile just computed. `count` points are real, the rest padding.
// `encoded_gradient` receives [count][encoded]: the tables' gradients are scattered later, level by level.
INLINE void backward_tile(const Network& n, const Activations& a, int count, const float* d_sigma, const float* d_value,
                          const float* d_ambient, BackwardScratch& s, const WeightGradients& g,
                          float* encoded_gradient) {
  const int space = width_of(n.space), encoded = encoded_width(n), M = TILE;
  auto real = [&](int p) { return p < count; };

  if (n.deferred) {
    memset(s.hidden2, 0, sizeof(float) * M * GEOMETRY);
    memcpy(s.hidden2, d_value, sizeof(float) * count * GEOMETRY);
  } else {
    colour_backward(n, a, count, d_value, s, g);
  }
  for (int p = 0; p < count; p++)
    if (a.colour_input[p * COLOUR_IN] + DENSITY_SHIFT < DENSITY_LOGIT_MAX)
      s.hidden2[p * GEOMETRY] += d_sigma[p] * a.sigma[p];
  gemm(GEOMETRY, HIDDEN, M, {s.hidden2, 1, GEOMETRY}, n.deferred ? a.density_first : a.density_second, HIDDEN,
       g.density_out, HIDDEN, Write::add);
  float *first = s.hidden, *second = s.hidden2;  // gradients of the density MLP's hidden layers
  gemm(M, HIDDEN, GEOMETRY, {s.hidden2, GEOMETRY, 1}, n.density_out, HIDDEN, s.hidden, HIDDEN);
  if (!n.deferred) {
    std::swap(first, second);
    leaky_relu_backward(a.density_second, second, M * HIDDEN);
    gemm(HIDDEN, HIDDEN, M, {second, 1, HIDDEN}, a.density_first, HIDDEN, g.middle, HIDDEN, Write::add);
    gemm(M, HIDDEN, HIDDEN, {second, HIDDEN, 1}, n.middle, HIDDEN, first, HIDDEN);
  }
  leaky_relu_backward(a.density_first, first, M * HIDDEN);
  gemm(HIDDEN, encoded, M, {first, 1, HIDDEN}, a.encoded, encoded, g.density_in, encoded, Write::add);
  add_bias_gradient(a, count, first, g.density_bias);
  gemm(M, encoded, HIDDEN, {first, HIDDEN, 1}, n.density_in, encoded, s.encoded, encoded);

  point_gradient_tile(n.ambient, n.ambient_table, a.ambient_point, M, s.encoded + space, encoded, s.point);
  for (int p = 0; p < M; p++)
    for (int c = 0; c < PADDED; c++) {
      float y = a.ambient[p * PADDED + c];
      s.small[p * PADDED + c] =
          c < 2 && real(p) ? (s.point[p * 2 + c] * 0.5f + d_ambient[p * 2 + c]) * (1.f - y * y) : 0.f;
    }
  gemm(PADDED, HIDDEN, M, {s.small, 1, PADDED}, a.ambient_hidden, HIDDEN, g.ambient_out, HIDDEN, Write::add);
  gemm(M, HIDDEN, PADDED, {s.small, PADDED, 1}, s.ambient_out, HIDDEN, s.hidden, HIDDEN);
  leaky_relu_backward(a.ambient_hidden, s.hidden, M * HIDDEN);
  gemm(HIDDEN, space, M, {s.hidden, 1, HIDDEN}, a.encoded, encoded, g.ambient_in, space, Write::add);
  add_bias_gradient(a, count, s.hidden, g.ambient_bias);
  gemm(M, space, HIDDEN, {s.hidden, HIDDEN, 1}, n.ambient_in, space, s.encoded, encoded, Write::add);
  memcpy(encoded_gradient, s.encoded, sizeof(float) * count * encoded);
}
