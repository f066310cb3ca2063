#define _GNU_SOURCE
#include <sched.h>

#include "CStrongroomSystemCalls.h"

int strongroom_current_core(void) { return sched_getcpu(); }
