// The torso layer of one frame, forward only. talker/radfield/torso.py (`paint`) is the reference.
#pragma once
#include "network.h"

constexpr int FREQUENCIES = 5, POSITION_IN = 24, PAINT_HIDDEN = 32;  // 2 + 4 * FREQUENCIES, padded to three vectors
constexpr float REACH = 0.25f;

// Row-major [out][in]; the head's pose is in the first layers' biases.
struct TorsoNetwork {
  Grid grid;
  const float *table, *bend_in, *bend_in_bias, *bend_mid, *bend_mid_bias, *bend_out, *bend_out_bias, *paint_in,
      *paint_in_bias, *paint_mid, *paint_mid_bias, *paint_out, *paint_out_bias;
};

struct TransposedTorso {
  float bend_in[POSITION_IN * HIDDEN], bend_mid[HIDDEN * HIDDEN], bend_out[HIDDEN * PADDED],
      paint_in[32 * PAINT_HIDDEN], paint_mid[PAINT_HIDDEN * PAINT_HIDDEN], paint_out[PAINT_HIDDEN * PADDED],
      bend_out_bias[PADDED], paint_out_bias[PADDED];
};
static void transpose_all(const TorsoNetwork& n, TransposedTorso& t) {
  memset(&t, 0, sizeof t);
  transpose(n.bend_in, HIDDEN, 2 + 4 * FREQUENCIES, t.bend_in, HIDDEN);
  transpose(n.bend_mid, HIDDEN, HIDDEN, t.bend_mid, HIDDEN);
  transpose(n.bend_out, 2, HIDDEN, t.bend_out, PADDED);
  transpose(n.paint_in, PAINT_HIDDEN, width_of(n.grid), t.paint_in, PAINT_HIDDEN);
  transpose(n.paint_mid, PAINT_HIDDEN, PAINT_HIDDEN, t.paint_mid, PAINT_HIDDEN);
  transpose(n.paint_out, 4, PAINT_HIDDEN, t.paint_out, PADDED);
  memcpy(t.bend_out_bias, n.bend_out_bias, sizeof(float) * 2);
  memcpy(t.paint_out_bias, n.paint_out_bias, sizeof(float) * 4);
}

// x, y, then sin(2^k pi x, y) for every k, then the cosines; doubled angle by angle.
INLINE void encode_position(const float* position, float* out) {
  float* sines = out + 2;
  float* cosines = sines + 2 * FREQUENCIES;
  for (int c = 0; c < 2; c++) {
    out[c] = position[c];
    double sine = std::sin(M_PI * position[c]), cosine = std::cos(M_PI * position[c]);
    for (int k = 0; k < FREQUENCIES; k++) {
      sines[2 * k + c] = (float)sine;
      cosines[2 * k + c] = (float)cosine;
      double doubled = 2.0 * sine * cosine;
      cosine = 1.0 - 2.0 * sine * sine;
      sine = doubled;
    }
  }
}

// One layer of a tile: out = activation(in W^T + bias).
INLINE void layer(const float* in, int inputs, const float* weights, const float* bias, int outputs, float* out,
                  Activation activation) {
  for (int p = 0; p < TILE; p++) memcpy(out + p * outputs, bias, sizeof(float) * outputs);
  gemm(TILE, outputs, inputs, {in, inputs, 1}, weights, outputs, out, outputs, Write::add, activation);
}

struct alignas(64) TorsoTile {
  float position[TILE * POSITION_IN], first[TILE * HIDDEN], second[TILE * HIDDEN], bend[TILE * PADDED],
      place[TILE * 2], features[TILE * 32], rgba[TILE * PADDED];
};

// rgba of `count` positions, at most TILE.
INLINE void paint_tile(const TorsoNetwork& n, const TransposedTorso& t, const float* positions, int count,
                       TorsoTile& a, float* rgba) {
  for (int p = 0; p < count; p++) encode_position(positions + 2 * p, a.position + p * POSITION_IN);
  layer(a.position, POSITION_IN, t.bend_in, n.bend_in_bias, HIDDEN, a.first, Activation::leaky_relu);
  layer(a.first, HIDDEN, t.bend_mid, n.bend_mid_bias, HIDDEN, a.second, Activation::leaky_relu);
  layer(a.second, HIDDEN, t.bend_out, t.bend_out_bias, PADDED, a.bend, Activation::none);
  for (int p = 0; p < count; p++)
    for (int c = 0; c < 2; c++) {
      float place = positions[2 * p + c] + tanh_accurate(a.bend[p * PADDED + c]) * REACH;
      a.place[2 * p + c] = std::min(std::max(0.f, place), 1.f);
    }
  const int width = width_of(n.grid);
  encode_tile<2>(n.grid, n.table, a.place, 2, TILE, a.features, width);
  layer(a.features, width, t.paint_in, n.paint_in_bias, PAINT_HIDDEN, a.first, Activation::leaky_relu);
  layer(a.first, PAINT_HIDDEN, t.paint_mid, n.paint_mid_bias, PAINT_HIDDEN, a.second, Activation::leaky_relu);
  layer(a.second, PAINT_HIDDEN, t.paint_out, t.paint_out_bias, PADDED, a.rgba, Activation::none);
  for (int p = 0; p < count; p++)
    for (int c = 0; c < 4; c++) rgba[4 * p + c] = sigmoid(a.rgba[p * PADDED + c]);
}
