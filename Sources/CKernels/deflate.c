// Deflate whose only matches are runs: what predictors and filters leave is noise between runs of one value,
// and a search for other matches costs three times as long and finds chance.
#include "deflate.h"

#include "dispatch.h"

typedef uint8_t octets __attribute__((ext_vector_type(16)));
typedef _Bool lanes __attribute__((ext_vector_type(16)));

// Bit i: whether a[i] equals b[i], for 16 bytes.
ARB_BODY uint64_t equal16(const uint8_t *a, const uint8_t *b) {
    octets x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    lanes same = __builtin_convertvector(x == y, lanes);
    uint16_t bits;
    memcpy(&bits, &same, sizeof bits);
    return bits;
}

ARB_BODY uint64_t equal64(const uint8_t *a, const uint8_t *b) {
    return equal16(a, b) | equal16(a + 16, b + 16) << 16 | equal16(a + 32, b + 32) << 32
        | equal16(a + 48, b + 48) << 48;
}

// Four tables, so that equal neighbours do not wait for each other's sum.
typedef uint32_t histogram[4][256];

// Eight literals of each 8 x sampling into `seen`; what is left, all of it, into `frequencies`.
ARB_BODY void count_literals(const uint8_t *bytes, size_t count, size_t sampling, histogram seen,
                             uint32_t *frequencies) {
    size_t i = 0;
    for (; i + 8 * sampling <= count; i += 8 * sampling) {
        uint64_t eight;
        memcpy(&eight, bytes + i, sizeof eight);
        for (int k = 0; k < 8; k++) seen[k & 3][eight >> (8 * k) & 255]++;
    }
    for (; i < count; i++) frequencies[bytes[i]]++;
}

// The length symbols of a run: of 258 bytes as long as 3 or more are left behind (RFC 1951, 3.2.5).
ARB_BODY uint32_t next_piece(uint32_t left) { return left > 260 ? 258 : left > 258 ? left - 3 : left; }

ARB_BODY uint32_t extra_bits(uint32_t length) {
    uint32_t beyond = length - 3;
    return beyond < 8 || length == 258 ? 0 : 29 - (uint32_t)__builtin_clz(beyond);
}

ARB_BODY uint32_t length_symbol(uint32_t length) {
    uint32_t extra = extra_bits(length);
    return ARB_DEFLATE_FIRST_LENGTH + (length == 258 ? 28 : 4 * extra + ((length - 3) >> extra));
}

// Where a run ends that goes on at `i`.
ARB_BODY size_t run_end(const uint8_t *bytes, size_t i, size_t count, size_t distance) {
    while (i + 16 <= count) {
        uint64_t differ = equal16(bytes + i, bytes + i - distance) ^ 0xFFFF;
        if (differ) return i + (size_t)__builtin_ctzll(differ);
        i += 16;
    }
    while (i < count && bytes[i] == bytes[i - distance]) i++;
    return i;
}

ARB_BODY size_t arb_deflate_scan_body(const uint8_t *bytes, size_t count, size_t distance, size_t sampling,
                                      struct arb_run *runs, uint32_t *frequencies) {
    histogram seen;
    memset(seen, 0, sizeof seen);
    size_t found = 0, done = 0, i = distance;
    while (i + 64 <= count) {
        uint64_t same = equal64(bytes + i, bytes + i - distance);
        same &= same >> 1;
        same &= same >> 2;
        same &= same >> 2;  // bit b: six from b on are the same
        if (!same) {
            i += 64 - (ARB_SHORTEST_RUN - 1);
            continue;
        }
        size_t start = i + (size_t)__builtin_ctzll(same);
        size_t end = run_end(bytes, start + ARB_SHORTEST_RUN, count, distance);
        runs[found++] = (struct arb_run){(uint32_t)start, (uint32_t)(end - start)};
        count_literals(bytes + done, start - done, sampling, seen, frequencies);
        for (uint32_t left = (uint32_t)(end - start), piece; left > 0; left -= piece) {
            piece = next_piece(left);
            frequencies[length_symbol(piece)]++;
        }
        done = end;
        i = end + 1;
    }
    count_literals(bytes + done, count - done, sampling, seen, frequencies);
    for (int value = 0; value < 256; value++)
        frequencies[value] +=
            (uint32_t)sampling * (seen[0][value] + seen[1][value] + seen[2][value] + seen[3][value]);
    return found;
}
ARB_KERNEL(size_t, arb_deflate_scan,
           (const uint8_t *bytes, size_t count, size_t distance, size_t sampling, struct arb_run *runs,
            uint32_t *frequencies),
           (bytes, count, distance, sampling, runs, frequencies))

ARB_BODY uint64_t code_bits(uint32_t code) { return code >> 8; }

ARB_BODY void put_literals(const uint8_t *bytes, size_t count, const uint32_t *codes,
                           struct arb_bit_writer *writer) {
    struct arb_bit_writer w = *writer;
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        uint32_t a = codes[bytes[i]], b = codes[bytes[i + 1]];
        uint32_t c = codes[bytes[i + 2]], d = codes[bytes[i + 3]];
        uint64_t low = code_bits(a) | code_bits(b) << (a & 63);
        uint64_t high = code_bits(c) | code_bits(d) << (c & 63);
        uint32_t low_count = (a + b) & 63, high_count = (c + d) & 63;
        arb_put(&w, low | high << low_count, low_count + high_count);
    }
    for (; i < count; i++) arb_put(&w, code_bits(codes[bytes[i]]), codes[bytes[i]] & 63);
    *writer = w;
}

ARB_BODY void arb_deflate_emit_body(const uint8_t *bytes, size_t count, const struct arb_run *runs,
                                    size_t run_count, const uint32_t *codes, struct arb_bit_writer *writer) {
    size_t done = 0;
    for (size_t r = 0; r < run_count; r++) {
        put_literals(bytes + done, runs[r].start - done, codes, writer);
        for (uint32_t left = runs[r].length, piece; left > 0; left -= piece) {
            piece = next_piece(left);
            uint32_t code = codes[length_symbol(piece)], extra = extra_bits(piece);
            uint64_t beyond = (piece - 3) & ((1u << extra) - 1);
            arb_put(writer, code_bits(code) | beyond << (code & 63), (code & 63) + extra + 1);
        }
        done = (size_t)runs[r].start + runs[r].length;
    }
    put_literals(bytes + done, count - done, codes, writer);
}
ARB_KERNEL(void, arb_deflate_emit,
           (const uint8_t *bytes, size_t count, const struct arb_run *runs, size_t run_count,
            const uint32_t *codes, struct arb_bit_writer *writer),
           (bytes, count, runs, run_count, codes, writer))
