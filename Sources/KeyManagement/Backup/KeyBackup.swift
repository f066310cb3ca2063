internal import Cryptography
internal import RecordIntegrity

/// A key with all its material, wrapped for one instance. Layout: Documentation/Formats/KeyBackup.md.
///
/// It says nothing of where it comes from: whoever has the public key can make one. Compare ``digest`` with what the sender's trail has.
public struct KeyBackup: Sendable, Hashable {
    /// The backup.
    public let bytes: [UInt8]
    /// The SHA-256 of the bytes in hexadecimal, which both trails have.
    public let digest: String

    private let content: Content

    /// The parts, by their places in the bytes.
    private struct Content: Sendable, Hashable {
        var wrapped = 0..<0
        var head = 0..<0
        var materials: [Range<Int>] = []
    }

    /// The most bytes that are read: more than a key with a thousand materials has.
    public static let largest = 1 << 20
    private static let magic = Array("SRKB".utf8) + [1]

    /// Reads a backup. Nothing is opened yet.
    ///
    /// - Throws: `invalidCiphertext` for anything that is not one of version 1.
    public init(_ bytes: [UInt8]) throws(KeyManagementError) {
        guard bytes.count <= KeyBackup.largest, bytes.starts(with: KeyBackup.magic) else {
            throw KeyManagementError(.invalidCiphertext)
        }
        var place = KeyBackup.magic.count
        var content = Content()
        content.wrapped = try KeyBackup.take(bytes, &place)
        content.head = try KeyBackup.take(bytes, &place)
        while place < bytes.count { content.materials.append(try KeyBackup.take(bytes, &place)) }
        self.bytes = bytes
        self.content = content
        digest = try KeyBackup.digest(bytes)
    }

    /// A part: its length in four bytes, and itself.
    private static func take(_ bytes: [UInt8], _ place: inout Int) throws(KeyManagementError) -> Range<Int> {
        guard bytes.count - place >= 4 else { throw KeyManagementError(.invalidCiphertext) }
        let count = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
        place += 4
        guard bytes.count - place >= count else { throw KeyManagementError(.invalidCiphertext) }
        defer { place += count }
        return place..<place + count
    }

    /// Wraps a key.
    ///
    /// - Parameter material: the material of a place, for those that are there.
    init(
        _ head: BackupHead, for publicKey: RSA.PublicKey, material: (Int) throws -> SecretBytes
    ) throws {
        let key = try SecretBytes.random(count: 32)
        let cipher = try AESGCM(key: key)
        var bytes = KeyBackup.magic
        for part in [try publicKey.encrypt(key, using: .rsaOAEPSHA256), try StoredJSON.encode(head)] {
            bytes.appendBigEndian(UInt32(part.count))
            bytes += part
        }
        let label = try HashFunction.sha256.hash(bytes).array
        for index in head.materials.indices where !head.materials[index].isDestroyed {
            let sealed = try cipher.seal(material(index), authenticating: KeyBackup.label(label, index))
            bytes.appendBigEndian(UInt32(sealed.count))
            bytes += sealed
        }
        try self.init(bytes)
    }

    /// What the key is.
    ///
    /// - Throws: `invalidCiphertext` for whatever does not open.
    func head(with key: RSA.PrivateKey) throws(KeyManagementError) -> BackupHead {
        var found: BackupHead?
        do { try open(with: key) { head, _ in found = head } } catch { throw KeyManagementError(wrapping: error) }
        guard let found else { throw KeyManagementError(.invalidCiphertext) }
        return found
    }

    /// Unwraps the key: what it is, and the material of each place that has one.
    ///
    /// - Throws: `invalidCiphertext` for whatever does not open.
    func open(
        with key: RSA.PrivateKey, _ body: (BackupHead, (Int) throws(KeyManagementError) -> SecretBytes) throws -> Void
    ) throws {
        let (head, cipher, label): (BackupHead, AESGCM, [UInt8])
        do {
            cipher = try AESGCM(key: key.decrypt(bytes.span.extracting(content.wrapped), using: .rsaOAEPSHA256))
            head = try BackupHead(Array(bytes[content.head]))
            label = try HashFunction.sha256.hash(bytes.span.extracting(..<content.head.upperBound)).array
        } catch { throw KeyManagementError(.invalidCiphertext) }
        let present = head.materials.indices.filter { !head.materials[$0].isDestroyed }
        guard present.count == content.materials.count else { throw KeyManagementError(.invalidCiphertext) }
        let places = Dictionary(uniqueKeysWithValues: zip(present, content.materials))
        func open(_ index: Int) throws(KeyManagementError) -> SecretBytes {
            guard let place = places[index] else { throw KeyManagementError(.invalidCiphertext) }
            do {
                return try cipher.open(Array(bytes[place]), authenticating: KeyBackup.label(label, index))
            } catch { throw KeyManagementError(.invalidCiphertext) }
        }
        // The head is authentic once one of them has opened.
        guard let last = present.last else { throw KeyManagementError(.invalidCiphertext) }
        _ = try open(last)
        try body(head, open)
    }

    private static func label(_ digest: [UInt8], _ index: Int) -> [UInt8] {
        var label = digest
        label.appendBigEndian(UInt32(index))
        return label
    }

    /// The SHA-256 of bytes, as trails have it.
    static func digest(_ bytes: [UInt8]) throws(KeyManagementError) -> String {
        do throws(CryptographyError) { return Hexadecimal.encode(try HashFunction.sha256.hash(bytes).array) } catch {
            throw KeyManagementError(wrapping: error)
        }
    }
}
