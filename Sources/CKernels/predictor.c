// TIFF predictors: byte planes and differences for float32, prefix sums for integers.
#include <string.h>

#include "dispatch.h"
#include "encoding.h"

typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef uint8_t u8x64 __attribute__((vector_size(64)));

ARB_BODY uint32_t canonical_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (bits & 0x7FFFFFFFu) > 0x7F800000u ? ARB_NAN_BITS : bits;
}

ARB_BODY void encode_row(const float *pixels, size_t columns, uint8_t *out) {
    if (columns == 0) return;
    uint8_t *plane[4] = {out, out + columns, out + 2 * columns, out + 3 * columns};
    uint32_t first = canonical_bits(pixels[0]);
    uint32_t last = canonical_bits(pixels[columns - 1]);
    plane[0][0] = (uint8_t)(first >> 24);
    for (int p = 1; p < 4; p++) {
        plane[p][0] = (uint8_t)((first >> (24 - 8 * p)) - (last >> (32 - 8 * p)));
    }
    size_t x = 1;
    for (; x + 16 <= columns; x += 16) {
        u32x16 here, left;
        memcpy(&here, pixels + x, 64);
        memcpy(&left, pixels + x - 1, 64);
        u32x16 here_nan = (u32x16)((i32x16)(here & 0x7FFFFFFFu) > 0x7F800000);
        u32x16 left_nan = (u32x16)((i32x16)(left & 0x7FFFFFFFu) > 0x7F800000);
        here = (here & ~here_nan) | (ARB_NAN_BITS & here_nan);
        left = (left & ~left_nan) | (ARB_NAN_BITS & left_nan);
        u32x16 difference = (u32x16)((u8x64)here - (u8x64)left);
        for (int p = 0; p < 4; p++) {
            u8x16 bytes = __builtin_convertvector(difference >> (24 - 8 * p), u8x16);
            memcpy(plane[p] + x, &bytes, 16);
        }
    }
    for (; x < columns; x++) {
        uint32_t here = canonical_bits(pixels[x]);
        uint32_t left = canonical_bits(pixels[x - 1]);
        for (int p = 0; p < 4; p++) {
            plane[p][x] = (uint8_t)((here >> (24 - 8 * p)) - (left >> (24 - 8 * p)));
        }
    }
}

ARB_BODY void arb_predictor3_encode_body(const float *pixels, size_t stride, size_t columns, size_t rows,
                                         uint8_t *out) {
    for (size_t y = 0; y < rows; y++) encode_row(pixels + y * stride, columns, out + y * columns * 4);
}

ARB_KERNEL(void, arb_predictor3_encode,
           (const float *pixels, size_t stride, size_t columns, size_t rows, uint8_t *out),
           (pixels, stride, columns, rows, out))

/// Running sums of one row by doubling: after steps 1, 2, 4, 8 each lane holds the sum of all before it.
ARB_BODY void prefix_sum_u8(uint8_t *data, size_t count) {
    const u8x16 zero = {0};
    u8x16 carry = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        u8x16 v;
        memcpy(&v, data + i, 16);
        v += __builtin_shufflevector(zero, v, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
        v += __builtin_shufflevector(zero, v, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
        v += __builtin_shufflevector(zero, v, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
        v += __builtin_shufflevector(zero, v, 0, 0, 0, 0, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23);
        v += carry;
        memcpy(data + i, &v, 16);
        carry = __builtin_shufflevector(v, v, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15);
    }
    uint8_t sum = carry[0];
    for (; i < count; i++) data[i] = sum = (uint8_t)(sum + data[i]);
}

ARB_BODY void prefix_sum_u16(uint16_t *data, size_t count) {
    const u16x8 zero = {0};
    u16x8 carry = {0};
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        u16x8 v;
        memcpy(&v, data + i, 16);
        v += __builtin_shufflevector(zero, v, 0, 8, 9, 10, 11, 12, 13, 14);
        v += __builtin_shufflevector(zero, v, 0, 0, 8, 9, 10, 11, 12, 13);
        v += __builtin_shufflevector(zero, v, 0, 0, 0, 0, 8, 9, 10, 11);
        v += carry;
        memcpy(data + i, &v, 16);
        carry = __builtin_shufflevector(v, v, 7, 7, 7, 7, 7, 7, 7, 7);
    }
    uint16_t sum = carry[0];
    for (; i < count; i++) data[i] = sum = (uint16_t)(sum + data[i]);
}

ARB_BODY void prefix_sum_u32(uint32_t *data, size_t count) {
    const u32x4 zero = {0};
    u32x4 carry = {0};
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        u32x4 v;
        memcpy(&v, data + i, 16);
        v += __builtin_shufflevector(zero, v, 0, 4, 5, 6);
        v += __builtin_shufflevector(zero, v, 0, 0, 4, 5);
        v += carry;
        memcpy(data + i, &v, 16);
        carry = __builtin_shufflevector(v, v, 3, 3, 3, 3);
    }
    uint32_t sum = carry[0];
    for (; i < count; i++) data[i] = sum = sum + data[i];
}

#define UNDO_PREDICTOR2(TYPE, SUFFIX)                                                                   \
    ARB_BODY void arb_predictor2_undo_##SUFFIX##_body(TYPE *data, size_t columns, size_t rows,          \
                                                      size_t samples) {                                 \
        size_t width = columns * samples;                                                               \
        for (size_t y = 0; y < rows; y++) {                                                             \
            TYPE *row = data + y * width;                                                               \
            if (samples == 1) {                                                                         \
                prefix_sum_##SUFFIX(row, width);                                                        \
            } else {                                                                                    \
                for (size_t i = samples; i < width; i++) row[i] = (TYPE)(row[i] + row[i - samples]);    \
            }                                                                                           \
        }                                                                                               \
    }                                                                                                   \
    ARB_KERNEL(void, arb_predictor2_undo_##SUFFIX,                                                      \
               (TYPE * data, size_t columns, size_t rows, size_t samples),                              \
               (data, columns, rows, samples))

UNDO_PREDICTOR2(uint8_t, u8)
UNDO_PREDICTOR2(uint16_t, u16)
UNDO_PREDICTOR2(uint32_t, u32)

ARB_BODY void arb_predictor3_decode_body(uint8_t *bytes, size_t columns, size_t rows, float *pixels,
                                         size_t stride) {
    for (size_t y = 0; y < rows; y++) {
        uint8_t *row = bytes + y * columns * 4;
        float *out = pixels + y * stride;
        prefix_sum_u8(row, columns * 4);
        const uint8_t *plane[4] = {row, row + columns, row + 2 * columns, row + 3 * columns};
        size_t x = 0;
        for (; x + 16 <= columns; x += 16) {
            u32x16 bits = {0};
            for (int p = 0; p < 4; p++) {
                u8x16 part;
                memcpy(&part, plane[p] + x, 16);
                bits |= __builtin_convertvector(part, u32x16) << (24 - 8 * p);
            }
            memcpy(out + x, &bits, 64);
        }
        for (; x < columns; x++) {
            uint32_t bits = (uint32_t)plane[0][x] << 24 | (uint32_t)plane[1][x] << 16 |
                            (uint32_t)plane[2][x] << 8 | plane[3][x];
            memcpy(out + x, &bits, 4);
        }
    }
}

ARB_KERNEL(void, arb_predictor3_decode,
           (uint8_t *bytes, size_t columns, size_t rows, float *pixels, size_t stride),
           (bytes, columns, rows, pixels, stride))
