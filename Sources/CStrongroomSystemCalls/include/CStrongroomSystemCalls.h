// What Glibc declares for _GNU_SOURCE only, which Swift's importer does not set.
#ifndef STRONGROOM_SYSTEM_CALLS_H
#define STRONGROOM_SYSTEM_CALLS_H

// Which core runs the thread, or -1.
int strongroom_current_core(void);

#endif
