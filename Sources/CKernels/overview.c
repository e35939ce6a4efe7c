// The next overview level: 2 x 2 means of the valid pixels.
#include <math.h>

#include "dispatch.h"
#include "encoding.h"

ARB_BODY float mean_of_valid(float a, float b, float c, float d) {
    float sum = ((a == a ? a : 0.0f) + (b == b ? b : 0.0f)) + ((c == c ? c : 0.0f) + (d == d ? d : 0.0f));
    float count = ((a == a ? 1.0f : 0.0f) + (b == b ? 1.0f : 0.0f)) +
                  ((c == c ? 1.0f : 0.0f) + (d == d ? 1.0f : 0.0f));
    float mean = sum / (count > 0.0f ? count : 1.0f);
    return count > 0.0f && mean == mean ? mean : NAN;
}

ARB_BODY void arb_overview_body(const float *pixels, size_t stride, size_t columns, size_t rows, float *out,
                                size_t out_stride) {
    size_t pairs = columns / 2;
    for (size_t y = 0; y < rows; y += 2) {
        const float *upper = pixels + y * stride;
        const float *lower = upper + stride;
        float *target = out + (y / 2) * out_stride;
        if (y + 1 < rows) {
            for (size_t x = 0; x < pairs; x++) {
                target[x] = mean_of_valid(upper[2 * x], upper[2 * x + 1], lower[2 * x], lower[2 * x + 1]);
            }
            if (columns % 2) target[pairs] = mean_of_valid(upper[columns - 1], NAN, lower[columns - 1], NAN);
        } else {
            for (size_t x = 0; x < pairs; x++) {
                target[x] = mean_of_valid(upper[2 * x], upper[2 * x + 1], NAN, NAN);
            }
            if (columns % 2) target[pairs] = mean_of_valid(upper[columns - 1], NAN, NAN, NAN);
        }
    }
}

ARB_KERNEL(void, arb_overview,
           (const float *pixels, size_t stride, size_t columns, size_t rows, float *out, size_t out_stride),
           (pixels, stride, columns, rows, out, out_stride))
