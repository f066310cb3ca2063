internal import OpenSSLShim

/// A curve that keys are on, as their encodings know it.
protocol KeyCurve: Sendable, Hashable, CaseIterable {
    /// OpenSSL's name.
    var name: String { get }
    /// The length of a coordinate, and of a private number, in bytes.
    var coordinateByteCount: Int { get }
    /// The curve's name in key encodings (RFC 5480, 2.1.1.1).
    var identifier: DERObjectIdentifier { get }
    /// The kind of the keys on it.
    var algorithm: KeyAlgorithm { get }

    /// The curve of keys of a kind; nil for other kinds.
    init?(_ algorithm: KeyAlgorithm)

    /// A new key.
    func generate() throws(NativeError) -> NativeKey
}

extension EllipticCurve: KeyCurve {
    var name: String { rawValue }
    var algorithm: KeyAlgorithm { .ellipticCurve(self) }

    init?(_ algorithm: KeyAlgorithm) {
        guard case .ellipticCurve(let curve) = algorithm else { return nil }
        self = curve
    }

    func generate() throws(NativeError) -> NativeKey { try NativeKey.generate(curve: name) }
}

/// The curve of ``SM2`` (GB/T 32918.5), whose keys do nothing else.
enum SM2Curve: KeyCurve {
    case recommended

    var name: String { NativeKey.sm2 }
    var coordinateByteCount: Int { 32 }
    var identifier: DERObjectIdentifier { SM2Curve.sm2p256v1 }
    var algorithm: KeyAlgorithm { .sm2 }

    init?(_ algorithm: KeyAlgorithm) {
        guard algorithm == .sm2 else { return nil }
        self = .recommended
    }

    func generate() throws(NativeError) -> NativeKey { try NativeKey.generate(raw: name) }

    static let sm2p256v1 = DERObjectIdentifier(1, 2, 156, 10197, 1, 301)
}
