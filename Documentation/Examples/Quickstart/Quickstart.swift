// A file is sealed under a managed key and opened again; every use of the key is in an audit trail.
//     swift run -c release quickstart [--store PATH] [--passphrase-file F] [--force] [FILE | --open FILE.sealed]
#if SQLite
import AtRest
import Console
import Foundation
import SQLiteRecordStorage

@main struct Quickstart {
    static func main() async {
        do {
            let arguments = try Arguments(
                Array(CommandLine.arguments.dropFirst()), options: ["--store", "--passphrase-file", "--open"],
                flags: ["--force"])
            let isDemonstration = arguments.file == nil && arguments.values["--open"] == nil
            try await isDemonstration ? demonstrate() : work(arguments)
        } catch {
            Presentation.fail("quickstart", error)
        }
    }

    /// Without a file: a bundled text, and a store that is thrown away.
    static func demonstrate() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "quickstart-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("letter.txt").path
        try Data("Dear reader, this text was sealed under a key that never left the key service.\n".utf8)
            .write(to: URL(fileURLWithPath: file))
        print("No file given: sealing a bundled text with a throw-away key store in a temporary folder.\n")
        let passphrase = try SecretBytes.random(count: 32)
        try await run(store: folder.appendingPathComponent("strongroom.db").path, passphrase) { envelope in
            try await seal(file, with: envelope, replacing: true)
        }
    }

    static func work(_ arguments: Arguments) async throws {
        let store = arguments.values["--store"] ?? "strongroom.db"
        let sealed = arguments.values["--open"]
        let isNew = !FileManager.default.fileExists(atPath: store)
        if sealed != nil && isNew { throw UsageError("there is no key store at \(store)") }
        guard let file = sealed ?? arguments.file, FileManager.default.isReadableFile(atPath: file) else {
            throw UsageError("cannot read \(sealed ?? arguments.file ?? "")")
        }
        let passphrase = try Passphrase.find(file: arguments.values["--passphrase-file"], isNew: isNew)
        try await run(store: store, passphrase) { envelope in
            let force = arguments.flags.contains("--force")
            guard let sealed else { return try await seal(file, with: envelope, replacing: force) }
            guard sealed.hasSuffix(".sealed") else { throw UsageError("\(sealed) does not end in .sealed") }
            let target = String(sealed.dropLast(".sealed".count))
            let opened = try await envelope.decryptFile(sealed, to: target, replacing: force)
            print("opened      \(target), \(Presentation.size(opened.byteCount))")
        }
    }

    /// Opens or creates the store, finds or makes the key, works with it, and shows the trail.
    static func run(
        store: String, _ passphrase: consuming SecretBytes, _ body: (Envelope) async throws -> Void
    ) async throws {
        let root = PassphraseRoot(passphrase)
        let kms = try await KeyManagementService(store: SQLiteRecordStore(path: store), rootOfTrust: root)
        let client = kms.client(for: .user(NSUserName(), account: "000000000000"))
        let key = try await client.findOrCreateKey("alias/quickstart")
        print("key         \(key)")
        try await body(Envelope(keyring: KMSKeyring(client, key), suite: .committing, framing: .frames(of: 1 << 16)))
        print("\n\(Presentation.auditTable(try await kms.auditEvents()))")
        let verification = try await kms.verifyAuditTrail(unlockedBy: root)
        print("\naudit trail \(verification)")
        if !verification.isSound { throw UsageError("the audit trail is not authentic") }
    }

    static func seal(_ file: String, with envelope: Envelope, replacing: Bool) async throws {
        let context: EncryptionContext = ["file": URL(fileURLWithPath: file).lastPathComponent]
        let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
        let progress = Progress("sealing", total: size * 2)
        let start = ContinuousClock.now
        let sealed = try await envelope.encryptFile(
            file, to: "\(file).sealed", replacing: replacing, context: context, progress: progress.update)
        let middle = ContinuousClock.now
        _ = try await envelope.compareFile("\(file).sealed", with: file) { progress.update(size + $0) }
        let end = ContinuousClock.now
        progress.finish()
        print("context     \(sealed.context.pairs.map { "\($0)=\($1)" }.joined(separator: ", "))")
        print(
            "sealed      \(file).sealed, \(Presentation.size(size)), \(Presentation.throughput(size, in: middle - start))"
        )
        print("opened      the same \(Presentation.size(size)), \(Presentation.throughput(size, in: end - middle))")
    }
}
#else
@main struct Quickstart {
    static func main() { print("quickstart needs the trait SQLite, which is on by default") }
}
#endif
