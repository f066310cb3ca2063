// A key service that boto3, the AWS command line, Terraform and the SDKs use by its address.
//     swift run -c release --traits default,NIO local-kms [--port N] [--store PATH] [--regions A,B] [--accounts FILE]
//         [--audit-window MILLISECONDS] [--attestation-roots FILE] [--xks-roots FILE] [--development [--seeds FILE]]
// SIGTERM ends.
#if NIO && SQLite
import Console
import Foundation
import LocalKMS
import SQLiteRecordStorage

@main struct LocalKMSCommand {
    static func main() async {
        do {
            try await run(
                Arguments(
                    Array(CommandLine.arguments.dropFirst()),
                    options: [
                        "--port", "--store", "--regions", "--accounts", "--audit-window", "--attestation-roots",
                        "--xks-roots", "--passphrase-file", "--seeds",
                    ],
                    flags: ["--development"], words: 0))
        } catch {
            Presentation.fail("local-kms", error)
        }
    }

    static func run(_ arguments: Arguments) async throws {
        guard let port = Int(arguments.values["--port"] ?? "8200"), (0...65535).contains(port) else {
            throw UsageError("a port is a number from 0 to 65535")
        }
        let signals = Signals.stream(SIGTERM, SIGINT)
        let server = try await LocalKMSServer.start(open(arguments), port: port)
        let region = arguments.values["--regions"]?.split(separator: ",").first ?? "us-east-1"
        Presentation.say("listening at http://127.0.0.1:\(server.port)")
        Presentation.say(
            "try        aws --endpoint-url http://127.0.0.1:\(server.port) --region \(region) kms list-keys")
        for await _ in signals { break }
        try await server.stop()
    }

    static func open(_ arguments: Arguments) async throws -> LocalKMS {
        let regions = (arguments.values["--regions"] ?? "us-east-1").split(separator: ",").map(String.init)
        let accounts = try arguments.values["--accounts"].map {
            try AccountsFile(Array(Data(contentsOf: URL(fileURLWithPath: $0))))
        }
        if arguments.flags.contains("--development") {
            let store: any RecordStore =
                try arguments.values["--store"].map { try SQLiteRecordStore(path: $0) } ?? MemoryRecordStore()
            let seeds = try arguments.values["--seeds"].map {
                try KeySeeds(Array(Data(contentsOf: URL(fileURLWithPath: $0))))
            }
            Presentation.say("development mode: no signature is checked, and its keys are no secret")
            return try await LocalKMS.develop(
                store: store, regions: regions, accessKeys: accounts?.accessKeys ?? StaticAccessKeys(), seeds: seeds)
        }
        guard let accounts else {
            throw UsageError("--accounts names a file of access keys; without it, --development")
        }
        let path = arguments.values["--store"] ?? "local-kms.db"
        let passphrase = try Passphrase.find(
            file: arguments.values["--passphrase-file"], isNew: !FileManager.default.fileExists(atPath: path))
        let window = arguments.values["--audit-window"].flatMap { Int($0) }
        let audit: AuditDurability = window.map { .buffered(lossWindow: .milliseconds($0)) } ?? .recorded
        let transport = try LocalKMSServer.transport(certificates(arguments, "--xks-roots"))
        let attestationRoots = try certificates(arguments, "--attestation-roots")
        return try await LocalKMS.open(
            store: SQLiteRecordStore(path: path), passphrase: passphrase, regions: regions, accounts: accounts,
            externalKeyStores: transport, attestationRoots: attestationRoots, audit: audit)
    }

    static func certificates(_ arguments: Arguments, _ option: String) throws -> [Certificate] {
        guard let path = arguments.values[option] else { return [] }
        return try Certificate.all(pemEncoded: String(contentsOfFile: path, encoding: .utf8))
    }
}
#else
@main struct LocalKMSCommand {
    static func main() { print("local-kms needs the traits NIO and SQLite: --traits default,NIO") }
}
#endif
