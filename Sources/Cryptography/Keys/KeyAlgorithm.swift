/// The kind of an asymmetric key, as its encodings name it.
///
/// Ask an encoding for its kind, and read it with the type that goes with it and with what the key is for:
/// an elliptic-curve key may sign (``ECDSA``) or agree on secrets (``ECDH``), and the encoding does not say.
public enum KeyAlgorithm: Sendable, Hashable {
    /// A key on a curve (RFC 5480).
    case ellipticCurve(EllipticCurve)
    /// RSA (RFC 8017).
    case rsa
    /// Ed25519 (RFC 8032).
    case ed25519
    /// X25519 (RFC 7748).
    case x25519
    /// SM2 (GB/T 32918).
    case sm2
    /// ML-DSA (FIPS 204, RFC 9881).
    case mlDSA(MLDSA.ParameterSet)

    /// The kind of the key in a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
    ///
    /// - Throws: `invalidEncoding`, or `unsupported` for a kind that is not in this list.
    public init(subjectPublicKeyInfo bytes: Span<UInt8>) throws(CryptographyError) {
        self = try SubjectPublicKeyInfo(bytes).algorithm
    }

    /// The kind of the key in a PKCS #8 structure (RFC 5958).
    ///
    /// - Throws: `invalidEncoding`, or `unsupported` for a kind that is not in this list.
    public init(pkcs8 bytes: Span<UInt8>) throws(CryptographyError) {
        self = try PrivateKeyInfo(bytes).algorithm
    }

    /// The ways in which a private key of this kind signs, best first; none for one that does not.
    public var signatureAlgorithms: [SignatureAlgorithm] {
        switch self {
        case .ellipticCurve(let curve): ECDSA.algorithms(curve)
        case .rsa: RSA.signatureAlgorithms
        case .ed25519: [.ed25519]
        case .x25519: []
        case .sm2: [.sm2DSA]
        case .mlDSA: [.mlDSA]
        }
    }

    /// Reads an AlgorithmIdentifier. Curves have names; parameters given in full are refused, since they may be anything.
    init(_ reader: inout DERReader) throws(CryptographyError) {
        var identifier = try reader.enter(.sequence)
        let algorithm = try identifier.takeIdentifier()
        switch algorithm {
        case KeyAlgorithm.ecPublicKey:
            let curve = try identifier.takeIdentifier()
            guard curve != SM2Curve.sm2p256v1 else {
                self = .sm2
                break
            }
            guard let known = EllipticCurve.allCases.first(where: { $0.identifier == curve }) else {
                throw CryptographyError(.unsupported, "a key on the curve \(curve)")
            }
            self = .ellipticCurve(known)
        case KeyAlgorithm.rsaEncryption:
            let null = try identifier.take(.null)
            guard null.isEmpty else { throw DERReader.malformed }
            self = .rsa
        case KeyAlgorithm.idEd25519: self = .ed25519
        case KeyAlgorithm.idX25519: self = .x25519
        default:
            guard let parameters = KeyAlgorithm.idMLDSA.first(where: { $0.identifier == algorithm })?.parameters else {
                throw CryptographyError(.unsupported, "a key of the kind \(algorithm)")
            }
            self = .mlDSA(parameters)
        }
        try identifier.end()
    }

    /// Appends the AlgorithmIdentifier.
    func append(to writer: inout DERWriter) {
        writer.append(.sequence) { writer in
            switch self {
            case .ellipticCurve(let curve):
                writer.append(KeyAlgorithm.ecPublicKey)
                writer.append(curve.identifier)
            case .rsa:
                writer.append(KeyAlgorithm.rsaEncryption)
                writer.appendNull()
            case .ed25519: writer.append(KeyAlgorithm.idEd25519)
            case .x25519: writer.append(KeyAlgorithm.idX25519)
            case .sm2:
                writer.append(KeyAlgorithm.ecPublicKey)
                writer.append(SM2Curve.sm2p256v1)
            case .mlDSA(let parameters):
                for known in KeyAlgorithm.idMLDSA where known.parameters == parameters {
                    writer.append(known.identifier)
                }
            }
        }
    }

    private static let ecPublicKey = DERObjectIdentifier(1, 2, 840, 10045, 2, 1)
    private static let rsaEncryption = DERObjectIdentifier(1, 2, 840, 113549, 1, 1, 1)
    private static let idX25519 = DERObjectIdentifier(1, 3, 101, 110)
    private static let idMLDSA: [(parameters: MLDSA.ParameterSet, identifier: DERObjectIdentifier)] = [
        (.mldsa44, DERObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 3, 17)),
        (.mldsa65, DERObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 3, 18)),
        (.mldsa87, DERObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 3, 19)),
    ]
    private static let idEd25519 = DERObjectIdentifier(1, 3, 101, 112)
}
