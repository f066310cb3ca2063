internal import Cryptography
internal import FoundationEssentials

/// The private half of a key that others wrap for, sealed by the store's domain key until somebody brings it back: the service stores it nowhere.
///
/// Layout: `01 | domain key's version, 4 bytes | seconds until which it is valid, 8 bytes | note | sealed PKCS #8`; what stands before the
/// sealed key is authenticated behind a purpose.
enum WrappingKeyToken {
    static let lifetime = 86400.0
    private static let headByteCount = 13
    private static let largest = 8192

    /// Until when a token made at a time is valid: whole seconds.
    static func expiry(from time: Date) -> Date {
        Date(timeIntervalSince1970: (time.timeIntervalSince1970 + lifetime).rounded(.down))
    }

    static func seal(
        _ pkcs8: borrowing SecretBytes, note: [UInt8] = [], for purpose: String, until validTo: Date,
        domain version: UInt32, _ domain: AESGCM
    ) throws(CryptographyError) -> [UInt8] {
        var head: [UInt8] = [1]
        head.appendBigEndian(version)
        head.appendBigEndian(UInt64(max(0, validTo.timeIntervalSince1970)))
        head += note
        return head + (try domain.seal(pkcs8, authenticating: Array(purpose.utf8) + head))
    }

    /// The key of a token, read from its PKCS #8 and note.
    ///
    /// - Throws: `invalidImportToken`, `expiredImportToken`.
    static func open<Key>(
        _ bytes: [UInt8], noteByteCount: Int = 0, for purpose: String, at time: Date, domains: [UInt32: AESGCM],
        _ read: (borrowing SecretBytes, ArraySlice<UInt8>) throws -> Key
    ) throws(KeyManagementError) -> Key {
        let count = headByteCount + noteByteCount
        guard bytes.count > count, bytes.count <= largest, bytes[0] == 1,
            let domain = domains[bytes[1..<5].reduce(0) { $0 << 8 | UInt32($1) }]
        else { throw KeyManagementError(.invalidImportToken) }
        let key: Key
        do {
            let opened = try domain.open(
                Array(bytes[count...]), authenticating: Array(purpose.utf8) + bytes[..<count])
            key = try read(opened, bytes[headByteCount..<count])
        } catch { throw KeyManagementError(.invalidImportToken) }
        let validTo = bytes[5..<headByteCount].reduce(0) { $0 << 8 | UInt64($1) }
        guard time.timeIntervalSince1970 < Double(validTo) else { throw KeyManagementError(.expiredImportToken) }
        return key
    }
}
