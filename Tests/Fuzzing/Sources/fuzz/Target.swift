import AWSCompatibility
import AccessPolicy
import AtRest
import Auditing
import Cryptography
import Foundation
import KeyManagement
import PKIX
import RecordStorage
import SQLiteRecordStorage

/// A parser, and what is done with what it makes of arbitrary bytes.
enum Target: String, CaseIterable {
    case blob
    case message
    case messageHeader = "message-header"
    case messageBody = "message-body"
    case policy
    case publicKey = "public-key"
    case privateKey = "private-key"
    case encryptedKey = "encrypted-key"
    case sec1
    case pkcs1
    case signature
    case storeFile = "store-file"
    case storeRecord = "store-record"
    case certificate
    case certificateRequest = "certificate-request"
    case distinguishedName = "distinguished-name"
    case clientHello = "client-hello"
    case tlsServer = "tls-server"
    case tlsClient = "tls-client"
    case keyImport = "key-import"
    case awsRequest = "aws-request"
    case awsSignature = "aws-signature"
    case attestation
    case recipientEnvelope = "recipient-envelope"
    case proxyRequest = "proxy-request"
    case proxyAnswer = "proxy-answer"
    case keyBackup = "key-backup"
    case auditRecord = "audit-record"

    /// Anything may be refused; nothing may crash, hang, or be accepted that was not made here.
    func check(_ bytes: [UInt8]) async throws {
        switch self {
        case .blob:
            let ciphertext = try Ciphertext(bytes)
            _ = try await Fixtures.client().decrypt(ciphertext).count
        case .message: _ = try await Fixtures.older.decrypt(bytes).plaintext.count
        case .messageHeader: _ = try Envelope.inspect(bytes)
        case .messageBody:
            let head = Fixtures.messageHeads[Int(bytes.first ?? 0) % Fixtures.messageHeads.count]
            _ = try await Fixtures.older.decrypt(head + bytes.dropFirst()).plaintext.count
        case .policy:
            let policy = try PolicyDocument(String(decoding: bytes, as: UTF8.self))
            let request = AccessRequest(
                principal: .root(account: "111122223333"), action: "kms:Encrypt", resource: "r",
                resourceAccount: "111122223333")
            _ = PolicyEngine { _ in [] }.decide(request, resourcePolicy: policy)
        case .publicKey:
            if let key = try? KeyAlgorithm.verificationKey(subjectPublicKeyInfo: bytes.span) {
                // What is read is written so that it reads the same.
                let encoded = key.subjectPublicKeyInfo
                must { () throws -> Bool in
                    let again = try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: encoded.span)
                    return again.subjectPublicKeyInfo == encoded
                }
            }
            _ = try X25519.PublicKey(subjectPublicKeyInfo: bytes)
        case .privateKey:
            switch try KeyAlgorithm(pkcs8: bytes.span) {
            case .ellipticCurve:
                let key = try ECDSA.PrivateKey(pkcs8: bytes.span)
                must { () throws -> Bool in
                    let encoded = try key.pkcs8()
                    let again = try ECDSA.PrivateKey(pkcs8: encoded).publicKey
                    return try again == key.publicKey
                }
            case .rsa: _ = try RSA.PrivateKey(pkcs8: bytes.span).pkcs8().count
            case .ed25519: _ = try Ed25519.PrivateKey(pkcs8: bytes.span).publicKey
            case .x25519: _ = try X25519.PrivateKey(pkcs8: bytes.span).publicKey
            case .sm2: _ = try SM2.PrivateKey(pkcs8: bytes.span).publicKey
            case .mlDSA: _ = try MLDSA.PrivateKey(pkcs8: bytes.span).publicKey
            }
        case .encryptedKey:
            _ = try ECDSA.PrivateKey(encryptedPKCS8: bytes.span, passphrase: SecretBytes(copying: [1]))
        case .sec1: _ = try ECDH.PrivateKey(sec1: bytes.span).sec1().count
        case .pkcs1:
            _ = try? RSA.PublicKey(pkcs1: bytes.span)
            _ = try RSA.PrivateKey(pkcs1: bytes.span)
        case .signature:
            for curve in EllipticCurve.allCases {
                guard let fixed = try? ECDSA.fixedLength(der: bytes.span, curve) else { continue }
                must { try ECDSA.der(fixedLength: fixed.span, curve) == bytes }
            }
            _ = try Fixtures.verificationKey.isValid(bytes, for: Fixtures.digest)
        case .storeFile:
            let path = NSTemporaryDirectory() + "fuzz-\(getpid()).db"
            defer { for end in ["", "-wal", "-shm"] { unlink(path + end) } }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let store = try SQLiteRecordStore(path: path)
            _ = try store.records(prefix: "")
        case .storeRecord: try await Fixtures.open(damagedBy: bytes)
        case .certificate:
            let certificate = try Certificate(derEncoded: bytes)
            must { certificate.derEncoded == bytes }
            CertificateInputs.look(at: certificate.extensions, certificate.subject)
            let validation = PathValidator(trusting: CertificateInputs.chain)
                .validate(certificate, with: [certificate], for: .server("www.example.com", at: CertificateInputs.now))
            // Nobody can sign for the one who is trusted.
            must {
                validation.path.map { CertificateInputs.chain.contains($0.leaf) || $0.leaf == CertificateInputs.leaf }
                    ?? true
            }
        case .certificateRequest:
            let request = try CertificateRequest(derEncoded: bytes)
            must { request.derEncoded == bytes }
            CertificateInputs.look(at: request.extensions, request.subject)
            _ = try request.isSelfSigned
        case .distinguishedName:
            let name = try DistinguishedName(text: String(decoding: bytes, as: UTF8.self))
            must { try DistinguishedName(text: name.description).derEncoded == name.derEncoded }
        case .clientHello: ConnectionInputs.feed(try ConnectionInputs.choosing.accept(), bytes)
        case .tlsServer: ConnectionInputs.feed(try ConnectionInputs.server.accept(), bytes)
        case .keyImport:
            guard let parameters = Fixtures.importParameters, let mode = bytes.first else { return }
            let rest = Array(bytes.dropFirst())
            var (wrapped, token) = (rest, parameters.token)
            // The token, what is wrapped, or the material within.
            if mode & 3 == 0 { (wrapped, token) = (Fixtures.wrapped, ImportToken(rest)) }
            if mode & 3 == 1 { wrapped = try parameters.wrap(SecretBytes(copying: rest)) }
            try await Fixtures.client().importKeyMaterial(
                wrapped, token, into: Fixtures.importKey, expiring: .never)
        case .awsRequest:
            let response = await AWSInputs.door.answer(AWSInputs.request(bytes))
            must { [200, 400, 403].contains(response.status) }
        case .awsSignature:
            let request = AWSInputs.signedRequest(bytes)
            guard let presented = try? PresentedSignature(request) else { return }
            // Nobody has this key.
            must { (try? presented.check(with: AWSInputs.nobodysKey, at: AWSInputs.time)) == nil }
        case .attestation:
            let rest = Array(bytes.dropFirst())
            let isSigned = bytes.first == 1
            let document = try AttestationDocument(
                isSigned ? AttestationInputs.sign(rest) : rest, trusting: AttestationInputs.roots,
                at: AttestationInputs.now)
            must { document.registers.count <= 32 && !document.moduleID.isEmpty }
        case .recipientEnvelope: _ = try await RecipientEnvelope(bytes).open(with: Fixtures.recipient).count
        case .proxyRequest:
            let response = await KeyStoreInputs.setup.proxy.answer(try KeyStoreInputs.request(bytes))
            must { response.status != 401 }
        case .proxyAnswer:
            let (_, wire, client, key) = KeyStoreInputs.setup
            wire.answer.withLock { $0 = bytes }
            _ = try await client.encrypt([1, 2, 3], under: key)
        case .keyBackup:
            let (client, token, original) = BackupInputs.setup
            let backup = try KeyBackup(bytes)
            must { backup.bytes == bytes }
            do { _ = try await client.restore(backup, token, as: Encryption.self) } catch {
                // After the first time, that is what a good one gets.
                guard error.code == .alreadyExists else { throw error }
            }
            must { bytes == original }
        case .auditRecord:
            let store = MemoryRecordStore()
            try store.commit([.put("audit/w/0000000000000001", bytes, expecting: .absent)])
            let lines = try AuditTrail.events(in: store)
            must { lines.count <= max(1 << 16, bytes.count) && lines.allSatisfy { !$0.isEmpty } }
        case .tlsClient: ConnectionInputs.feed(try ConnectionInputs.client.connect(to: "localhost"), bytes)
        }
    }
}

/// What must be so, whatever the input; an error is as bad as a falsehood.
func must(_ statement: () throws -> Bool) {
    guard (try? statement()) == true else { fatalError("a statement is untrue") }
}

enum Harness {
    nonisolated(unsafe) static var target = Target.blob

    static func run(_ bytes: [UInt8]) {
        let done = DispatchSemaphore(value: 0)
        let target = target
        Task {
            try? await target.check(bytes)
            done.signal()
        }
        done.wait()
    }
}
