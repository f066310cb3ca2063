internal import AWSSignature
internal import Cryptography
internal import FoundationEssentials

/// The key service's side of the XKS proxy protocol, version 1: what it asks one proxy, signed with Signature V4.
final class XKSClient: Sendable {
    private let address: XKSProxyAddress
    private let signer: RequestSigner
    private let transport: any XKSTransport
    private let clock: any WallClock

    init(
        _ address: XKSProxyAddress, _ credential: consuming AccessKey, region: String, _ transport: any XKSTransport,
        _ clock: any WallClock
    ) {
        self.address = address
        self.transport = transport
        self.clock = clock
        signer = RequestSigner(credential, region: region, service: XKS.service)
    }

    /// Asks whether the proxy and its key managers work.
    func checkHealth(_ metadata: XKS.RequestMetadata) async throws(XKSFailure) {
        let health: XKS.Health = try await post("/health", XKS.PlainRequest(requestMetadata: metadata))
        guard health.xksProxyFleetSize > 0, (1...10).contains(health.ekmFleetDetails.count) else { throw .malformed }
        guard health.ekmFleetDetails.contains(where: { $0.healthStatus != "UNAVAILABLE" }) else {
            throw .refused(.internal)
        }
    }

    /// Refuses a key that does not encrypt and decrypt as the service needs it.
    func checkKey(_ key: String, _ metadata: XKS.RequestMetadata) async throws(XKSFailure) {
        let found: XKS.KeyMetadata = try await post(
            "/keys/\(key)/metadata", XKS.PlainRequest(requestMetadata: metadata))
        guard found.keyUsage.count <= 10 else { throw .malformed }
        guard found.keySpec == "AES_256", found.keyUsage.contains("ENCRYPT"), found.keyUsage.contains("DECRYPT") else {
            throw .refused(.invalidKeyUsage)
        }
        guard found.keyStatus == "ENABLED" else { throw .refused(.invalidState) }
    }

    /// Encrypts, and checks that what came is what the proxy says it has sent.
    func encrypt(
        _ plaintext: [UInt8], under key: String, authenticating data: [UInt8], _ metadata: XKS.RequestMetadata
    ) async throws(XKSFailure) -> ExternalCiphertext {
        let request = XKS.EncryptRequest(
            requestMetadata: metadata, plaintext: Base64Text(plaintext), encryptionAlgorithm: XKS.algorithm,
            additionalAuthenticatedData: Base64Text(data),
            ciphertextDataIntegrityValueAlgorithm: XKS.integrityAlgorithm)
        let answer: XKS.EncryptResponse = try await post("/keys/\(key)/encrypt", request)
        let own = answer.ciphertextMetadata?.bytes ?? []
        let (vector, tag) = (answer.initializationVector.bytes, answer.authenticationTag.bytes)
        let integrity = try? XKS.integrityValue(data, own, vector, answer.ciphertext.bytes, tag)
        guard own.count <= XKS.largestMetadata, vector.count == 12 || vector.count == 16, tag.count == 16,
            answer.ciphertext.bytes.count == plaintext.count, integrity != nil,
            answer.ciphertextDataIntegrityValue?.bytes == integrity
        else { throw .malformed }
        return ExternalCiphertext(metadata: own, vector: vector, tag: tag, ciphertext: answer.ciphertext.bytes)
    }

    /// Decrypts what ``encrypt(_:under:authenticating:_:)`` returned.
    func decrypt(
        _ sealed: ExternalCiphertext, under key: String, authenticating data: [UInt8], _ metadata: XKS.RequestMetadata
    ) async throws(XKSFailure) -> [UInt8] {
        let request = XKS.DecryptRequest(
            requestMetadata: metadata, ciphertext: Base64Text(sealed.ciphertext),
            ciphertextMetadata: sealed.metadata.isEmpty ? nil : Base64Text(sealed.metadata),
            encryptionAlgorithm: XKS.algorithm, additionalAuthenticatedData: Base64Text(data),
            initializationVector: Base64Text(sealed.vector), authenticationTag: Base64Text(sealed.tag))
        let answer: XKS.DecryptResponse = try await post("/keys/\(key)/decrypt", request)
        guard answer.plaintext.bytes.count == sealed.ciphertext.count else { throw .malformed }
        return answer.plaintext.bytes
    }

    private func post<Answer: Decodable>(_ path: String, _ content: some Encodable) async throws(XKSFailure) -> Answer {
        guard let body = try? JSONEncoder().encode(content) else { throw .malformed }
        let request = HTTPRequest(
            method: "POST", target: address.path + path,
            headers: [("Host", address.host), ("Content-Type", "application/json")], body: [UInt8](body))
        guard let signed = try? signer.sign(request, at: clock.now) else { throw .malformed }
        let response: HTTPResponse
        do throws(XKSTransportError) {
            response = try await transport.send(signed, to: address.endpoint)
        } catch { throw .silent(error) }
        let data = Data(response.body)
        guard response.status == 200 else {
            let failure = try? JSONDecoder().decode(XKS.Failure.self, from: data)
            guard let name = failure.flatMap({ XKS.ErrorName(rawValue: $0.errorName) }) else { throw .malformed }
            throw .refused(name)
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: data) else { throw .malformed }
        return answer
    }
}
