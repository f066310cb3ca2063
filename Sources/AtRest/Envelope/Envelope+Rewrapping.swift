internal import Cryptography
internal import KeyManagement

extension Envelope {
    /// Seals a message's data key anew, by another keyring: the body stays byte for byte as it is, and is not opened.
    ///
    /// For a new wrapping key, another set of readers, or leaving an old key behind, at the cost of a header. The new header is
    /// authentic; whether the body is shows when the message is opened. Whoever has kept the old message, or its data key,
    /// can still open it.
    ///
    /// - Parameters:
    ///   - message: a message that this envelope opens.
    ///   - keyring: seals the data key; replaces all that have sealed it before.
    ///   - expected: the pairs that the message does not store, and others that it must have.
    /// - Throws: `unsupported` for a signed message, whose signature is over the header too, and for one of format 2.0 (the
    ///   suites with commitment): its header's nonce is always zero, and a second header under the same key and nonce would
    ///   give the key of all its tags away to whoever has both. Seal such a message anew. Otherwise as
    ///   ``decrypt(_:expecting:)``.
    public func rewrap(
        _ message: [UInt8], for keyring: any Keyring, expecting expected: EncryptionContext = .none
    ) async throws(EnvelopeError) -> [UInt8] {
        var source = ArraySource(message)
        var sink = ArraySink()
        try await rewrap(from: &source, into: &sink, for: keyring, expecting: expected)
        return sink.bytes
    }

    /// Seals a message's data key anew, by another keyring, copying the body from source to sink.
    public func rewrap<Source: ByteSource & ~Copyable, Sink: TransactionalSink & ~Copyable>(
        from source: inout Source, into sink: inout Sink, for keyring: any Keyring,
        expecting expected: EncryptionContext = .none
    ) async throws(EnvelopeError) {
        do {
            var rest: [UInt8] = []
            let read = try Envelope.readHeader(&source, limits, rest: &rest)
            let start = try await rewrapped(read, for: keyring, expected)
            try sink.write(start.span)
            try sink.write(rest.span)
            var piece = [UInt8](repeating: 0, count: MessageSealer.flushCount)
            while true {
                try Envelope.checkCancellation()
                let count = try Envelope.read(&source, into: &piece, from: 0)
                try sink.write(piece.span.extracting(..<count))
                if count < piece.count { break }
            }
            try sink.commit()
        } catch { throw EnvelopeError(wrapping: error) }
    }

    /// The start of the same message with its data key sealed by another keyring.
    private func rewrapped(
        _ read: ReadHeader, for keyring: any Keyring, _ expected: EncryptionContext
    ) async throws -> [UInt8] {
        try read.checkUnsigned("cannot be changed by anybody but its signer")
        guard read.header.suite.messageVersion == 1 else {
            throw EnvelopeError(.unsupported, "a message of format 2.0 has one header for ever: seal it anew")
        }
        let opened = try await materials(for: read, expecting: expected)
        guard let dataKey = opened.dataKey else { throw EnvelopeError(.noUsableKey) }
        let keys = try MessageKeys(dataKey, read.header)
        let heldOut = opened.context.keeping(opened.requiredContextNames)
        try keys.authenticate(read, with: heldOut)
        var sealed = EncryptionMaterials(resealing: opened)
        try await keyring.sealDataKey(in: &sealed)
        // Frames count theirs in the last four bytes, so a first byte that is not zero keeps clear of them.
        var nonce = InlineArray<12, UInt8>(repeating: 0)
        let random = try SystemRandom().bytes(count: nonce.count)
        for index in nonce.indices { nonce[index] = random[index] }
        nonce[0] |= 0x80
        return try keys.start(
            read.header.with(dataKeys: sealed.encryptedDataKeys), with: heldOut, nonce: nonce)
    }
}
