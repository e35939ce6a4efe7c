#include "pixels.h"

#include <math.h>

#include "dispatch.h"

#define CONVERT(NAME, TYPE)                                                                                        \
  ARB_BODY void NAME(const void *p, float *dst, size_t n, int has, double nodata) {                                  \
    const TYPE *src = p;                                                                                           \
    TYPE none = 0;                                                                                                 \
    if (has && nodata >= (double)MIN_##TYPE && nodata <= (double)MAX_##TYPE && nodata == floor(nodata))            \
      none = (TYPE)nodata;                                                                                         \
    for (size_t i = 0; i < n; i++) {                                                                               \
      TYPE v = src[i];                                                                                             \
      dst[i] = (v == 0 || v == none || (double)v == 65535.0) ? NAN : (float)v;                                     \
    }                                                                                                              \
  }
#define MIN_uint8_t 0
#define MAX_uint8_t UINT8_MAX
#define MIN_int8_t INT8_MIN
#define MAX_int8_t INT8_MAX
#define MIN_int16_t INT16_MIN
#define MAX_int16_t INT16_MAX
#define MIN_uint32_t 0
#define MAX_uint32_t UINT32_MAX
#define MIN_int32_t INT32_MIN
#define MAX_int32_t INT32_MAX
CONVERT(from_u8, uint8_t)
CONVERT(from_i8, int8_t)
CONVERT(from_i16, int16_t)
CONVERT(from_u32, uint32_t)
CONVERT(from_i32, int32_t)

ARB_BODY void from_u16(const void *p, float *dst, size_t n, int has, double nodata) {
  const uint16_t *src = p;
  uint16_t none = has && nodata >= 0 && nodata <= 65535 && nodata == floor(nodata) ? (uint16_t)nodata : 0;
  for (size_t i = 0; i < n; i++) {
    uint16_t v = src[i];
    int missing = (v == 0) | (v == 65535) | (v == none);
    dst[i] = missing ? NAN : (float)v;
  }
}

ARB_BODY void from_f32(const void *p, float *dst, size_t n, int has, double nodata) {
  const float *src = p;
  float none = has ? (float)nodata : NAN;
  for (size_t i = 0; i < n; i++) dst[i] = (src[i] == none || !(fabsf(src[i]) <= 3.402823466e38f)) ? NAN : src[i];
}

ARB_BODY void from_f64(const void *p, float *dst, size_t n, int has, double nodata) {
  const double *src = p;
  double none = has ? nodata : NAN;
  for (size_t i = 0; i < n; i++)
    dst[i] = (src[i] == none || !(fabs(src[i]) <= 3.402823466e38)) ? NAN : (float)src[i];
}

ARB_BODY void arb_to_float_body(const void *src, enum arb_sample type, float *dst, size_t n, int has, double nodata) {
  switch (type) {
    case ARB_U8: from_u8(src, dst, n, has, nodata); break;
    case ARB_I8: from_i8(src, dst, n, has, nodata); break;
    case ARB_U16: from_u16(src, dst, n, has, nodata); break;
    case ARB_I16: from_i16(src, dst, n, has, nodata); break;
    case ARB_U32: from_u32(src, dst, n, has, nodata); break;
    case ARB_I32: from_i32(src, dst, n, has, nodata); break;
    case ARB_F32: from_f32(src, dst, n, has, nodata); break;
    case ARB_F64: from_f64(src, dst, n, has, nodata); break;
  }
}
ARB_KERNEL(void, arb_to_float,
      (const void *src, enum arb_sample type, float *dst, size_t n, int has, double nodata),
      (src, type, dst, n, has, nodata))

ARB_BODY void arb_normalised_difference_body(const float *restrict a, const float *restrict b, float *restrict out,
                                  uint8_t *restrict reason, size_t n, float oa, float ob, float fa, float fb,
                                  int clamp) {
  float floor_value = clamp ? 0.0f : -INFINITY;
  for (size_t i = 0; i < n; i++) {
    float x = (a[i] + oa) * fa, y = (b[i] + ob) * fb;
    int missing = (x != x) | (y != y);
    x = x > floor_value ? x : floor_value;
    y = y > floor_value ? y : floor_value;
    float sum = x + y;
    float value = (x - y) / sum;
    int valid = (sum > 0) & !missing;
    out[i] = valid ? value : NAN;
    reason[i] = missing ? 2 : (valid ? 0 : 4);
  }
}
ARB_KERNEL(void, arb_normalised_difference,
      (const float *a, const float *b, float *out, uint8_t *reason, size_t n, float oa, float ob, float fa, float fb,
       int clamp),
      (a, b, out, reason, n, oa, ob, fa, fb, clamp))

void arb_hide(const uint8_t *restrict hidden, uint8_t *restrict reason, size_t n) {
  for (size_t i = 0; i < n; i++) reason[i] = (hidden[i] && reason[i] != 2) ? 3 : reason[i];
}

void arb_outside(const uint8_t *restrict covered, uint8_t *restrict reason, size_t n) {
  for (size_t i = 0; i < n; i++) reason[i] = covered[i] ? reason[i] : 1;
}

ARB_BODY size_t first_values_body(const float *restrict value, const uint8_t *restrict reason, float *restrict out,
                    uint8_t *restrict out_reason, size_t n) {
  size_t filled = 0;
  for (size_t i = 0; i < n; i++) {
    uint8_t had = out_reason[i], r = reason[i];
    int open = (had != 0) & (had != 5);
    int take = open & (r == 0);
    out[i] = take ? value[i] : out[i];
    uint8_t worse = had > r ? had : r;
    out_reason[i] = take ? 0 : (open ? worse : had);
    filled += take;
  }
  return filled;
}
ARB_KERNEL(static size_t, first_values,
      (const float *value, const uint8_t *reason, float *out, uint8_t *out_reason, size_t n),
      (value, reason, out, out_reason, n))

size_t arb_first(const float *value, const uint8_t *reason, float *out, uint8_t *out_reason, uint16_t *scene,
                 uint16_t number, size_t n) {
  if (scene)
    for (size_t i = 0; i < n; i++)
      if (reason[i] == 0 && out_reason[i] != 0 && out_reason[i] != 5) scene[i] = number;
  return first_values(value, reason, out, out_reason, n);
}

void arb_extreme(const float *value, const uint8_t *reason, float *out, uint8_t *out_reason, uint16_t *scene,
                 uint16_t number, size_t n, float sign) {
  for (size_t i = 0; i < n; i++) {
    uint8_t had = out_reason[i];
    if (had == 5) continue;
    if (reason[i] == 5) {
      out_reason[i] = 5;
      out[i] = NAN;
    } else if (reason[i] != 0) {
      if (had != 0 && reason[i] > had) out_reason[i] = reason[i];
    } else if (had != 0 || value[i] * sign < out[i] * sign) {
      out[i] = value[i];
      out_reason[i] = 0;
      if (scene) scene[i] = number;
    }
  }
}

ARB_BODY void arb_accumulate_body(const float *restrict value, const uint8_t *restrict reason, double *restrict sum,
                       uint16_t *restrict count, uint8_t *restrict out_reason, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint8_t had = out_reason[i], r = reason[i];
    int take = r == 0;
    sum[i] += take ? (double)value[i] : 0.0;
    count[i] += (uint16_t)take;
    uint8_t worse = had > r ? had : r;
    uint8_t settled = had == 5 ? 5 : 0;
    out_reason[i] = take ? settled : (had == 0 && r != 5 ? 0 : worse);
  }
}
ARB_KERNEL(void, arb_accumulate,
      (const float *value, const uint8_t *reason, double *sum, uint16_t *count, uint8_t *out_reason, size_t n),
      (value, reason, sum, count, out_reason, n))

