import AtRest
import Cryptography
import Foundation
import KeyManagement
import PKIX
import RecordStorage
import SQLiteRecordStorage

/// The first inputs of each target: what a well-meant writer writes.
enum Seeds {
    static func make(_ target: Target) async throws -> [[UInt8]] {
        switch target {
        case .blob:
            let key = try await Fixtures.client().key("alias/a", for: Encryption.self)
            return [try await Fixtures.client().encrypt([1, 2, 3], under: key).bytes]
        case .message, .messageHeader:
            let signed = Envelope(
                keyring: Fixtures.keyring, suite: .committingSigned, framing: .frames(of: 32))
            let plaintext = [UInt8](0..<100)
            return [
                try await Fixtures.envelope.encrypt(plaintext, context: ["a": "b"]),
                try await signed.encrypt(plaintext),
                try await Fixtures.older.encrypt(plaintext, context: ["a": "b", "c": "d"]), Fixtures.messageHeads[0],
            ]
        case .messageBody:
            let plaintext = [UInt8](0..<80)
            return [
                [0] + (try await Fixtures.envelope.encrypt(plaintext)).dropFirst(Fixtures.messageHeads[0].count),
                [1] + (try await Fixtures.older.encrypt(plaintext)).dropFirst(Fixtures.messageHeads[1].count),
                [0, 255, 255, 255, 255, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 11) + [1, 0, 0, 0, 0],
            ]
        case .awsRequest: return AWSInputs.requests
        case .attestation:
            let payload = AttestationInputs.payload(Fixtures.recipient.publicKey.subjectPublicKeyInfo)
            return [[1] + payload, [0] + (try AttestationInputs.sign(payload))]
        case .recipientEnvelope:
            return [try RecipientEnvelope(SecretBytes(copying: [1, 2, 3]), for: Fixtures.recipient.publicKey).bytes]
        case .proxyRequest: return KeyStoreInputs.requests
        case .auditRecord:
            let store = MemoryRecordStore()
            let service = try await KeyManagementService(
                store: store, rootOfTrust: KeyFileRoot(key: .random(count: 32)),
                audit: .buffered(lossWindow: .seconds(3600)))
            let client = service.client(for: .root(account: "111122223333"))
            let key = try await client.createKey(.symmetric)
            for count in 1...20 { _ = try await client.generateDataKey(under: key, byteCount: 16 + count % 3 / 2) }
            try await service.flush()
            return try store.records(prefix: "audit/").map(\.value)
        case .keyBackup: return [BackupInputs.setup.backup]
        case .proxyAnswer: return KeyStoreInputs.answers
        case .awsSignature: return try AWSInputs.signatures()
        case .keyImport:
            return [
                [0] + (Fixtures.importParameters?.token.bytes ?? []), [1] + bytes(try Fixtures.signingKey.pkcs8()),
                [2] + Fixtures.wrapped,
            ]
        case .certificate:
            return (CertificateInputs.chain + [CertificateInputs.leaf].compactMap { $0 }).map(\.derEncoded)
        case .clientHello, .tlsServer: return try ConnectionInputs.hellos()
        case .tlsClient: return try ConnectionInputs.answers()
        case .certificateRequest:
            let names = try CertificateExtensions([CertificateExtension(SubjectAlternativeName([.dns("a.example")]))])
            return [
                try await CertificateRequest.make(
                    subject: "CN=a, O=b", extensions: names, signedBy: Fixtures.signingKey
                ).derEncoded
            ]
        case .distinguishedName:
            return [#"CN=Steve Kille+OU=x\, y\C4\8D,O=#a b ,DC=example"#, "1.2.3.4=x;C=DE"].map { Array($0.utf8) }
        case .policy:
            return [
                Array(
                    #"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"a","Effect":"Deny","Principal":{"AWS":["*"]},"NotAction":["kms:*"],"Resource":"*","Condition":{"StringLike":{"k":["a*",1,true]}}}]}"#
                        .utf8)
            ]
        case .publicKey:
            return [
                Fixtures.verificationKey.subjectPublicKeyInfo,
                try ECDSA.PrivateKey(.p521).publicKey.subjectPublicKeyInfo,
                try Ed25519.PrivateKey().publicKey.subjectPublicKeyInfo,
                try X25519.PrivateKey().publicKey.subjectPublicKeyInfo,
                try RSA.PrivateKey(bits: 2048).publicKey.subjectPublicKeyInfo,
            ]
        case .privateKey:
            return [
                bytes(try Fixtures.signingKey.pkcs8()), bytes(try ECDSA.PrivateKey(.p384).pkcs8()),
                bytes(try Ed25519.PrivateKey().pkcs8()), bytes(try X25519.PrivateKey().pkcs8()),
                bytes(try RSA.PrivateKey(bits: 2048).pkcs8()),
            ]
        case .encryptedKey:
            let phrase = SecretBytes(copying: [1])
            let scrypt = try Scrypt(cost: 2, blockSize: 1, parallelism: 1)
            return [
                try Fixtures.signingKey.encryptedPKCS8(passphrase: phrase, .pbkdf2(iterations: 1)),
                try Fixtures.signingKey.encryptedPKCS8(passphrase: phrase, .scrypt(scrypt)),
            ]
        case .sec1: return [bytes(try Fixtures.signingKey.sec1()), bytes(try ECDSA.PrivateKey(.secp256k1).sec1())]
        case .pkcs1:
            let key = try RSA.PrivateKey(bits: 2048)
            return [bytes(try key.pkcs1()), key.publicKey.pkcs1]
        case .signature: return [try Fixtures.signingKey.sign(Fixtures.digest)]
        case .storeFile:
            let path = NSTemporaryDirectory() + "seed-\(getpid()).db"
            defer { for end in ["", "-wal", "-shm"] { unlink(path + end) } }
            do {
                let store = try SQLiteRecordStore(path: path)
                try store.commit([.put("a", [1, 2, 3], expecting: .absent)])
            }
            return [Array(try Data(contentsOf: URL(fileURLWithPath: path)))]
        case .storeRecord:
            let records = try Fixtures.store.records(prefix: "").filter { !$0.name.description.hasPrefix("audit") }
            return records.enumerated().map { [UInt8($0)] + $1.value.dropLast() }
        }
    }

    private static func bytes(_ secret: borrowing SecretBytes) -> [UInt8] {
        secret.withBytes { bytes in (0..<bytes.count).map { bytes[$0] } }
    }
}
