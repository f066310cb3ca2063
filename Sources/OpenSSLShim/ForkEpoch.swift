internal import CStrongroomOpenSSLShims
internal import Glibc

/// Tells a process from the children it forks.
///
/// The number stands in a page that the kernel zeroes in a child (MADV_WIPEONFORK), so reading it costs one load, and
/// no way of forking escapes it, not even a raw `clone`. A secret keeps the epoch in which it was made; where the two
/// differ, it is the parent's and unusable.
package enum ForkEpoch {
    /// The epoch of this process; never zero.
    package static var current: UInt32 {
        guard let word = unsafe word else { return UInt32(bitPattern: getpid()) }
        let value = unsafe strongroom_atomic_load(word)
        return value != 0 ? value : unsafe begin(word)
    }

    /// Safe because the page is mapped once and never unmapped, and the word in it is read and written atomically.
    private nonisolated(unsafe) static let word: UnsafeMutablePointer<UInt32>? = {
        let size = sysconf(Int32(_SC_PAGESIZE))
        guard
            let page = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            unsafe page != MAP_FAILED,
            unsafe madvise(page, size, MADV_WIPEONFORK) == 0
        else { return nil }
        let word = unsafe page.bindMemory(to: UInt32.self, capacity: 1)
        unsafe strongroom_atomic_store(word, UInt32(bitPattern: getpid()))
        return unsafe word
    }()

    /// First use in a forked child: its process id differs from that of every ancestor still alive.
    private static func begin(_ word: UnsafeMutablePointer<UInt32>) -> UInt32 {
        let value = UInt32(bitPattern: getpid())
        unsafe strongroom_atomic_store(word, value)
        return value
    }
}
