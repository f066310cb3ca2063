#include "FaultyDisk.h"

#ifdef STRONGROOM_SQLITE
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

// A file of ours; SQLite's own file stands right behind it in the same allocation.
typedef struct {
    sqlite3_file base;
    uint8_t kind;
} file;

static sqlite3_vfs *below;
static sqlite3_vfs disk;
// Held around each operation and its entry: the log has the order in which the files changed.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_descriptor = -1;
static int64_t room = -1;
static int64_t syncs = -1;
static int read_only = 0;

static sqlite3_file *real(sqlite3_file *pointer) { return (sqlite3_file *)((file *)pointer + 1); }

static void note(uint8_t kind, uint8_t file, uint64_t offset, const void *bytes, uint32_t count) {
    if (log_descriptor < 0) return;
    uint8_t head[16] = {kind, file};
    memcpy(head + 4, &count, 4);
    memcpy(head + 8, &offset, 8);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, count}};
    if (writev(log_descriptor, parts, count > 0 ? 2 : 1) != (ssize_t)(sizeof head + count)) _exit(97);
}

static uint8_t kind_of(const char *name) {
    size_t length = name ? strlen(name) : 0;
    if (length > 4 && strcmp(name + length - 4, "-wal") == 0) return 1;
    if (length > 8 && strcmp(name + length - 8, "-journal") == 0) return 2;
    return name ? 0 : 3;
}

static int file_close(sqlite3_file *f) { return real(f)->pMethods ? real(f)->pMethods->xClose(real(f)) : SQLITE_OK; }

static int file_read(sqlite3_file *f, void *bytes, int count, sqlite3_int64 offset) {
    return real(f)->pMethods->xRead(real(f), bytes, count, offset);
}

static int file_write(sqlite3_file *f, const void *bytes, int count, sqlite3_int64 offset) {
    pthread_mutex_lock(&lock);
    int fitting = room >= 0 && room < count ? (int)room : count;
    int status = fitting > 0 ? real(f)->pMethods->xWrite(real(f), bytes, fitting, offset) : SQLITE_OK;
    if (status == SQLITE_OK) {
        note(FAULTY_DISK_WRITE, ((file *)f)->kind, (uint64_t)offset, bytes, (uint32_t)fitting);
        if (room >= 0) room -= fitting;
        if (fitting < count) status = SQLITE_FULL;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size) {
    pthread_mutex_lock(&lock);
    int status = real(f)->pMethods->xTruncate(real(f), size);
    if (status == SQLITE_OK) note(FAULTY_DISK_TRUNCATE, ((file *)f)->kind, (uint64_t)size, NULL, 0);
    pthread_mutex_unlock(&lock);
    return status;
}

static int file_sync(sqlite3_file *f, int flags) {
    pthread_mutex_lock(&lock);
    int status = syncs == 0 ? SQLITE_IOERR_FSYNC : real(f)->pMethods->xSync(real(f), flags);
    if (status == SQLITE_OK) {
        note(FAULTY_DISK_SYNC, ((file *)f)->kind, 0, NULL, 0);
        if (syncs > 0) syncs -= 1;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size) { return real(f)->pMethods->xFileSize(real(f), size); }
static int file_lock(sqlite3_file *f, int level) { return real(f)->pMethods->xLock(real(f), level); }
static int file_unlock(sqlite3_file *f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
static int file_is_reserved(sqlite3_file *f, int *out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
static int file_control(sqlite3_file *f, int code, void *out) {
    return real(f)->pMethods->xFileControl(real(f), code, out);
}
static int file_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int file_traits(sqlite3_file *f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
static int file_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
static int file_shared_lock(sqlite3_file *f, int offset, int count, int flags) {
    return real(f)->pMethods->xShmLock(real(f), offset, count, flags);
}
static void file_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int file_unmap(sqlite3_file *f, int removing) { return real(f)->pMethods->xShmUnmap(real(f), removing); }

static const sqlite3_io_methods methods = {
    2, file_close, file_read, file_write, file_truncate, file_sync, file_size, file_lock, file_unlock,
    file_is_reserved, file_control, file_sector, file_traits, file_map, file_shared_lock, file_barrier, file_unmap,
    NULL, NULL,
};

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *given) {
    int wanted = flags, status;
    ((file *)f)->kind = kind_of(name);
    if (read_only) wanted = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    pthread_mutex_lock(&lock);
    int exists = 0;
    if (name) below->xAccess(below, name, SQLITE_ACCESS_EXISTS, &exists);
    status = below->xOpen(below, name, real(f), wanted, given);
    if (status == SQLITE_OK && name && !exists) note(FAULTY_DISK_CREATE, ((file *)f)->kind, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    f->pMethods = status == SQLITE_OK ? &methods : NULL;
    return status;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
    if (read_only) return SQLITE_READONLY;
    pthread_mutex_lock(&lock);
    int status = below->xDelete(below, name, sync_folder);
    if (status == SQLITE_OK) note(FAULTY_DISK_REMOVE, kind_of(name), (uint64_t)(sync_folder != 0), NULL, 0);
    pthread_mutex_unlock(&lock);
    return status;
}

int faulty_disk_install(const char *log) {
    if (log) {
        log_descriptor = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (log_descriptor < 0) return -1;
    }
    below = sqlite3_vfs_find(NULL);
    if (!below) return -1;
    disk = *below;
    disk.iVersion = 2;
    disk.szOsFile = (int)sizeof(file) + below->szOsFile;
    disk.zName = "faulty";
    disk.pNext = NULL;
    disk.xOpen = disk_open;
    disk.xDelete = disk_delete;
    return sqlite3_vfs_register(&disk, 1);
}

void faulty_disk_note(const void *bytes, uint32_t count) {
    pthread_mutex_lock(&lock);
    note(FAULTY_DISK_NOTE, 0, 0, bytes, count);
    pthread_mutex_unlock(&lock);
}

void faulty_disk_set_room(int64_t bytes) {
    pthread_mutex_lock(&lock);
    room = bytes;
    pthread_mutex_unlock(&lock);
}

void faulty_disk_set_syncs(int64_t count) {
    pthread_mutex_lock(&lock);
    syncs = count;
    pthread_mutex_unlock(&lock);
}

void faulty_disk_set_read_only(int is_read_only) {
    pthread_mutex_lock(&lock);
    read_only = is_read_only;
    pthread_mutex_unlock(&lock);
}
#endif
