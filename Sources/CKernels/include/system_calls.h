// Two Linux calls that Swift's C library module does not show (they need _GNU_SOURCE).
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// copy_file_range(2) with explicit offsets: bytes copied, 0 at the source's end, or -1 with errno set.
int64_t arb_copy_file_range(int source, int64_t from, int target, int64_t to, size_t length);

/// Begins writing a range of a file to its disk without waiting: sync_file_range(2). A hint, it cannot fail.
void arb_start_write_back(int file, int64_t offset, int64_t length);

#ifdef __cplusplus
}
#endif
