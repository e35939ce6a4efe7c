// From values to the 8-bit picture: palette indices and PNG filters.
#include "dispatch.h"
#include "encoding.h"

ARB_BODY void arb_quantise_body(const float *pixels, size_t stride, size_t columns, size_t rows, float low,
                                float high, uint8_t *out, size_t out_stride) {
    float span = high - low;
    for (size_t y = 0; y < rows; y++) {
        const float *row = pixels + y * stride;
        uint8_t *target = out + y * out_stride;
        for (size_t x = 0; x < columns; x++) {
            float value = row[x];
            float t = (value - low) / span;
            t = t > 0.0f ? t : 0.0f;
            t = t < 1.0f ? t : 1.0f;
            // 254 * t + 0.5 is never negative: truncation is floor.
            int32_t index = 1 + (int32_t)(254.0f * t + 0.5f);
            target[x] = (uint8_t)(value == value ? index : 0);
        }
    }
}

ARB_KERNEL(void, arb_quantise,
           (const float *pixels, size_t stride, size_t columns, size_t rows, float low, float high,
            uint8_t *out, size_t out_stride),
           (pixels, stride, columns, rows, low, high, out, out_stride))

ARB_BODY void arb_png_filter_body(const uint8_t *plane, size_t stride, size_t columns, size_t rows,
                                  const uint8_t *above, uint8_t *out) {
    for (size_t y = 0; y < rows; y++) {
        const uint8_t *restrict row = plane + y * stride;
        uint8_t *restrict target = out + y * (columns + 1);
        *target++ = above ? 2 : 1;
        if (above) {
            for (size_t x = 0; x < columns; x++) target[x] = (uint8_t)(row[x] - above[x]);
        } else if (columns > 0) {
            target[0] = row[0];
            for (size_t x = 1; x < columns; x++) target[x] = (uint8_t)(row[x] - row[x - 1]);
        }
        above = row;
    }
}

ARB_KERNEL(void, arb_png_filter,
           (const uint8_t *plane, size_t stride, size_t columns, size_t rows, const uint8_t *above,
            uint8_t *out),
           (plane, stride, columns, rows, above, out))