// Sixteen pixels at a time: an odd-even transposition network over the planes, NaN sorted last as +infinity.
ARB_BODY void arb_median_body(const float *const *planes, size_t count, float *out, uint16_t *used, size_t n, float *s) {
  for (size_t base = 0; base < n; base += 16) {
    size_t lanes = n - base < 16 ? n - base : 16;
    int valid[16] = {0};
    for (size_t p = 0; p < count; p++)
      for (size_t l = 0; l < 16; l++) {
        float v = l < lanes ? planes[p][base + l] : NAN;
        int ok = v == v;
        valid[l] += ok;
        s[p * 16 + l] = ok ? v : INFINITY;
      }
    for (size_t round = 0; round < count; round++)
      for (size_t p = round & 1; p + 1 < count; p += 2) {
        float *a = s + p * 16, *b = a + 16;
        for (size_t l = 0; l < 16; l++) {
          float x = a[l], y = b[l];
          a[l] = x < y ? x : y;
          b[l] = x < y ? y : x;
        }
      }
    for (size_t l = 0; l < lanes; l++) {
      int k = valid[l];
      used[base + l] = (uint16_t)k;
      if (k == 0) {
        out[base + l] = NAN;
        continue;
      }
      float low = s[(size_t)((k - 1) / 2) * 16 + l], high = s[(size_t)(k / 2) * 16 + l];
      out[base + l] = k & 1 ? low : (low + high) * 0.5f;
    }
  }
}
ARB_KERNEL(void, arb_median,
      (const float *const *planes, size_t count, float *out, uint16_t *used, size_t n, float *scratch),
      (planes, count, out, used, n, scratch))
