// An HSM's key signs an authority, the authority issues a certificate, and a TLS server uses it.
//     swift run -c release --traits default,NIO private-https [--port N] [--store PATH] [--write-ca ca.pem]
// SIGHUP replaces the certificate, SIGTERM ends.
#if NIO && SQLite
import Console
import Foundation
import PrivateSite
import SQLiteRecordStorage

@main struct PrivateHTTPSCommand {
    static func main() async {
        do {
            try await run(
                Arguments(
                    Array(CommandLine.arguments.dropFirst()),
                    options: ["--port", "--store", "--write-ca", "--passphrase-file"], flags: [], words: 0))
        } catch {
            Presentation.fail("private-https", error)
        }
    }

    static func run(_ arguments: Arguments) async throws {
        let store = arguments.values["--store"] ?? "private-https.db"
        guard let port = Int(arguments.values["--port"] ?? "8443"), (0...65535).contains(port) else {
            throw UsageError("a port is a number from 0 to 65535")
        }
        // Before anything else, so that none comes too early.
        let signals = Signals.stream(SIGHUP, SIGTERM, SIGINT)
        let passphrase = try Passphrase.find(
            file: arguments.values["--passphrase-file"], isNew: !FileManager.default.fileExists(atPath: store))
        let site = try await PrivateSite.open(store: SQLiteRecordStore(path: store), passphrase: passphrase)
        let authority = arguments.values["--write-ca"] ?? "ca.pem"
        try (site.authority.certificate.pemEncoded + "\n").write(toFile: authority, atomically: true, encoding: .utf8)
        let server = try await SiteServer.start(site, port: port)
        show(site, server, authority)
        for await signal in signals {
            guard signal == SIGHUP else { break }
            Presentation.say("new certificate  \(try await site.renew().serialNumber)")
        }
        try await server.stop()
        Presentation.say("ended, after \(site.statistics.counts.signatures) signatures in the HSM")
    }

    private static func show(_ site: PrivateSite, _ server: SiteServer, _ authority: String) {
        Presentation.say(
            Presentation.table([
                ["authority", site.authority.certificate.description],
                ["certificate", site.certificate.serialNumber.description],
                ["keys", "partition \(PrivateSite.partition) of the emulated HSM"],
                ["try", "curl --cacert \(authority) https://localhost:\(server.port)/"],
            ]))
    }
}
#else
@main struct PrivateHTTPSCommand {
    static func main() { print("private-https needs the traits NIO and SQLite: --traits default,NIO") }
}
#endif
