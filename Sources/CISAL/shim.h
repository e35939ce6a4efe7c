// Intel ISA-L: deflate, inflate and checksums.
#pragma once
#include <isa-l.h>

// Macros that Swift cannot see: the level buffers that ISA-L calls large. Their size decides where deflate blocks
// end, so it is part of what makes the bytes equal everywhere.
enum {
    ARB_ISAL_LEVEL1_BYTES = ISAL_DEF_LVL1_LARGE,
    ARB_ISAL_LEVEL2_BYTES = ISAL_DEF_LVL2_LARGE,
};
