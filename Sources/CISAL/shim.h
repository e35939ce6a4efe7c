// Intel ISA-L: deflate, inflate and checksums.
#pragma once
#include <isa-l.h>

// Macros that Swift cannot see: sizes of level buffers. They decide where deflate blocks end, so they are part of
// what makes the bytes equal everywhere.
enum {
    ARB_ISAL_LEVEL1_BYTES = ISAL_DEF_LVL1_EXTRA_LARGE,
    ARB_ISAL_LEVEL2_BYTES = ISAL_DEF_LVL2_LARGE,
};
