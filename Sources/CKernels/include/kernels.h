// Inner loops over pixels that want AVX2. Each is one body compiled twice (AVX2 and baseline x86-64); the
// processor's own flags choose at load time. Contraction to fused multiply-add is off, so both give the same
// bits (RASTER.md). `encoding.h` and `deflate.h` hold those of the encoders, `system_calls.h` what Swift's C
// library module lacks.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Whether the AVX2 versions run on this processor: it has AVX2 and BMI2.
int arb_has_avx2(void);

#ifdef __cplusplus
}
#endif
