#ifndef STRONGROOM_FAULTY_DISK_H
#define STRONGROOM_FAULTY_DISK_H
#include <stdint.h>

// A SQLite file system for tests: the system's own, with a log of all that reaches it and with faults on request.
//
// The log holds operations in the order in which they reached the files. Each is 16 bytes, all integers little-endian,
// and the bytes of a write or a note:
//
//   0  kind    1   see faulty_disk_kind
//   1  file    1   0 database, 1 write-ahead log, 2 rollback journal, 3 any other
//   2  zero    2
//   4  count   4   of the bytes that follow
//   8  offset  8   of a write; the new size of a truncation; 1 for a removal whose folder was synced

enum faulty_disk_kind {
    FAULTY_DISK_CREATE = 1,
    FAULTY_DISK_WRITE = 2,
    FAULTY_DISK_TRUNCATE = 3,
    FAULTY_DISK_SYNC = 4,
    FAULTY_DISK_REMOVE = 5,
    FAULTY_DISK_NOTE = 6,
};

/// Makes this file system the one that every connection opened from now on uses. Call it once in a process.
/// `log` is the path of the log, or null for none. Not zero where it failed.
int faulty_disk_install(const char *log);

/// Puts bytes of the test's own into the log.
void faulty_disk_note(const void *bytes, uint32_t count);

/// How many more bytes fit; every write behind them fails with SQLITE_FULL, after what fits. Negative: no end.
void faulty_disk_set_room(int64_t bytes);

/// How many more syncs succeed. Negative: all.
void faulty_disk_set_syncs(int64_t count);

/// Whether files are opened for reading only, as on a read-only mount.
void faulty_disk_set_read_only(int is_read_only);

#endif
