// One body, two wrappers, one choice: how every kernel of this target is compiled.
//
// The body is plain C or vector extensions and always inlined; `NAME_base` compiles it for baseline x86-64,
// `NAME_avx2` for AVX2 and BMI2, and `NAME` asks the processor. Neither contracts to fused multiply-add, so all give
// the same bits (RASTER.md, Arithmetic); the tests compare them.
#pragma once
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

#define ARB_BODY static inline __attribute__((always_inline))

#define ARB_KERNEL(RESULT, NAME, PARAMETERS, ARGUMENTS)                                \
    RESULT NAME##_base PARAMETERS { return NAME##_body ARGUMENTS; }                    \
    __attribute__((target("avx2,bmi2"))) RESULT NAME##_avx2 PARAMETERS {               \
        return NAME##_body ARGUMENTS;                                                  \
    }                                                                                  \
    RESULT NAME PARAMETERS {                                                           \
        return arb_has_avx2() ? NAME##_avx2 ARGUMENTS : NAME##_base ARGUMENTS;         \
    }

/// The one NaN that leaves our kernels: quiet, positive, no payload.
#define ARB_NAN_BITS 0x7FC00000u
