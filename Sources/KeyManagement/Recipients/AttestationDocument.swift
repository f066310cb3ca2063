public import FoundationEssentials
public import PKIX

/// What a machine's security module states of the software that runs there, signed by a key that a chain of certificates vouches
/// for: the document of an AWS Nitro enclave, or of a NitroTPM.
///
/// Source: AWS Nitro Enclaves User Guide, "Verifying the root of trust"; Amazon EC2 User Guide, "Validate a NitroTPM Attestation
/// Document"; the signature is COSE_Sign1 (RFC 9052, 4.2) by ECDSA on P-384 with SHA-384.
public struct AttestationDocument: Sendable, Hashable {
    /// What kind of module signed it.
    public enum Origin: Sendable, Hashable {
        /// A Nitro enclave's security module.
        case nitroEnclave
        /// An instance's NitroTPM.
        case nitroTPM
    }

    /// What kind of module signed it.
    public let origin: Origin
    /// The module's identifier.
    public let moduleID: String
    /// When it was made.
    public let creationDate: Date
    /// The platform configuration registers by their numbers: hashes of what runs.
    public let registers: [Int: [UInt8]]
    /// The key to which secrets may be encrypted, a SubjectPublicKeyInfo.
    public let publicKey: [UInt8]?
    /// What the software has added.
    public let userData: [UInt8]?
    /// What a verifier has asked to be added.
    public let nonce: [UInt8]?

    /// The most bytes of a document (AWS KMS, "RecipientInfo").
    public static let largest = 262_144

    /// Reads and checks a document.
    ///
    /// - Parameters:
    ///   - bytes: a COSE_Sign1 in CBOR, with its tag or without.
    ///   - roots: who may vouch for the signer.
    ///   - time: when the chain must be valid.
    /// - Throws: `validation` for a document that is malformed, signed by somebody else, or vouched for by nobody of the roots.
    public init(
        _ bytes: [UInt8], trusting roots: [Certificate], at time: Date
    ) throws(KeyManagementError) {
        guard bytes.count <= AttestationDocument.largest, var value = CBOR(bytes) else {
            throw AttestationDocument.refusal("cannot be read")
        }
        if case .tagged(18, let untagged) = value { value = untagged }
        // Attributes outside the signature are none, so that nobody adds any.
        guard case .array(let parts) = value, parts.count == 4, let protected = parts[0].content, parts[1] == .map([:]),
            let payload = parts[2].content, let signature = parts[3].content,
            case .map(let fields)? = CBOR(payload)
        else { throw AttestationDocument.refusal("is no COSE_Sign1 of a document") }
        // The header of the signature: its algorithm (1) is ES384 (-35), and nothing else that one would have to understand.
        guard CBOR(protected) == .map([.unsigned(1): .negative(34)]) else {
            throw AttestationDocument.refusal("is signed by another algorithm than ES384")
        }
        let signer = try AttestationDocument.signer(fields, roots, time)
        let signed =
            CBOR.header(4, 4) + CBOR.encode(text: "Signature1") + CBOR.encode(bytes: protected)
            + CBOR.encode(bytes: []) + CBOR.encode(bytes: payload)
        guard AttestationDocument.isValid(signature, for: signed, by: signer) else {
            throw AttestationDocument.refusal("was not signed by the key of its certificate")
        }
        try self.init(fields)
    }

    /// Reads what the signature covers.
    private init(_ fields: [CBOR: CBOR]) throws(KeyManagementError) {
        let (enclave, module) = (fields[.text("pcrs")], fields[.text("nitrotpm_pcrs")])
        guard case .text(let moduleID)? = fields[.text("module_id")], !moduleID.isEmpty,
            fields[.text("digest")] == .text("SHA384"),
            case .unsigned(let milliseconds)? = fields[.text("timestamp")], milliseconds > 0,
            (enclave == nil) != (module == nil), case .map(let registers)? = enclave ?? module,
            (1...32).contains(registers.count)
        else { throw AttestationDocument.refusal("lacks a field") }
        self.moduleID = moduleID
        origin = enclave == nil ? .nitroTPM : .nitroEnclave
        creationDate = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
        var values: [Int: [UInt8]] = [:]
        for (index, value) in registers {
            guard case .unsigned(let index) = index, index < 32, let value = value.content,
                [32, 48, 64].contains(value.count)
            else { throw AttestationDocument.refusal("has a register that is none") }
            values[Int(index)] = value
        }
        self.registers = values
        publicKey = try AttestationDocument.optional(fields, "public_key", upTo: 1024)
        userData = try AttestationDocument.optional(fields, "user_data", upTo: 1024)
        nonce = try AttestationDocument.optional(fields, "nonce", upTo: 1024)
    }

    private static func optional(
        _ fields: [CBOR: CBOR], _ name: String, upTo count: Int
    ) throws(KeyManagementError) -> [UInt8]? {
        switch fields[.text(name)] {
        case nil, .null?: return nil
        case .bytes(let bytes)? where bytes.count <= count: return bytes
        default: throw refusal("has a \(name) that is none")
        }
    }

    /// The certificate of the key that signed it, once the roots vouch for it.
    private static func signer(
        _ fields: [CBOR: CBOR], _ roots: [Certificate], _ time: Date
    ) throws(KeyManagementError) -> Certificate {
        guard let encoded = fields[.text("certificate")]?.content, case .array(let bundle)? = fields[.text("cabundle")]
        else { throw refusal("lacks its certificates") }
        let (leaf, chain): (Certificate, [Certificate])
        do {
            leaf = try Certificate(derEncoded: encoded)
            chain = try bundle.compactMap(\.content).map { try Certificate(derEncoded: $0) }
        } catch { throw refusal("has a certificate that cannot be read") }
        switch PathValidator(trusting: roots).validate(leaf, with: chain, for: PathRequirement(at: time)) {
        case .valid: break
        case .invalid(let diagnosis): throw refusal("is vouched for by nobody who is trusted: \(diagnosis)")
        }
        // A certificate that says what its key does must say that it signs.
        if let usage = try? leaf.extensions.value(KeyUsage.self), !usage.contains(.digitalSignature) {
            throw refusal("is signed by a key that is not for signatures")
        }
        return leaf
    }

    private static func isValid(_ signature: [UInt8], for message: [UInt8], by signer: Certificate) -> Bool {
        do throws(CryptographyError) {
            let key = try ECDSA.PublicKey(subjectPublicKeyInfo: signer.subjectPublicKeyInfo)
            guard key.curve == .p384 else { return false }
            let encoded = try ECDSA.der(fixedLength: signature.span, .p384)
            return try key.isValid(encoded.span, for: message.span, using: .ecdsaSHA384)
        } catch { return false }
    }

    static func refusal(_ reason: String) -> KeyManagementError {
        KeyManagementError(.validation, "The attestation document \(reason).")
    }
}
