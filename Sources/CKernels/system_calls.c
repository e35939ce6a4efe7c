#define _GNU_SOURCE
#include "system_calls.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

int arb_bypass_cache(int file, int bypass) {
    int flags = fcntl(file, F_GETFL);
    if (flags < 0) return -1;
    return fcntl(file, F_SETFL, bypass ? flags | O_DIRECT : flags & ~O_DIRECT);
}

void arb_start_write_back(int file, int64_t offset, int64_t length) {
    (void)sync_file_range(file, offset, length, SYNC_FILE_RANGE_WRITE);
}

void arb_return_buffers_from(size_t bytes) { (void)mallopt(M_MMAP_THRESHOLD, (int)bytes); }
