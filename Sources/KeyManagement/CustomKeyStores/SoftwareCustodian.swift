public import Cryptography
public import RecordStorage
internal import Synchronization

/// A custodian whose keys are records, sealed under one key: for tests of what takes a custodian, and where an HSM is to
/// come later.
///
/// Each use reads the key's record, so that a key destroyed by another process is unusable here at once; the opened key is
/// kept while its record stays. Layout: Documentation/Formats/KeyStore.md.
public final class SoftwareCustodian: KeyCustodian {
    private let store: any RecordStore
    private let cipher: AESGCM
    private let opened = Mutex<[RecordName: CustodialKey]>([:])

    /// Keeps keys in a store, under the records that begin with `custody/`.
    ///
    /// - Parameter key: 32 bytes that open them.
    public init(store: any RecordStore, key: borrowing SecretBytes) throws(CryptographyError) {
        guard key.count == 32 else { throw CryptographyError(.invalidKey, "a custodian's key has 32 bytes") }
        self.store = store
        cipher = try AESGCM(key: key)
    }

    /// Makes a key.
    public func makeKey(_ kind: CustodialKeyKind) throws -> KeyHandle { try keep(kind, try kind.generate()) }

    /// What a key is.
    public func kind(of handle: KeyHandle) throws -> CustodialKeyKind { try key(handle).kind }

    /// Wraps a key by AES-KWP.
    public func wrap(_ handle: KeyHandle, under wrapping: KeyHandle) throws -> [UInt8] {
        let wrapper = try wrapper(wrapping)
        let record = try record(handle)
        let content = try open(record)
        return try wrapper.wrap(content.encoded)
    }

    /// Takes a wrapped key into custody.
    public func unwrap(
        _ wrapped: Span<UInt8>, as kind: CustodialKeyKind, under wrapping: KeyHandle
    ) throws -> KeyHandle {
        let encoded = try wrapper(wrapping).unwrap(wrapped)
        try SoftwareCustodian.check(encoded, is: kind)
        return try keep(kind, encoded)
    }

    /// Destroys a key.
    public func destroy(_ handle: KeyHandle) throws {
        let record = try record(handle)
        try store.commit([.delete(record.name, expecting: .version(record.version))])
        opened.withLock { $0[record.name] = nil }
    }

    /// The key of a handle, opened anew where its record is not the one that was opened.
    func key(_ handle: KeyHandle) throws -> CustodialKey {
        let record = try record(handle)
        if let known = opened.withLock({ $0[record.name] }), known.version == record.version { return known }
        let content = try open(record)
        let key = CustodialKey(
            version: record.version, kind: content.kind, use: try CustodialKey.Use(content.kind, content.encoded.bytes))
        opened.withLock { $0[record.name] = key }
        return key
    }

    private func wrapper(_ handle: KeyHandle) throws -> AESKeyWrap {
        guard case .wrapper(let wrapper) = try key(handle).use else {
            throw CryptographyError(.unsupported, "not a wrapping key")
        }
        return wrapper
    }

    private static func check(
        _ encoded: borrowing SecretBytes, is kind: CustodialKeyKind
    ) throws(CryptographyError) {
        do throws(CryptographyError) {
            _ = try CustodialKey.Use(kind, encoded.bytes)
        } catch { throw CryptographyError(.invalidKey, "not a key of the kind \(kind)") }
    }

    private func keep(_ kind: CustodialKeyKind, _ encoded: consuming SecretBytes) throws -> KeyHandle {
        let handle = KeyHandle(try SystemRandom().bytes(count: 16))
        let name = try SoftwareCustodian.name(handle)
        let prefix = Array("\(kind)\n".utf8)
        let content = SecretBytes(capacity: prefix.count + encoded.count) { output in
            output.append(copying: prefix.span)
            encoded.withBytes { bytes in output.append(copying: bytes) }
        }
        let sealed = try cipher.seal(content, authenticating: Array("strongroom \(name)".utf8))
        try store.commit([.put(name, sealed, expecting: .absent)])
        return handle
    }

    private func record(_ handle: KeyHandle) throws -> Record {
        guard handle.bytes.count == 16, let record = try store.record(try SoftwareCustodian.name(handle)) else {
            throw CryptographyError(.unknownKey, "no key \(handle) here")
        }
        return record
    }

    /// The kind and the key in a record.
    private func open(_ record: Record) throws -> Content {
        let content = try cipher.open(record.value, authenticating: Array("strongroom \(record.name)".utf8))
        let (count, text) = content.withBytes { bytes in
            let end = bytes.indices.first { bytes[$0] == UInt8(ascii: "\n") } ?? 0
            return (bytes.count, String(decoding: (0..<end).map { bytes[$0] }, as: UTF8.self))
        }
        guard let kind = CustodialKeyKind(text) else {
            throw CryptographyError(.invalidKey, "a key of an unknown kind")
        }
        return Content(kind: kind, encoded: content.slice((text.utf8.count + 1)..<count))
    }

    private struct Content: ~Copyable {
        let kind: CustodialKeyKind
        let encoded: SecretBytes
    }

    private static func name(_ handle: KeyHandle) throws(RecordStoreError) -> RecordName {
        try RecordName("custody/\(handle)")
    }
}
