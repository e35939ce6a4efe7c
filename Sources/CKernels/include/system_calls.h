// Linux and glibc calls that Swift's C library module does not show.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Makes writes go past the system's cache of files, or (0) through it again: fcntl(2), O_DIRECT. 0, or -1
/// with errno set where the file system cannot.
int arb_bypass_cache(int file, int bypass);

/// Begins writing a range of a file to its disk without waiting: sync_file_range(2). A hint, it cannot fail.
void arb_start_write_back(int file, int64_t offset, int64_t length);

/// Buffers of at least so many bytes go back to the system when they are freed: mallopt(3), M_MMAP_THRESHOLD.
void arb_return_buffers_from(size_t bytes);

#ifdef __cplusplus
}
#endif
