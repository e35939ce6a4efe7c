// Inner loops of the deflate encoder (RFC 1951): where bytes repeat, how often each symbol comes, and the
// symbols as bits. What a Huffman code is and what a block looks like is Swift's (`Deflater`).
//
// Each function `NAME` picks `NAME_avx2` or `NAME_base`, which give equal bytes; the two are exported only so
// that a test can prove it.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes that each equal the one some distance before: `start` is the first of them.
struct arb_run {
    uint32_t start;
    uint32_t length;
};

/// Literals, end of block and lengths: what a frequency is counted for (RFC 1951, 3.2.5; 286 and 287 unused).
#define ARB_DEFLATE_SYMBOLS 286
#define ARB_DEFLATE_FIRST_LENGTH 257
/// The shortest run that is coded as one: below it, literals of two or three bits cost less.
#define ARB_SHORTEST_RUN 6
/// The longest code of a symbol: four literals and seven bits left over fit in 64.
#define ARB_LONGEST_CODE 14

/// Bits on their way into memory, the first in the lowest place (RFC 1951, 3.1.1). `next` needs 8 bytes of
/// room beyond what is written.
struct arb_bit_writer {
    uint64_t bits;
    /// Of `bits`, below 8 between two calls.
    uint32_t count;
    uint8_t *next;
};

/// Appends the `count` (at most 56) low bits of `bits`; those above are 0.
static inline void arb_put(struct arb_bit_writer *writer, uint64_t bits, uint32_t count) {
    writer->bits |= bits << writer->count;
    writer->count += count;
    memcpy(writer->next, &writer->bits, sizeof writer->bits);
    writer->next += writer->count >> 3;
    writer->bits >>= writer->count & 56;
    writer->count &= 7;
}

/// Finds the runs of `count` bytes (below 4 GiB) that repeat the byte `distance` (at least 1) before, and adds
/// how often each literal and each length comes to `frequencies` (ARB_DEFLATE_SYMBOLS).
///
/// With `sampling` above 1 it counts, between two runs, eight literals of each 8 x `sampling` for all of these,
/// so a literal that comes may be left at 0.
///
/// Returns the number of runs, at most count / ARB_SHORTEST_RUN, in ascending order in `runs`.
size_t arb_deflate_scan(const uint8_t *bytes, size_t count, size_t distance, size_t sampling,
                        struct arb_run *runs, uint32_t *frequencies);
size_t arb_deflate_scan_avx2(const uint8_t *bytes, size_t count, size_t distance, size_t sampling,
                             struct arb_run *runs, uint32_t *frequencies);
size_t arb_deflate_scan_base(const uint8_t *bytes, size_t count, size_t distance, size_t sampling,
                             struct arb_run *runs, uint32_t *frequencies);

/// Appends `count` bytes, with `runs` as `arb_deflate_scan` found them, to `writer`.
///
/// `codes` has ARB_DEFLATE_SYMBOLS entries: the number of a code's bits (at most ARB_LONGEST_CODE) in the low
/// 8 bits, its bits above, the first lowest. The block's only distance has the code 0 of one bit.
void arb_deflate_emit(const uint8_t *bytes, size_t count, const struct arb_run *runs, size_t run_count,
                      const uint32_t *codes, struct arb_bit_writer *writer);
void arb_deflate_emit_avx2(const uint8_t *bytes, size_t count, const struct arb_run *runs, size_t run_count,
                           const uint32_t *codes, struct arb_bit_writer *writer);
void arb_deflate_emit_base(const uint8_t *bytes, size_t count, const struct arb_run *runs, size_t run_count,
                           const uint32_t *codes, struct arb_bit_writer *writer);

#ifdef __cplusplus
}
#endif
