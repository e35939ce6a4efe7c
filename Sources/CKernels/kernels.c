#include "kernels.h"

#include <stdatomic.h>

int arb_has_avx2(void) {
    static _Atomic int known;  // 0: not asked yet; 1: no; 2: yes
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        answer = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ? 2 : 1;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == 2;
}
