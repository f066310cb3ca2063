internal import KeyManagement

extension MessageHeader {
    /// Reads a header piece by piece, and keeps the bytes it has read: they are what the tag is over.
    ///
    /// Every length is checked against the limits before anything of that length is read.
    init(
        reading read: (_ count: Int) throws(EnvelopeError) -> [UInt8], limits: MessageLimits, bytes: inout [UInt8]
    ) throws(EnvelopeError) {
        func take(_ count: Int, _ bytes: inout [UInt8]) throws(EnvelopeError) -> [UInt8] {
            guard bytes.count + count <= limits.headerByteCount else {
                throw EnvelopeError(.limitExceeded, "a header of more than \(limits.headerByteCount) bytes")
            }
            let piece = try read(count)
            bytes += piece
            return piece
        }
        func number(_ bytes: inout [UInt8]) throws(EnvelopeError) -> Int {
            try take(2, &bytes).reduce(0) { $0 << 8 | Int($1) }
        }
        let start = try take(3, &bytes)
        guard start[0] == 2 else {
            throw EnvelopeError(.unsupported, start[0] == 1 ? "message version 1" : "not an AWS Encryption SDK message")
        }
        let id = UInt16(start[1]) << 8 | UInt16(start[2])
        guard let suite = AlgorithmSuite(id: id) else {
            throw EnvelopeError(.unsupported, "algorithm suite \(String(id, radix: 16))")
        }
        self.suite = suite
        messageID = try take(MessageHeader.messageIDCount, &bytes)
        let contextCount = try number(&bytes)
        context = try MessageHeader.parseContext(try take(contextCount, &bytes))
        let keyCount = try number(&bytes)
        guard keyCount > 0 else { throw EnvelopeError(.unsupported, "a message without data keys") }
        guard keyCount <= limits.encryptedDataKeys else {
            throw EnvelopeError(.limitExceeded, "\(keyCount) data keys, at most \(limits.encryptedDataKeys)")
        }
        var keys: [EncryptedDataKey] = []
        for _ in 0..<keyCount {
            let provider = try take(try number(&bytes), &bytes)
            let information = try take(try number(&bytes), &bytes)
            let ciphertext = try take(try number(&bytes), &bytes)
            guard let text = String(validating: provider, as: UTF8.self) else {
                throw EnvelopeError(.unsupported, "a provider's name is not UTF-8")
            }
            keys.append(EncryptedDataKey(provider: text, information: information, ciphertext: ciphertext))
        }
        dataKeys = keys
        let end = try take(5, &bytes)
        frameByteCount = end.dropFirst().reduce(0) { $0 << 8 | UInt32($1) }
        // Content type 2 is framed, 1 a single block whose frame length must be 0.
        guard end[0] == 2 && frameByteCount > 0 || end[0] == 1 && frameByteCount == 0 else {
            throw EnvelopeError(.unsupported, "content type \(end[0]) with frames of \(frameByteCount) bytes")
        }
        guard Int(frameByteCount) <= limits.frameByteCount else {
            throw EnvelopeError(.limitExceeded, "frames of \(frameByteCount) bytes, at most \(limits.frameByteCount)")
        }
    }

    /// No name twice, nothing left over. Writers should sort the names, but AWS's own messages are not always sorted.
    private static func parseContext(_ bytes: [UInt8]) throws(EnvelopeError) -> EncryptionContext {
        guard !bytes.isEmpty else { return .none }
        let malformed = EnvelopeError(.unsupported, "a malformed encryption context")
        var rest = bytes[...]
        func take(_ count: Int, _ rest: inout ArraySlice<UInt8>) throws(EnvelopeError) -> ArraySlice<UInt8> {
            guard rest.count >= count else { throw malformed }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        func text(_ rest: inout ArraySlice<UInt8>) throws(EnvelopeError) -> String {
            let count = try take(2, &rest).reduce(0) { $0 << 8 | Int($1) }
            guard let text = String(validating: try take(count, &rest), as: UTF8.self) else { throw malformed }
            return text
        }
        let count = try take(2, &rest).reduce(0) { $0 << 8 | Int($1) }
        var pairs: [String: String] = [:]
        for _ in 0..<count {
            let name = try text(&rest)
            guard pairs.updateValue(try text(&rest), forKey: name) == nil else { throw malformed }
        }
        guard count > 0, rest.isEmpty else { throw malformed }
        return EncryptionContext(pairs)
    }
}
