/// A message sealed under a managed key. It knows which material sealed it, so that opening needs no key's name.
///
/// Layout, version 1 (Documentation/Formats/CiphertextBlob.md): `C5 01 | suite | material id 32 | salt 16 | nonce 12 |
/// commitment 32 | ciphertext | tag 16`; a key of an external key store adds a layer around it.
public struct Ciphertext: Sendable, Hashable {
    /// The blob.
    public let bytes: [UInt8]

    /// Reads a blob.
    ///
    /// - Throws: `invalidCiphertext` for anything that is not one of version 1.
    public init(_ bytes: [UInt8]) throws(KeyManagementError) {
        // The longest is one of an external key store, with metadata and a vector around another.
        let largest = Ciphertext.largestPlaintext + Ciphertext.overhead
        guard bytes.count >= Ciphertext.overhead, bytes[0] == 0xC5, bytes[1] == 1,
            bytes[2] == Ciphertext.suite && bytes.count <= largest
                || bytes[2] == Ciphertext.externalSuite && bytes.count <= largest + Ciphertext.externalOverhead
        else { throw KeyManagementError(.invalidCiphertext) }
        self.bytes = bytes
    }

    /// Whether a key of an external key store is around it.
    var isExternal: Bool { bytes[2] == Ciphertext.externalSuite }

    init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// AES-256-GCM under a key that SP 800-108 derives with HMAC-SHA-256, with a commitment.
    static let suite: UInt8 = 1
    /// The same, encrypted once more by a key of an external key store.
    static let externalSuite: UInt8 = 2
    /// What that adds at most.
    static let externalOverhead = 3 + 32 + 1 + 20 + 1 + 16 + 16
    /// What sealing adds to a message: 111 bytes.
    public static let overhead = 3 + 32 + 16 + 12 + 32 + 16
    /// The longest message, in bytes. More goes into an envelope.
    public static let largestPlaintext = 4096

    static let materialRange = 3..<35
    static let saltRange = 35..<51
    static let nonceRange = 51..<63
    static let commitmentRange = 63..<95
    static let headerCount = 95
}

/// The identifier of a piece of key material: 32 bytes.
struct MaterialID: Sharded {
    /// In one piece, without an array for each.
    let bytes: [32 of UInt8]

    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var all: [32 of UInt8] = .init(repeating: 0)
        for (index, byte) in bytes.enumerated() { all[index] = byte }
        self.bytes = all
    }

    /// Reads 64 hexadecimal digits.
    init?(text: String) {
        var all: [32 of UInt8] = .init(repeating: 0)
        var place = 0
        for digit in text.utf8 {
            let value: UInt8
            switch digit {
            case 0x30...0x39: value = digit - 0x30
            case 0x61...0x66: value = digit - 0x57
            default: return nil
            }
            guard place < 64 else { return nil }
            all[place / 2] |= place % 2 == 0 ? value << 4 : value
            place += 1
        }
        guard place == 64 else { return nil }
        bytes = all
    }

    /// A new one.
    init(random: some RandomSource) throws(CryptographyError) {
        var all: [32 of UInt8] = .init(repeating: 0)
        var span = all.mutableSpan
        try random.fill(&span)
        bytes = all
    }

    /// 64 hexadecimal digits.
    var text: String { Hexadecimal.encode(bytes.span) }

    static func == (left: MaterialID, right: MaterialID) -> Bool {
        left.bytes.indices.allSatisfy { left.bytes[$0] == right.bytes[$0] }
    }

    /// Identifiers are random: eight bytes tell them apart.
    func hash(into hasher: inout Hasher) {
        hasher.combine((0..<8).reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) })
    }
}
