internal import OpenSSLShim

extension MutableSpan<UInt8> {
    /// Overwrites the bytes from `start` on with others, which must fit.
    package mutating func overwrite(at start: Int = 0, with bytes: Span<UInt8>) {
        ByteCopying.copy(bytes, to: &self, at: start)
    }
}

extension OutputSpan<UInt8> {
    /// Appends bytes, for which there must be room.
    package mutating func append(copying bytes: Span<UInt8>) { ByteCopying.append(bytes, to: &self) }
}

extension [UInt8] {
    /// Appends bytes.
    package mutating func append(copying bytes: Span<UInt8>) {
        // Appending nothing to an empty array would write to the storage that all empty arrays share.
        guard !bytes.isEmpty else { return }
        append(addingCapacity: bytes.count) { output in output.append(copying: bytes) }
    }

    /// Appends `count` bytes that `body` writes in place. They are not zeroed before: the body must write them all.
    package mutating func append<E: Error>(
        count: Int, filling body: (inout MutableSpan<UInt8>) throws(E) -> Void
    ) throws(E) {
        try append(addingCapacity: count) { output throws(E) in try ByteCopying.append(count, to: &output, body) }
    }
}

extension Span<UInt8> {
    /// The bytes as an array: for what is no secret.
    package var array: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(copying: self)
        return bytes
    }
}
