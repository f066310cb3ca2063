// libFuzzer as a library: the toolchain's runtime has the function, and no header for it.
#ifndef STRONGROOM_FUZZER_H
#define STRONGROOM_FUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*test)(const uint8_t *bytes, size_t count));

#endif
