internal import Synchronization
internal import SystemCalls

/// Native contexts that wait for their next use. A context taken out has one user; nobody shares one.
///
/// Each core has a place, one atomic word (about 5 ns to take or fill), so that a context of a kilobyte stays in its cache; only
/// threads that find none there pay for the lock.
@safe final class HandlePool: @unchecked Sendable {
    // Safe to send: every stored word is behind an atomic or a mutex.
    private let places = Core.Places<Place> { _ in Place() }
    private let others = Mutex<[Idle]>([])
    private let free: @convention(c) (OpaquePointer?) -> Void

    /// Makes a pool whose contexts are freed by `free`.
    init(free: @convention(c) (OpaquePointer?) -> Void) {
        unsafe self.free = free
    }

    deinit {
        for place in 0..<Core.placeCount {
            if let handle = unsafe places[place].handle.exchange(nil, ordering: .acquiring) { unsafe free(handle) }
        }
        while let idle = others.withLock({ $0.popLast() }) { unsafe free(idle.handle) }
    }

    func take() -> OpaquePointer? {
        if let handle = unsafe places[Core.place].handle.exchange(nil, ordering: .acquiring) { return unsafe handle }
        return unsafe others.withLock { unsafe $0.popLast()?.handle }
    }

    func put(_ handle: OpaquePointer) {
        guard let displaced = unsafe places[Core.place].handle.exchange(handle, ordering: .acquiringAndReleasing) else {
            return
        }
        let idle = unsafe Idle(handle: displaced)
        let isKept = others.withLock { others in
            guard others.count < HandlePool.limit else { return false }
            others.append(idle)
            return true
        }
        if !isKept { unsafe free(displaced) }
    }

    /// Frees a context that failed: a failed operation poisons its context.
    func discard(_ handle: OpaquePointer) {
        unsafe free(handle)
    }

    /// A core's context, in a cache line of its own.
    @safe private struct Place: ~Copyable {
        let handle = unsafe Atomic<OpaquePointer?>(nil)
        private let padding = InlineArray<7, UInt64>(repeating: 0)
    }

    /// An idle context. Safe to send: it has no user.
    @safe private struct Idle: @unchecked Sendable {
        let handle: OpaquePointer
    }

    /// More threads than this at once allocate for the peak and give back.
    private static let limit = 64
}
