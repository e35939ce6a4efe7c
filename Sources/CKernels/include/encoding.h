// Inner loops of the encoders: TIFF predictors, overviews, PNG filters, palette indices, block statistics.
//
// Strides count elements, not bytes. Each function `NAME` picks `NAME_avx2` or `NAME_base`, which give equal
// bits; the two are exported only so that a test can prove it. No pointer may be null unless said, regions
// must not overlap unless said, and any size including 0 is allowed.
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

/// Encodes rows x columns float32 pixels with TIFF predictor 3 (Adobe Photoshop TIFF Technical Note 3): each
/// row becomes four planes of bytes, most significant first, then differences of neighbouring bytes over the
/// whole row. Writes rows * columns * 4 bytes. Every NaN is written as 0x7FC00000, so that equal pixels give
/// equal bytes.
ARB_DECLARE(void, arb_predictor3_encode,
            (const float *pixels, size_t stride, size_t columns, size_t rows, uint8_t *out));

/// The reverse of `arb_predictor3_encode`; `bytes` (rows * columns * 4) is used as scratch and changed.
ARB_DECLARE(void, arb_predictor3_decode,
            (uint8_t *bytes, size_t columns, size_t rows, float *pixels, size_t stride));

/// Undoes TIFF predictor 2 (TIFF 6.0, section 14) in place: rows of `columns` pixels, each of `samples`
/// interleaved samples; every sample is the sum (modulo its width) of itself and the same sample of the pixel
/// to the left.
ARB_DECLARE(void, arb_predictor2_undo_u8, (uint8_t *data, size_t columns, size_t rows, size_t samples));
ARB_DECLARE(void, arb_predictor2_undo_u16, (uint16_t *data, size_t columns, size_t rows, size_t samples));
ARB_DECLARE(void, arb_predictor2_undo_u32, (uint32_t *data, size_t columns, size_t rows, size_t samples));

/// Halves rows x columns pixels to ceil(rows / 2) x ceil(columns / 2): each is the float32 mean of the valid
/// (not NaN) ones among its 2 x 2, ((a + b) + (c + d)) / count with a, b the upper and c, d the lower pair
/// and 0 for NaN; no valid one gives NaN. At an odd edge only the pixels that exist count.
ARB_DECLARE(void, arb_overview,
            (const float *pixels, size_t stride, size_t columns, size_t rows, float *out, size_t out_stride));

/// PNG-filters rows of 8-bit samples: per row the filter type, then `columns` bytes. With `above` null the
/// first row gets Sub (1), all others Up (2); else `above` is the row before the first and all get Up. Writes
/// rows * (columns + 1) bytes. Differences are modulo 256 (PNG specification, section 9.2).
ARB_DECLARE(void, arb_png_filter,
            (const uint8_t *plane, size_t stride, size_t columns, size_t rows, const uint8_t *above,
             uint8_t *out));

/// Palette indices: NaN gives 0, else 1 + floor(254 * t + 0.5) with t = clamp((v - low) / (high - low), 0,
/// 1), all in float32 in this order (RASTER.md, Outputs). `low` < `high`, both finite.
ARB_DECLARE(void, arb_quantise,
            (const float *pixels, size_t stride, size_t columns, size_t rows, float low, float high,
             uint8_t *out, size_t out_stride));

/// Sums over the valid (not NaN) pixels of a block.
struct arb_statistics {
    /// Valid pixels; when 0 all other fields are 0.
    uint64_t count;
    float minimum;
    float maximum;
    double sum;
    double sum_of_squares;
};

/// Statistics of rows x columns pixels. Eight lanes (column modulo 8) are each summed in row order in float64
/// and folded as ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)), on every processor.
ARB_DECLARE(void, arb_statistics_of,
            (const float *pixels, size_t stride, size_t columns, size_t rows, struct arb_statistics *out));

/// 1 when no pixel of rows x columns is valid (all are NaN, or there is none), else 0.
ARB_DECLARE(int, arb_all_nan, (const float *pixels, size_t stride, size_t columns, size_t rows));

#undef ARB_DECLARE

#ifdef __cplusplus
}
#endif
