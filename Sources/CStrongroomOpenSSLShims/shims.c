// The shims are static inline functions of the header, but for one.
#define _GNU_SOURCE
#include <sched.h>

#include "CStrongroomOpenSSLShims.h"

int strongroom_current_core(void) { return sched_getcpu(); }
