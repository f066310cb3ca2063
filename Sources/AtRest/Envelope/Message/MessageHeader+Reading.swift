internal import Cryptography
internal import KeyManagement

/// A header as it was read, with what authenticates it. Nothing of it is authentic yet.
struct ReadHeader: Sendable {
    let header: MessageHeader
    /// What the tag is over: the header, and in version 2 the commitment.
    let bytes: [UInt8]
    /// The commitment to the data key; empty in version 1.
    let commitment: [UInt8]
    /// Zeros in version 2, which does not store it.
    let nonce: [UInt8]
    let tag: [UInt8]
    /// The length of all that was read.
    let byteCount: Int
}

extension ReadHeader {
    /// Reads a header from the front of a message.
    ///
    /// - Returns: nil where there are not enough bytes yet; `needed` then says how many it takes to get further.
    /// - Throws: `malformed`, `unsupported`, or `limitExceeded` as soon as the bytes that are there show it.
    init?(_ bytes: Span<UInt8>, limits: MessageLimits, needed: inout Int) throws(EnvelopeError) {
        var reader = HeaderReader(bytes, limit: limits.headerByteCount)
        do throws(HeaderReader.Stop) {
            let header = try reader.header(limits)
            let commitment = header.suite.isCommitting ? try reader.take(MessageHeader.commitmentCount) : []
            let bodyCount = reader.position
            let nonce =
                header.suite.messageVersion == 1
                ? try reader.take(MessageHeader.nonceCount) : [UInt8](repeating: 0, count: MessageHeader.nonceCount)
            tag = try reader.take(MessageHeader.tagCount)
            var body: [UInt8] = []
            body.append(copying: bytes.extracting(..<bodyCount))
            self.header = header
            self.bytes = body
            self.commitment = commitment
            self.nonce = nonce
            byteCount = reader.position
        } catch {
            switch error {
            case .refused(let error): throw error
            case .needs(let count):
                needed = count
                return nil
            }
        }
    }
}

/// Takes a header apart. Every count is checked against the limits before what it counts is read.
private struct HeaderReader: ~Escapable {
    enum Stop: Error {
        case refused(EnvelopeError)
        /// The message must have this many bytes at least.
        case needs(Int)
    }

    private let bytes: Span<UInt8>
    private let limit: Int
    private(set) var position = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, limit: Int) {
        self.bytes = bytes
        self.limit = limit
    }

    mutating func header(_ limits: MessageLimits) throws(Stop) -> MessageHeader {
        let version = try take(1)[0]
        guard version == 1 || version == 2 else { throw HeaderReader.malformed("not an AWS Encryption SDK message") }
        if version == 1, try take(1)[0] != MessageHeader.customerAuthenticated {
            throw HeaderReader.malformed("a message of an unknown type")
        }
        let id = UInt16(truncatingIfNeeded: try number(2))
        guard let suite = AlgorithmSuite(id: id), suite.messageVersion == version else {
            throw .refused(
                EnvelopeError(.unsupported, "algorithm suite \(String(id, radix: 16)) in version \(version)"))
        }
        let messageID = try take(suite.messageIDCount)
        let context = try take(try number(2))
        let keys = try dataKeys(limits)
        let contentType = try take(1)[0]
        if version == 1 {
            guard try number(4) == 0, try number(1) == MessageHeader.nonceCount else {
                throw HeaderReader.malformed("a header with another nonce's length")
            }
        }
        let frameByteCount = try number(4)
        // Content type 2 is framed, 1 a single block whose frame length must be 0.
        guard contentType == 2 && frameByteCount > 0 || contentType == 1 && frameByteCount == 0 else {
            throw HeaderReader.malformed("content type \(contentType) with frames of \(frameByteCount) bytes")
        }
        guard frameByteCount <= limits.frameByteCount else {
            throw .refused(
                EnvelopeError(
                    .limitExceeded, "frames of \(frameByteCount) bytes, at most \(limits.frameByteCount)"))
        }
        // Last, so that a header that comes byte by byte has it taken apart a few times and not hundreds.
        return MessageHeader(
            suite: suite, messageID: messageID, context: try self.context(context), dataKeys: keys,
            frameByteCount: UInt32(truncatingIfNeeded: frameByteCount))
    }

    private mutating func dataKeys(_ limits: MessageLimits) throws(Stop) -> [EncryptedDataKey] {
        let count = try number(2)
        guard count > 0 else { throw HeaderReader.malformed("a message without data keys") }
        guard count <= limits.encryptedDataKeys else {
            throw .refused(
                EnvelopeError(.limitExceeded, "\(count) data keys, at most \(limits.encryptedDataKeys)"))
        }
        var keys: [EncryptedDataKey] = []
        for _ in 0..<count {
            let provider = try take(try number(2))
            let information = try take(try number(2))
            let ciphertext = try take(try number(2))
            guard let text = String(validating: provider, as: UTF8.self) else {
                throw HeaderReader.malformed("a provider's name is not UTF-8")
            }
            keys.append(EncryptedDataKey(provider: text, information: information, ciphertext: ciphertext))
        }
        return keys
    }

    /// No name twice, nothing left over. Writers should sort the names, but AWS's own messages are not always sorted.
    private func context(_ bytes: [UInt8]) throws(Stop) -> EncryptionContext {
        guard !bytes.isEmpty else { return .none }
        let malformed = HeaderReader.malformed("a malformed encryption context")
        var inner = HeaderReader(bytes.span, limit: bytes.count)
        do throws(Stop) {
            let count = try inner.number(2)
            var pairs: [String: String] = [:]
            for _ in 0..<count {
                let (name, value) = (try inner.take(try inner.number(2)), try inner.take(try inner.number(2)))
                guard let name = String(validating: name, as: UTF8.self),
                    let value = String(validating: value, as: UTF8.self),
                    pairs.updateValue(value, forKey: name) == nil
                else { throw malformed }
            }
            guard count > 0, inner.position == bytes.count else { throw malformed }
            return EncryptionContext(pairs)
        } catch { throw malformed }
    }

    mutating func take(_ count: Int) throws(Stop) -> [UInt8] {
        let end = position + count
        guard end <= limit else {
            throw .refused(EnvelopeError(.limitExceeded, "a header of more than \(limit) bytes"))
        }
        guard end <= bytes.count else { throw .needs(end) }
        var taken: [UInt8] = []
        taken.append(copying: bytes.extracting(position..<end))
        position = end
        return taken
    }

    private mutating func number(_ count: Int) throws(Stop) -> Int { try take(count).reduce(0) { $0 << 8 | Int($1) } }

    private static func malformed(_ reason: String) -> Stop { .refused(EnvelopeError(.malformed, reason)) }
}
