/// The owner of one piece of secret memory.
///
/// Moves of a noncopyable struct copy its inline bytes and leave the old ones behind, so the secret stands behind a
/// pointer, and only the pointer moves.
@safe package struct SecretBuffer: ~Copyable, @unchecked Sendable {
    // Safe to send: nothing writes to the memory after the initialiser returns.
    private let slot: SecretSlab.Slot
    private let epoch: UInt32

    /// How many bytes the secret has.
    package let count: Int

    /// Makes a secret of at most `capacity` bytes, written by `body` in place.
    package init<E: Error>(
        capacity: Int, initializingWith body: (inout OutputSpan<UInt8>) throws(E) -> Void
    ) throws(E) {
        guard capacity >= 0, let slot = SecretSlab.allocate(capacity) else {
            // As for Array: a process that cannot have memory cannot go on.
            preconditionFailure("no memory for a secret of \(capacity) bytes")
        }
        let epoch = ForkEpoch.current
        let buffer = unsafe UnsafeMutableBufferPointer(
            start: slot.base.assumingMemoryBound(to: UInt8.self), count: capacity)
        var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
        do {
            try body(&output)
        } catch {
            SecretSlab.release(slot, epoch: epoch)
            throw error
        }
        let count = unsafe output.finalize(for: buffer)
        self.slot = slot
        self.epoch = epoch
        self.count = count
    }

    deinit {
        SecretSlab.release(slot, epoch: epoch)
    }

    /// Whether the memory cannot be swapped to disk.
    package var isLocked: Bool { slot.isLocked }

    /// Whether this process made the secret. In a forked child its bytes are gone.
    package var isUsable: Bool { epoch == ForkEpoch.current }

    /// The bytes. Stops the process when a forked child asks for its parent's secret: reading zeros in place of a key
    /// would be worse.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            precondition(isUsable, "a secret of the parent process is unusable in a forked child")
            let span = unsafe Span<UInt8>(
                _unsafeStart: slot.base.assumingMemoryBound(to: UInt8.self), count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }
}

extension SecretBuffer {
    /// The bytes for the time of a call: a span of a class's stored property cannot leave the access.
    package func withBytes<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try body(bytes)
    }
}

extension SecretBuffer {
    /// The bytes, to be changed by their only owner.
    package mutating func withMutableBytes<E: Error>(_ body: (inout MutableSpan<UInt8>) throws(E) -> Void) throws(E) {
        precondition(isUsable, "a secret of the parent process is unusable in a forked child")
        var span = unsafe MutableSpan<UInt8>(
            _unsafeStart: slot.base.assumingMemoryBound(to: UInt8.self), count: count)
        try body(&span)
    }
}

/// Secret memory that its single owner goes on writing to.
@safe struct SecretStock: ~Copyable {
    private let slot: SecretSlab.Slot
    private let epoch = ForkEpoch.current
    private let count: Int

    init(count: Int) {
        guard let slot = SecretSlab.allocate(count) else {
            preconditionFailure("no memory for a secret of \(count) bytes")
        }
        self.slot = slot
        self.count = count
    }

    deinit {
        SecretSlab.release(slot, epoch: epoch)
    }

    var isUsable: Bool { epoch == ForkEpoch.current }

    mutating func withMutableBytes<E: Error>(_ body: (inout MutableSpan<UInt8>) throws(E) -> Void) throws(E) {
        var span = unsafe MutableSpan<UInt8>(
            _unsafeStart: slot.base.assumingMemoryBound(to: UInt8.self), count: count)
        try body(&span)
    }
}
