// Samples to float32, indices, resampling and selection. Planes are rows x stride of float32 or bytes; NaN is "no
// value". Every kernel is compiled for AVX2 and for baseline x86-64 and gives the same bits in both.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ARB_DECLARE(RESULT, NAME, PARAMETERS) \
    RESULT NAME PARAMETERS;                   \
    RESULT NAME##_avx2 PARAMETERS;            \
    RESULT NAME##_base PARAMETERS

// Sample types, as in Mosaic.SampleType.
enum arb_sample { ARB_U8, ARB_I8, ARB_U16, ARB_I16, ARB_U32, ARB_I32, ARB_F32, ARB_F64 };

// n samples to float32; integer samples 0 and 65535 and `nodata` (when `has_nodata`) become NaN.
ARB_DECLARE(void, arb_to_float, (const void *src, enum arb_sample type, float *dst, size_t n, int has_nodata, double nodata));

// Normalised difference (a - b) / (a + b) of DN + offset, each first clamped at 0 when `clamp`; factors are 1 unless the
// bands' scales differ. reason: 0 valid, 2 nodata (an input is NaN), 4 undefined (denominator <= 0).
ARB_DECLARE(void, arb_normalised_difference, (const float *a, const float *b, float *out, uint8_t *reason, size_t n, float offset_a,
                               float offset_b, float factor_a, float factor_b, int clamp));

// reason[i] = 3 (masked) where hidden[i] and reason[i] is not 2 (nodata).
void arb_hide(const uint8_t *hidden, uint8_t *reason, size_t n);

// reason[i] = 1 (outside) where not covered[i].
void arb_outside(const uint8_t *covered, uint8_t *reason, size_t n);

// Selection `first`: fills pixels that have no value yet. Returns how many it filled. A pixel that failed to be read (5)
// stays so. `scene` (may be NULL) gets `number` where filled.
size_t arb_first(const float *value, const uint8_t *reason, float *out, uint8_t *out_reason, uint16_t *scene,
                 uint16_t number, size_t n);

// Selections `min` (sign = 1) and `max` (sign = -1).
void arb_extreme(const float *value, const uint8_t *reason, float *out, uint8_t *out_reason, uint16_t *scene,
                 uint16_t number, size_t n, float sign);

// Selections `mean` and `count`: sums in scene order, in double.
ARB_DECLARE(void, arb_accumulate, (const float *value, const uint8_t *reason, double *sum, uint16_t *count, uint8_t *out_reason,
                    size_t n));

// Selection `median` of `planes` planes at each of n pixels; NaN is skipped, an even count gives the mean of the two
// middle values. `scratch` holds planes x 16 floats. No value: NaN.
ARB_DECLARE(void, arb_median, (const float *const *planes, size_t count, float *out, uint16_t *used, size_t n, float *scratch));

// Bilinear by separable weights over valid samples: output (i, j) mixes columns x0[i], x0[i] + 1 with weights 1 - tx[i],
// tx[i] and rows y0, y0 + 1 with 1 - ty, ty. Indices may lie outside 0 ..< width or rows: such samples are not valid.
// Less than half valid weight: NaN. One output row; `rowv` and `roww` hold width + 2 floats each.
ARB_DECLARE(void, arb_bilinear_row, (const float *src, ptrdiff_t stride, int32_t width, int32_t height, const int32_t *x0,
                      const float *tx, int32_t y0, float ty, float *out, size_t n, float *rowv, float *roww));

// The same at free coordinates: (xs[i], ys[i]) in pixels of src, a pixel's centre at whole numbers.
ARB_DECLARE(void, arb_bilinear, (const float *src, ptrdiff_t stride, int32_t width, int32_t height, const float *xs, const float *ys,
                  float *out, size_t n));

// Cubic convolution (Keys 1981, a = -0.5) over valid samples; less than half valid weight: NaN.
void arb_cubic(const float *src, ptrdiff_t stride, int32_t width, int32_t height, const float *xs, const float *ys,
               float *out, size_t n);

// Mean of the valid samples of factor x factor cells that start at (x, y) of src; cells reach past the edges.
// Less than half valid: NaN.
void arb_reduce(const float *src, ptrdiff_t stride, int32_t width, int32_t height, int32_t x, int32_t y, int32_t factor,
                float *out, ptrdiff_t out_stride, int32_t columns, int32_t rows);

#undef ARB_DECLARE

#ifdef __cplusplus
}
#endif
