#include <math.h>

#include "pixels.h"
#include "dispatch.h"

// Vertical mix of two source rows into value and weight rows; columns of `from` to `to` (exclusive), shifted by one so
// that index 0 and width + 1 are the empty columns beside the raster.
ARB_BODY void mix_rows(const float *restrict upper, const float *restrict lower, float ty, int32_t from, int32_t to,
                     float *restrict rowv, float *restrict roww) {
  float wu = 1.0f - ty, wl = ty;
  for (int32_t i = from; i < to; i++) {
    float u = upper ? upper[i] : NAN, l = lower ? lower[i] : NAN;
    float mu = u == u ? wu : 0.0f, ml = l == l ? wl : 0.0f;
    u = u == u ? u : 0.0f;
    l = l == l ? l : 0.0f;
    rowv[i + 1] = u * mu + l * ml;
    roww[i + 1] = mu + ml;
  }
}

// The lattice is twice as fine as the source: columns i and i + 2 lie one source column apart, at the same phase, and
// all neighbours are inside the raster or in the empty columns beside it. An even number of columns.
ARB_BODY int is_doubled(const int32_t *x0, const float *tx, int32_t width, size_t n) {
  if (n < 2 || n % 2 || x0[0] < -1 || x0[1] < -1 || x0[n - 2] >= width || x0[n - 1] >= width) return 0;
  int same = 1;
  for (size_t i = 2; i < n; i++) same &= x0[i] == x0[i - 2] + 1 && tx[i] == tx[i - 2];
  return same;
}

ARB_BODY void arb_bilinear_row_body(const float *src, ptrdiff_t stride, int32_t width, int32_t height, const int32_t *x0,
                         const float *tx, int32_t y0, float ty, float *out, size_t n, float *rowv, float *roww) {
  const float *upper = y0 >= 0 && y0 < height ? src + y0 * stride : 0;
  const float *lower = y0 + 1 >= 0 && y0 + 1 < height ? src + (y0 + 1) * stride : 0;
  rowv[0] = roww[0] = rowv[width + 1] = roww[width + 1] = 0;
  if (upper && lower)
    mix_rows(upper, lower, ty, 0, width, rowv, roww);
  else
    for (int32_t i = 0; i < width; i++) mix_rows(upper, lower, ty, i, i + 1, rowv, roww);
  if (is_doubled(x0, tx, width, n)) {
    // The same sums as below, without a gather: each of the two phases walks the source column by column.
    const float *v0 = rowv + x0[0] + 1, *w0 = roww + x0[0] + 1, *v1 = rowv + x0[1] + 1, *w1 = roww + x0[1] + 1;
    float r0 = tx[0], l0 = 1.0f - r0, r1 = tx[1], l1 = 1.0f - r1;
    for (size_t i = 0; i < n / 2; i++) {
      float even = w0[i] * l0 + w0[i + 1] * r0, odd = w1[i] * l1 + w1[i + 1] * r1;
      float first = (v0[i] * l0 + v0[i + 1] * r0) / even, second = (v1[i] * l1 + v1[i + 1] * r1) / odd;
      out[2 * i] = even >= 0.5f ? first : NAN;
      out[2 * i + 1] = odd >= 0.5f ? second : NAN;
    }
    return;
  }
  for (size_t i = 0; i < n; i++) {
    int32_t a = x0[i] + 1, b = x0[i] + 2;
    a = a < 0 ? 0 : (a > width + 1 ? width + 1 : a);
    b = b < 0 ? 0 : (b > width + 1 ? width + 1 : b);
    float wr = tx[i], wl = 1.0f - wr;
    float weight = roww[a] * wl + roww[b] * wr;
    float value = (rowv[a] * wl + rowv[b] * wr) / weight;
    out[i] = weight >= 0.5f ? value : NAN;
  }
}
ARB_KERNEL(void, arb_bilinear_row,
      (const float *src, ptrdiff_t stride, int32_t width, int32_t height, const int32_t *x0, const float *tx,
       int32_t y0, float ty, float *out, size_t n, float *rowv, float *roww),
      (src, stride, width, height, x0, tx, y0, ty, out, n, rowv, roww))

