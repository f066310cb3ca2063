import CTwins
import Foundation
import HSMEmulation
import InTransit
import SQLiteRecordStorage

/// TLS in memory: both sides in one thread, bytes carried by hand. The client verifies the server in every handshake.
enum Connections {
    static func comparisons() async throws -> [Comparison] {
        let (rootKey, leafKey) = (try ECDSA.PrivateKey(.p256), try ECDSA.PrivateKey(.p256))
        let authority = try await CertificateAuthority.createRoot(
            subject: "CN=Root", key: rootKey, store: MemoryRecordStore(),
            stateKey: HMAC(.sha256, key: .random(count: 32)))
        func identity(_ key: any SynchronousSigner) async throws -> TLSIdentity {
            let leaf = try await authority.issue(for: key, .server, names: [.dns("localhost")], for: .days(30))
            return try TLSIdentity([leaf], key: key)
        }
        let session = try hsmSession()
        let software = try await identity(leafKey)
        let hardware = try await identity(try session.generateKey(.ecdsa(.p256), label: "tls"))
        let (own, inHSM) = (try Pair(software, authority), try Pair(hardware, authority))
        let (leaf, root) = (software.certificates[0].derEncoded, authority.certificate.derEncoded)
        let key = try leafKey.pkcs8().withBytes { bytes in (0..<bytes.count).map { bytes[$0] } }
        let twin = twin_tls_new(leaf, leaf.count, root, root.count, key, key.count)
        let (opened, openedTwin) = (
            try Pair(software, authority), twin_tls_new(leaf, leaf.count, root, root.count, key, key.count)
        )
        try opened.open()
        precondition(twin_tls_open(openedTwin) == 1)
        let peer = try SwiftNIOSSL(leaf: leaf, root: root, key: key)
        let openedPeer = try SwiftNIOSSL(leaf: leaf, root: root, key: key)
        try openedPeer.open()

        let handshakes = 10
        func ours(_ pair: Pair) -> () async throws -> Void { { for _ in 0..<handshakes { try pair.open() } } }
        var all = [
            Comparison(
                suite: "tls", name: "full handshake", peer: "C", operations: handshakes, ours: ours(own),
                theirs: { for _ in 0..<handshakes { precondition(twin_tls_open(twin) == 1) } }),
            Comparison(
                suite: "tls", name: "full handshake", peer: "swift-nio-ssl", operations: handshakes, ours: ours(own),
                theirs: { for _ in 0..<handshakes { try peer.open() } }),
            Comparison(
                suite: "tls", name: "full handshake, HSM key", peer: "the same with a software key",
                operations: handshakes, ours: ours(inHSM), theirs: ours(own)),
            Comparison(
                suite: "tls", name: "resumed handshake", peer: "a full one", operations: handshakes,
                ours: { for _ in 0..<handshakes { try own.open(resuming: true) } }, theirs: ours(own)),
        ]
        for (name, count) in [("1 KiB", 1024), ("16 KiB", 16384)] {
            let (message, output) = ([UInt8](repeating: 7, count: count), Bytes(count))
            let repeats = 50
            all += [
                Comparison(
                    suite: "tls", name: "records of \(name)", peer: "C", operations: repeats,
                    ours: { for _ in 0..<repeats { try opened.send(message) } },
                    theirs: {
                        for _ in 0..<repeats {
                            precondition(twin_tls_send(openedTwin, message, count, &output.bytes) == 1)
                        }
                    }),
                Comparison(
                    suite: "tls", name: "records of \(name)", peer: "swift-nio-ssl", operations: repeats,
                    ours: { for _ in 0..<repeats { try opened.send(message) } },
                    theirs: { for _ in 0..<repeats { try openedPeer.send(message) } }),
            ]
        }
        return all
    }

    private static func hsmSession() throws -> HSMSession {
        let path = NSTemporaryDirectory() + "benchmark-tls-\(getpid()).db"
        for end in ["", "-wal", "-shm"] { unlink(path + end) }
        func password() -> SecretBytes { SecretBytes(copying: Array("correct horse".utf8)) }
        let device = HSMDevice(
            store: try SQLiteRecordStore(path: path), passwordCost: try Scrypt(cost: 16, blockSize: 8, parallelism: 1))
        let partition = try device.createPartition("tls", administrator: "admin", password: password())
        try partition.administer("admin", password: password()).createUser("server", password: password())
        return try partition.logIn("server", password: password())
    }

    /// A client and a server of ours.
    final class Pair {
        private let server: TLSServer
        private let client: TLSClient
        private let resuming: TLSClient
        private var sides: (server: TLSConnection, client: TLSConnection)
        private var wire = [UInt8](repeating: 0, count: 1 << 15)
        private var output = [UInt8](repeating: 0, count: 1 << 14)

        init(_ identity: TLSIdentity, _ authority: CertificateAuthority) throws {
            server = TLSServer(try TLSServerContext(TLSServerConfiguration(identity: identity)))
            let trust = PeerTrust([authority.certificate])
            client = try TLSClient(TLSClientConfiguration(trust: trust, isResuming: false))
            resuming = try TLSClient(TLSClientConfiguration(trust: trust))
            sides = (try server.accept(), try client.connect(to: "localhost"))
        }

        func open(resuming isResuming: Bool = false) throws {
            sides = (try server.accept(), try (isResuming ? resuming : client).connect(to: "localhost"))
            var established = 0
            for _ in 0..<3 {
                established += try events(sides.client)
                try carry(sides.client, sides.server)
                established += try events(sides.server)
                try carry(sides.server, sides.client)
            }
            precondition(established == 2)
        }

        func send(_ bytes: [UInt8]) throws {
            try sides.server.send(bytes.span)
            try carry(sides.server, sides.client)
            var count = 0
            var buffer: [UInt8] = []
            swap(&buffer, &output)
            defer { swap(&buffer, &output) }
            var span = buffer.mutableSpan
            while count < bytes.count {
                guard case .data(let read)? = try sides.client.nextEvent(into: &span) else { preconditionFailure() }
                count += read
            }
        }

        private func carry(_ from: TLSConnection, _ to: TLSConnection) throws {
            var buffer: [UInt8] = []
            swap(&buffer, &wire)
            defer { swap(&buffer, &wire) }
            while true {
                var span = buffer.mutableSpan
                let count = from.takeOutput(into: &span)
                guard count > 0 else { return }
                try to.receive(buffer.span.extracting(..<count))
            }
        }

        private func events(_ side: TLSConnection) throws -> Int {
            var buffer: [UInt8] = []
            swap(&buffer, &output)
            defer { swap(&buffer, &output) }
            var span = buffer.mutableSpan
            var established = 0
            while let event = try side.nextEvent(into: &span) {
                if case .established = event { established += 1 }
            }
            return established
        }
    }
}
