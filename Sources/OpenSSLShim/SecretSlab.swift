internal import CStrongroomOpenSSL
internal import Glibc
internal import Synchronization

/// Memory for secrets: locked into RAM, left out of core dumps, zeroed in a forked child.
///
/// OpenSSL's secure heap takes microseconds a piece under one lock and is full after 32,768 keys. Data keys come and go
/// per message, so the slab hands out power-of-two slots from arenas of 64 KiB and keeps the free ones in lists.
/// Anything above one page has a mapping of its own.
enum SecretSlab {
    /// One piece of the slab.
    // Safe to send: a slot has one owner, or stands in a free list behind the mutex.
    @safe struct Slot: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
        let capacity: Int
        /// Whether the kernel agreed to keep it out of swap. Over RLIMIT_MEMLOCK it does not, and callers can ask.
        let isLocked: Bool
    }

    static func allocate(_ count: Int) -> Slot? {
        guard count <= 1 << 40 else { return nil }
        guard count <= largestClass else { return map((count + 4095) & ~4095) }
        let index = classIndex(count)
        return state.withLock { state in
            let epoch = ForkEpoch.current
            if state.epoch != epoch {
                // A forked child: the parent's slots are zeroed here and no longer locked. Start anew.
                state.free = Array(repeating: [], count: classCount)
                state.epoch = epoch
            }
            if let slot = state.free[index].popLast() { return slot }
            guard let arena = map(arenaSize) else { return nil }
            let size = smallestClass << index
            for offset in stride(from: arenaSize - size, to: 0, by: -size) {
                unsafe state.free[index].append(
                    Slot(base: arena.base + offset, capacity: size, isLocked: arena.isLocked))
            }
            return unsafe Slot(base: arena.base, capacity: size, isLocked: arena.isLocked)
        }
    }

    /// Cleanses a slot and takes it back. A slot that a parent process made is left alone.
    static func release(_ slot: Slot, epoch: UInt32) {
        guard epoch == ForkEpoch.current else { return }
        unsafe OPENSSL_cleanse(slot.base, slot.capacity)
        guard slot.capacity <= largestClass else {
            unsafe munmap(slot.base, slot.capacity)
            return
        }
        state.withLock { state in
            guard state.epoch == epoch else { return }
            state.free[classIndex(slot.capacity)].append(slot)
        }
    }

    private struct State {
        var epoch = ForkEpoch.current
        var free: [[Slot]] = Array(repeating: [], count: classCount)
    }

    private static let state = Mutex(State())

    /// The free lists' index for a piece of `count` bytes: 32, 64, ... 4096.
    private static func classIndex(_ count: Int) -> Int {
        count <= smallestClass ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount - 5
    }

    private static func map(_ size: Int) -> Slot? {
        guard
            let base = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            unsafe base != MAP_FAILED
        else { return nil }
        unsafe madvise(base, size, MADV_DONTDUMP)
        unsafe madvise(base, size, MADV_WIPEONFORK)
        let isLocked = unsafe mlock(base, size) == 0
        return unsafe Slot(base: base, capacity: size, isLocked: isLocked)
    }

    private static let smallestClass = 32
    private static let largestClass = 4096
    private static let classCount = 8
    private static let arenaSize = 65536
}
