internal import Cryptography
internal import KeyManagement

extension XKSProxy {
    /// A nonce of 12 bytes, and a tag of 16: what a custodian's sealing adds, whatever its order.
    private static let vectorCount = 12
    private static let tagCount = 16

    static func encrypt(
        _ request: XKS.EncryptRequest, with sealer: any Sealer
    ) async throws(Refusal) -> XKS.EncryptResponse {
        let (plaintext, given) = (request.plaintext.bytes, request.additionalAuthenticatedData?.bytes ?? [])
        let algorithm = request.ciphertextDataIntegrityValueAlgorithm
        guard request.encryptionAlgorithm == XKS.algorithm, algorithm == nil || algorithm == XKS.integrityAlgorithm
        else {
            throw Refusal(.validation)
        }
        guard plaintext.count <= XKS.largestPlaintext, given.count <= XKS.largestAdditionalData else {
            throw Refusal(.unsupportedOperation)
        }
        let data = associatedData(given, [])
        let sealed: [UInt8]
        do {
            sealed = try await sealer.seal(plaintext.span, authenticating: data.span)
        } catch { throw Refusal(wrapping: error) }
        guard sealed.count == plaintext.count + vectorCount + tagCount else { throw Refusal(.invalidKeyUsage) }
        let vector = Array(sealed.prefix(vectorCount))
        let (ciphertext, tag) = (
            Array(sealed.dropFirst(vectorCount).dropLast(tagCount)), Array(sealed.suffix(tagCount))
        )
        var integrity: [UInt8]?
        if algorithm != nil {
            // In this order: what is damaged after the hash shows, and what is damaged before it does not open (Appendix C).
            integrity = try? XKS.integrityValue(given, [], vector, ciphertext, tag)
            let again = vector + ciphertext + tag
            do {
                let opened = try await sealer.open(again.span, authenticating: data.span)
                guard integrity != nil, opened.bytes.isEqualInConstantTime(to: plaintext.span) else {
                    throw Refusal(.internal)
                }
            } catch { throw Refusal(.internal) }
        }
        return XKS.EncryptResponse(
            ciphertext: Base64Text(ciphertext), initializationVector: Base64Text(vector),
            authenticationTag: Base64Text(tag), ciphertextDataIntegrityValue: integrity.map { Base64Text($0) })
    }

    static func decrypt(
        _ request: XKS.DecryptRequest, with sealer: any Sealer
    ) async throws(Refusal) -> XKS.DecryptResponse {
        guard request.encryptionAlgorithm == XKS.algorithm else { throw Refusal(.validation) }
        let (vector, tag) = (request.initializationVector.bytes, request.authenticationTag.bytes)
        let (given, metadata) = (
            request.additionalAuthenticatedData?.bytes ?? [], request.ciphertextMetadata?.bytes ?? []
        )
        guard vector.count == vectorCount, tag.count == tagCount, metadata.count <= XKS.largestMetadata,
            given.count <= XKS.largestAdditionalData
        else { throw Refusal(.invalidCiphertext) }
        guard request.ciphertext.bytes.count <= XKS.largestPlaintext else { throw Refusal(.unsupportedOperation) }
        let sealed = vector + request.ciphertext.bytes + tag
        let data = associatedData(given, metadata)
        do {
            let opened = try await sealer.open(sealed.span, authenticating: data.span)
            return XKS.DecryptResponse(
                plaintext: Base64Text(opened.withBytes { bytes in bytes.indices.map { bytes[$0] } }))
        } catch let error as CryptographyError where error.code == .unknownKey {
            throw Refusal(.keyNotFound)
        } catch { throw Refusal(.invalidCiphertext) }
    }

    /// Additional data and metadata, each behind its length, so that neither can stand for the other.
    private static func associatedData(_ given: [UInt8], _ metadata: [UInt8]) -> [UInt8] {
        [UInt8(given.count >> 8), UInt8(given.count & 0xFF)] + given + [UInt8(metadata.count)] + metadata
    }
}
