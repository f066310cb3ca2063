internal import CStrongroomOpenSSL
internal import Glibc
internal import Synchronization
internal import SystemCalls

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
        let (index, own) = (classIndex(count), Core.place)
        if let slot = shelves.places[own].state.withLock({ $0.take(index) }) { return slot }
        // What other cores have left over stands before new arenas: locked memory is scarce.
        for place in 0..<Core.placeCount where place != own {
            if let slot = shelves.places[place].state.withLock({ $0.take(index) }) { return slot }
        }
        guard let arena = map(arenaSize) else { return nil }
        return shelves.places[own].state.withLock { $0.cut(arena, index) }
    }

    /// Cleanses a slot and takes it back. A slot that a parent process made is left alone.
    static func release(_ slot: Slot, epoch: UInt32) {
        guard epoch == ForkEpoch.current else { return }
        unsafe OPENSSL_cleanse(slot.base, slot.capacity)
        guard slot.capacity <= largestClass else {
            unsafe munmap(slot.base, slot.capacity)
            return
        }
        shelves.places[Core.place].state.withLock { $0.put(slot, classIndex(slot.capacity)) }
    }

    /// The free slots that were left on a core.
    private struct Shelf {
        var epoch = ForkEpoch.current
        var free: [[Slot]] = Array(repeating: [], count: classCount)

        mutating func take(_ index: Int) -> Slot? {
            checkEpoch()
            return free[index].popLast()
        }

        mutating func put(_ slot: Slot, _ index: Int) {
            checkEpoch()
            free[index].append(slot)
        }

        /// In a forked child the parent's slots are zeroed and no longer locked: it starts anew.
        private mutating func checkEpoch() {
            let current = ForkEpoch.current
            guard epoch != current else { return }
            free = Array(repeating: [], count: classCount)
            epoch = current
        }

        /// Cuts an arena into slots, and takes the first.
        mutating func cut(_ arena: Slot, _ index: Int) -> Slot {
            let size = smallestClass << index
            for offset in stride(from: arenaSize - size, to: 0, by: -size) {
                unsafe free[index].append(Slot(base: arena.base + offset, capacity: size, isLocked: arena.isLocked))
            }
            return unsafe Slot(base: arena.base, capacity: size, isLocked: arena.isLocked)
        }
    }

    /// A shelf in cache lines of its own.
    private struct Place: ~Copyable {
        let state = Mutex(Shelf())
        private let padding = InlineArray<14, UInt64>(repeating: 0)
    }

    /// An object, so that no other global variable shares its cache lines.
    private final class Shelves: Sendable {
        let places = Core.Places<Place> { _ in Place() }
    }

    private static let shelves = Shelves()

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