static inline float sample(const float *src, ptrdiff_t stride, int32_t width, int32_t height, int32_t x, int32_t y) {
  return x >= 0 && x < width && y >= 0 && y < height ? src[y * stride + x] : NAN;
}

ARB_BODY void arb_bilinear_body(const float *src, ptrdiff_t stride, int32_t width, int32_t height, const float *xs,
                     const float *ys, float *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float fx = floorf(xs[i]), fy = floorf(ys[i]);
    if (!(fx >= -1 && fx < (float)width && fy >= -1 && fy < (float)height)) {
      out[i] = NAN;
      continue;
    }
    int32_t x = (int32_t)fx, y = (int32_t)fy;
    float tx = xs[i] - fx, ty = ys[i] - fy;
    float v[4];
    if (x >= 0 && y >= 0 && x + 1 < width && y + 1 < height) {
      const float *p = src + y * stride + x;
      v[0] = p[0];
      v[1] = p[1];
      v[2] = p[stride];
      v[3] = p[stride + 1];
    } else {
      for (int k = 0; k < 4; k++) v[k] = sample(src, stride, width, height, x + (k & 1), y + (k >> 1));
    }
    float w[4] = {(1.0f - tx) * (1.0f - ty), tx * (1.0f - ty), (1.0f - tx) * ty, tx * ty};
    for (int k = 0; k < 4; k++) {
      w[k] = v[k] == v[k] ? w[k] : 0.0f;
      v[k] = v[k] == v[k] ? v[k] : 0.0f;
    }
    float weight = (w[0] + w[1]) + (w[2] + w[3]);
    float value = ((v[0] * w[0] + v[1] * w[1]) + (v[2] * w[2] + v[3] * w[3])) / weight;
    out[i] = weight >= 0.5f ? value : NAN;
  }
}
ARB_KERNEL(void, arb_bilinear,
      (const float *src, ptrdiff_t stride, int32_t width, int32_t height, const float *xs, const float *ys, float *out,
       size_t n),
      (src, stride, width, height, xs, ys, out, n))

// Keys' kernel with a = -1/2 for the four neighbours of t in [0, 1).
static inline void cubic_weights(float t, float w[4]) {
  float t2 = t * t, t3 = t2 * t;
  w[0] = -0.5f * t3 + t2 - 0.5f * t;
  w[1] = 1.5f * t3 - 2.5f * t2 + 1.0f;
  w[2] = -1.5f * t3 + 2.0f * t2 + 0.5f * t;
  w[3] = 0.5f * t3 - 0.5f * t2;
}

void arb_cubic(const float *src, ptrdiff_t stride, int32_t width, int32_t height, const float *xs, const float *ys,
               float *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float fx = floorf(xs[i]), fy = floorf(ys[i]);
    out[i] = NAN;
    if (!(fx >= -2 && fx <= (float)width && fy >= -2 && fy <= (float)height)) continue;
    float wx[4], wy[4], value = 0, weight = 0;
    cubic_weights(xs[i] - fx, wx);
    cubic_weights(ys[i] - fy, wy);
    for (int r = 0; r < 4; r++)
      for (int c = 0; c < 4; c++) {
        float v = sample(src, stride, width, height, (int32_t)fx - 1 + c, (int32_t)fy - 1 + r);
        if (v != v) continue;
        float w = wx[c] * wy[r];
        value += v * w;
        weight += w;
      }
    if (weight >= 0.5f) out[i] = value / weight;
  }
}

void arb_reduce(const float *src, ptrdiff_t stride, int32_t width, int32_t height, int32_t x, int32_t y,
                int32_t factor, float *out, ptrdiff_t out_stride, int32_t columns, int32_t rows) {
  for (int32_t j = 0; j < rows; j++)
    for (int32_t i = 0; i < columns; i++) {
      float sum = 0;
      int32_t valid = 0;
      for (int32_t r = 0; r < factor; r++)
        for (int32_t c = 0; c < factor; c++) {
          float v = sample(src, stride, width, height, x + i * factor + c, y + j * factor + r);
          if (v == v) {
            sum += v;
            valid++;
          }
        }
      out[j * out_stride + i] = valid * 2 >= factor * factor && valid > 0 ? sum / (float)valid : NAN;
    }
}
