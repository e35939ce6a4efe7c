#include "kernels.h"

int arb_has_avx2(void) { return __builtin_cpu_supports("avx2") ? 1 : 0; }
