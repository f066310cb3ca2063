// A folder of files is sealed under a managed key, and opened again.
//     swift run -c release sealed-folder seal FOLDER TARGET [--store PATH] [--passphrase-file F] [--force]
//     swift run -c release sealed-folder open FOLDER TARGET [--store PATH] [--passphrase-file F] [--force]
#if SQLite
import AtRest
import Console
import Foundation
import SQLiteRecordStorage

@main struct SealedFolderCommand {
    static func main() async {
        do {
            try await run(
                Arguments(
                    Array(CommandLine.arguments.dropFirst()), options: ["--store", "--passphrase-file"],
                    flags: ["--force"], words: 3))
        } catch {
            Presentation.fail("sealed-folder", error)
        }
    }

    static func run(_ arguments: Arguments) async throws {
        guard arguments.words.count == 3, ["seal", "open"].contains(arguments.words[0]) else {
            throw UsageError("sealed-folder seal|open FOLDER TARGET")
        }
        let (isSealing, source, target) = (arguments.words[0] == "seal", arguments.words[1], arguments.words[2])
        let total = try SealedFolder.size(of: source)
        let store = arguments.values["--store"] ?? "strongroom.db"
        let isNew = !FileManager.default.fileExists(atPath: store)
        if isNew && !isSealing { throw UsageError("there is no key store at \(store)") }
        let root = PassphraseRoot(try Passphrase.find(file: arguments.values["--passphrase-file"], isNew: isNew))
        let kms = try await KeyManagementService(store: SQLiteRecordStore(path: store), rootOfTrust: root)
        let client = kms.client(for: .user(NSUserName(), account: "000000000000"))
        let key = try await client.findOrCreateKey("alias/sealed-folder")

        // Long files are worked on by every core; the signed suite is the default, and says who sealed them.
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let folder = SealedFolder(
            Envelope(keyring: KMSKeyring(client, key), framing: .frames(of: 1 << 16), cores: cores))
        let progress = Progress(isSealing ? "sealing" : "opening", total: total)
        let start = ContinuousClock.now
        let replacing = arguments.flags.contains("--force")
        let summary =
            try await isSealing
            ? folder.seal(source, into: target, replacing: replacing, progress: progress.update)
            : folder.open(source, into: target, replacing: replacing, progress: progress.update)
        progress.finish()
        let throughput = Presentation.throughput(summary.bytes, in: .now - start)
        print("key     \(key)")
        print(
            "\(isSealing ? "sealed " : "opened ") \(summary.files) files, \(Presentation.size(summary.bytes)), \(throughput)"
        )
    }
}
#else
@main struct SealedFolderCommand {
    static func main() { print("sealed-folder needs the trait SQLite, which is on by default") }
}
#endif
