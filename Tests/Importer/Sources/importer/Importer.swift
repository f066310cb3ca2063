import AtRest
import SQLiteRecordStorage

@main struct Importer {
    static func main() async throws {
        let passphrase = SecretBytes(copying: Array("a passphrase".utf8))
        let path = CommandLine.arguments.dropFirst().first ?? "keys.db"
        let kms = try await KeyManagementService(
            store: SQLiteRecordStore(path: path), rootOfTrust: PassphraseRoot(passphrase))
        let admin = kms.client(for: .user("alice", account: "111122223333"))
        let orders = try await admin.createKey(.symmetric, alias: "alias/orders")
        let card = Array("4111 1111 1111 1111".utf8)
        let sealed = try await admin.encrypt(card, under: orders, context: ["tenant": "42"])
        let opened = try await admin.decrypt(sealed, context: ["tenant": "42"])
        let message = try await Envelope(keyring: KMSKeyring(admin, orders)).encrypt(card, context: ["dept": "tax"])
        print("opened \(opened.count) bytes; an envelope of \(message.count) bytes; key \(orders)")
    }
}
