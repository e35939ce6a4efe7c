// Sums of a block in a lane order that no processor changes, and the test for an empty block.
#include <math.h>
#include <string.h>

#include "dispatch.h"
#include "encoding.h"

typedef float f32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef double f64x8 __attribute__((vector_size(64)));

ARB_BODY double fold(const double *lane) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

ARB_BODY void arb_statistics_of_body(const float *pixels, size_t stride, size_t columns, size_t rows,
                                     struct arb_statistics *out) {
    f64x8 sums = {0}, squares = {0};
    f32x8 low = (f32x8){0} + INFINITY, high = (f32x8){0} - INFINITY;
    uint64_t count = 0;
    for (size_t y = 0; y < rows; y++) {
        const float *row = pixels + y * stride;
        i32x8 counts = {0};
        for (size_t x = 0; x < columns; x += 8) {
            f32x8 v;
            if (x + 8 <= columns) {
                memcpy(&v, row + x, 32);
            } else {
                v = (f32x8){0} + NAN;
                memcpy(&v, row + x, (columns - x) * 4);
            }
            i32x8 valid = v == v;
            f64x8 wide = __builtin_convertvector((f32x8)((i32x8)v & valid), f64x8);
            sums += wide;
            squares += wide * wide;
            counts -= valid;
            // A comparison with NaN is false, so NaN never replaces a lane's value.
            i32x8 lower = v < low, higher = v > high;
            low = (f32x8)(((i32x8)v & lower) | ((i32x8)low & ~lower));
            high = (f32x8)(((i32x8)v & higher) | ((i32x8)high & ~higher));
        }
        for (int lane = 0; lane < 8; lane++) count += (uint32_t)counts[lane];
    }
    memset(out, 0, sizeof *out);
    if (count == 0) return;
    double lanes[8];
    memcpy(lanes, &sums, sizeof lanes);
    out->sum = fold(lanes);
    memcpy(lanes, &squares, sizeof lanes);
    out->sum_of_squares = fold(lanes);
    out->count = count;
    out->minimum = INFINITY;
    out->maximum = -INFINITY;
    for (int lane = 0; lane < 8; lane++) {
        if (low[lane] < out->minimum) out->minimum = low[lane];
        if (high[lane] > out->maximum) out->maximum = high[lane];
    }
}

ARB_KERNEL(void, arb_statistics_of,
           (const float *pixels, size_t stride, size_t columns, size_t rows, struct arb_statistics *out),
           (pixels, stride, columns, rows, out))

ARB_BODY int arb_all_nan_body(const float *pixels, size_t stride, size_t columns, size_t rows) {
    for (size_t y = 0; y < rows; y++) {
        const float *row = pixels + y * stride;
        int32_t valid = 0;
        for (size_t x = 0; x < columns; x++) valid |= row[x] == row[x];
        if (valid) return 0;
    }
    return 1;
}

ARB_KERNEL(int, arb_all_nan, (const float *pixels, size_t stride, size_t columns, size_t rows),
           (pixels, stride, columns, rows))
