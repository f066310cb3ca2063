#if NIO
import AtRest
import Foundation
import HSMEmulation
import KeyManagementNIO
import LocalKMS
import NIOPosix
import StrongroomTestSupport
import Synchronization
import Testing

/// boto3, the AWS command line and other SDKs, with signatures checked.
@Suite(.peer("python3")) struct AWSClientTests {
    static let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    /// A server with a root's key, and one of a user who may nothing.
    private func serve(
        store: any RecordStore = MemoryRecordStore(), attestationRoots: [Certificate] = [],
        clusters: [String: KeyStoreCluster] = [:],
        externalKeyStores: (any XKSTransport)? = nil, endpointServices: [String: XKSEndpointService] = [:],
        clock: any WallClock = SystemClock(), _ body: (String, [String: String]) async throws -> Void
    ) async throws {
        let accounts = """
            {"accessKeys": [{"id": "AKIAROOT", "secret": "\(Self.secret)", "account": "111122223333"},
               {"id": "AKIAREADER", "secret": "\(Self.secret)x", "account": "111122223333", "user": "reader"},
               {"id": "AKIAMAKER", "secret": "\(Self.secret)x", "account": "111122223333", "user": "maker"}],
             "users": [{"name": "reader", "account": "111122223333"}, {"name": "maker", "account": "111122223333",
               "policy": "{\\"Statement\\":{\\"Effect\\":\\"Allow\\",\\"Action\\":\\"kms:CreateKey\\",\\"Resource\\":\\"*\\"}}"}],
             "roles": [{"name": "worker", "account": "111122223333", "trust":
               "{\\"Statement\\":{\\"Effect\\":\\"Allow\\",\\"Principal\\":{\\"AWS\\":\\"111122223333\\"},\\"Action\\":\\"sts:*\\"}}",
               "policy": "{\\"Statement\\":{\\"Effect\\":\\"Allow\\",\\"Action\\":\\"kms:GenerateRandom\\",\\"Resource\\":\\"*\\"}}"}]}
            """
        let root = SecretBytes(copying: Array("passphrase".utf8))
        let kms = try await LocalKMS.open(
            store: store, passphrase: root, regions: ["us-east-1", "eu-west-1"],
            accounts: AccountsFile(Array(accounts.utf8)), clusters: clusters, externalKeyStores: externalKeyStores,
            endpointServices: endpointServices, attestationRoots: attestationRoots,
            cost: Scrypt(cost: 2, blockSize: 1, parallelism: 1), clock: clock)
        let server = try await LocalKMSServer.start(kms, port: 0)
        let environment = [
            "AWS_ACCESS_KEY_ID": "AKIAROOT", "AWS_SECRET_ACCESS_KEY": Self.secret, "READER_ID": "AKIAREADER",
            "MAKER_ID": "AKIAMAKER",
            "READER_SECRET": "\(Self.secret)x", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        ]
        do {
            try await body("http://127.0.0.1:\(server.port)", environment)
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }

    private func run(
        _ script: String, _ arguments: [String], _ environment: [String: String], by interpreter: String...
    ) async throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Peers")
        let command = interpreter.isEmpty ? ["python3"] : interpreter
        let result = try await Subprocess.runBeside(
            command[0], command.dropFirst() + [folder.appendingPathComponent(script).path] + arguments,
            environment: environment)
        #expect(result.status == 0, "\(result.text)\n\(result.errorText)")
        return result.text
    }

    @Test func `boto3 does everything that is served, and gets the documented errors`() async throws {
        try await serve { address, environment in
            print(try await run("kms_operations.py", [address], environment))
        }
    }

    @Test(.enabled(if: MLDSA.isAvailable || Requirement.openSSL35.isMandatory, "the linked OpenSSL is older than 3.5"))
    func `boto3 gets signatures of ML-DSA and Ed25519ph that others verify`() async throws {
        try await serve { address, environment in
            print(try await run("kms_newer_signatures.py", [address], environment))
        }
    }

    @Test func `SM2 is what PyPI's gmssl has`() async throws {
        try await serve { address, environment in
            print(try await run("kms_sm2.py", [address], environment))
        }
    }

    @Test func `botocore's model is kept, whatever a request has`() async throws {
        try await serve { address, environment in
            print(try await run("kms_model.py", [address], environment))
        }
    }

    @Test(.peer("openssl")) func `software that has proved itself gets what its carrier cannot read`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("recipients-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        _ = try await run("kms_recipients.py", ["make", folder.path], ProcessInfo.processInfo.environment)
        let roots = try Certificate.all(
            pemEncoded: String(contentsOf: folder.appendingPathComponent("root.pem"), encoding: .utf8))
        try await serve(attestationRoots: roots) { address, environment in
            print(try await run("kms_recipients.py", ["use", folder.path, address], environment))
        }
        // What openssl has made of the same kind opens here.
        let key = try RSA.PrivateKey(
            pkcs8: SecretBytes(copying: [UInt8](Data(contentsOf: folder.appendingPathComponent("key.der")))))
        let envelope = RecipientEnvelope([UInt8](try Data(contentsOf: folder.appendingPathComponent("openssl.cms"))))
        #expect(try await envelope.open(with: key).revealed == Array("made by openssl".utf8))
    }

    @Test func `key stores are on a cluster of HSMs, and on somebody else's key manager`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("xks-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let peers = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Peers")
        let device = HSMDevice(
            store: MemoryRecordStore(), passwordCost: try Scrypt(cost: 2, blockSize: 1, parallelism: 1))
        let partition = try device.createPartition(
            "cluster", administrator: "admin", password: SecretBytes(copying: Array("administrator".utf8)))
        try partition.administer("admin", password: SecretBytes(copying: Array("administrator".utf8)))
            .createUser("kmsuser", password: SecretBytes(copying: Array("the right one".utf8)))
        let cluster = KeyStoreCluster(trustAnchor: "an anchor", accounts: ["111122223333"]) { password in
            do { return HSMCustodian(try partition.logIn("kmsuser", password: password.copy())) } catch {
                throw KeyStoreConnectionError.invalidCredentials
            }
        }
        let other = KeyStoreCluster(trustAnchor: "another anchor", accounts: ["111122223333"]) { _ in
            throw KeyStoreConnectionError.internalError
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { group.shutdownGracefully { _ in } }
        let peer = try BackgroundPeer(
            "python3", [peers.appendingPathComponent("xks_proxy.py").path, folder.path], folder: folder)
        let file = folder.appendingPathComponent("port")
        for _ in 0..<200 where !FileManager.default.fileExists(atPath: file.path) {
            try await Task.sleep(for: .milliseconds(50))
        }
        let port = try #require(try? String(contentsOf: file, encoding: .utf8), "\(peer.text)")
        let roots = try Certificate.all(
            pemEncoded: String(contentsOf: folder.appendingPathComponent("root.pem"), encoding: .utf8))
        let tls = try TLSClient(TLSClientConfiguration(trust: PeerTrust(roots)))
        let transport = HTTPSTransport(tls, on: group, within: .seconds(10))
        let clusters = ["cluster-2345abcdefg": cluster, "cluster-3456abcdefg": other]
        let service = XKSEndpointService(
            owner: "111122223333", host: "localhost", accounts: ["111122223333"], transport: transport)
        try await serve(
            clusters: clusters, externalKeyStores: transport,
            endpointServices: ["com.amazonaws.vpce.us-east-1.vpce-svc-one": service]
        ) { address, environment in
            print(try await run("kms_key_stores.py", [address, "https://localhost:\(port)"], environment))
        }
        _ = peer.text
    }

    @Test func `boto3 is told what is wrong with the world`() async throws {
        let (store, clock) = (UnreliableStore(seed: 1), MovableClock(.now))
        let hsm = UnreliableStore(seed: 2)
        let custodian = try SoftwareCustodian(store: hsm, key: .random(count: 32))
        let condition = Mutex(KeyStoreCluster.State.active)
        let cluster = KeyStoreCluster(
            trustAnchor: "an anchor", accounts: ["111122223333"], state: { condition.withLock { $0 } },
            connect: { _ in custodian })
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Peers/kms_bad_day.py").path
        func weather(_ word: Substring) throws -> UnreliableStore.Weather {
            try #require(UnreliableStore.Weather.allCases.first { "\($0)" == word })
        }
        try await serve(store: store, clusters: ["cluster-2345abcdefg": cluster], clock: clock) {
            address, environment in
            let peer = try LinePeer("python3", [script, address], environment: environment)
            while let line = peer.receive(), line != "passed" {
                let words = line.split(separator: " ")
                try #require(words.count == 2, "\(line)")
                switch words[0] {
                case "advance": clock.advance(.seconds(try #require(Int(words[1]))))
                case "store": store.weather = try weather(words[1])
                case "hsm": hsm.weather = try weather(words[1])
                default:
                    condition.withLock {
                        $0 =
                            words[1] == "active"
                            ? .active : words[1] == "inactive" ? .inactive : .misconfigured("one HSM")
                    }
                }
                try peer.send("done")
            }
            #expect(peer.finish() == 0)
        }
    }

    @Test func `a client that we did not write uses our proxy as AWS would`() async throws {
        let custodian = try SoftwareCustodian(store: MemoryRecordStore(), key: .random(count: 32))
        let proxy = XKSProxy(
            path: "/tenant/kms/xks/v1",
            credentials: [
                XKSProxy.Credential(id: "STRONGROOM234567ABCDEF", secret: SecretBytes(copying: Array(Self.secret.utf8)))
            ], custodian: custodian, keys: ["kid": XKSProxy.ExternalKey(try custodian.makeKey(.sealing))])
        let server = try await LocalKMSServer.start(port: 0) { request, _ in await proxy.answer(request) }
        do {
            print(try await run("xks_client.py", ["http://127.0.0.1:\(server.port)", Self.secret], [:]))
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }

    @Test(.enabled(if: EncryptionSDK.isInstalled || Requirement.peers.isMandatory, "pip install aws-encryption-sdk"))
    func `the Encryption SDK's KMS keyrings use our key service, and our messages`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sdk-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = MemoryRecordStore()
        try await serve(store: store) { address, environment in
            // Another process would have the store like this.
            let passphrase = SecretBytes(copying: Array("passphrase".utf8))
            let service = try await KeyManagementService(
                store: RecordFolder("us-east-1", of: store), rootOfTrust: PassphraseRoot(passphrase))
            let client = service.client(for: .root(account: "111122223333"))
            let (key, other) = (try await client.createKey(.symmetric), try await client.createKey(.symmetric))
            let envelope = Envelope(keyring: KMSKeyring(client, key))
            let plaintext = (0..<40).flatMap { _ in (0...255).map { UInt8($0) } }
            let ours = try await envelope.encrypt(plaintext, context: ["purpose": "interoperability"])
            try Data(ours).write(to: folder.appendingPathComponent("ours"))
            let more = environment.merging(["AWS_ENDPOINT_URL_KMS": address]) { $1 }
            print(
                try await run(
                    "kms_encryption_sdk.py", [key.arn.description, other.arn.description, folder.path], more))
            let theirs = [UInt8](try Data(contentsOf: folder.appendingPathComponent("theirs")))
            #expect(try await envelope.decrypt(theirs).plaintext.revealed == plaintext)
        }
    }

    /// Debian's packages for Go stand in one folder, as before there were modules.
    static let goPackages = "/usr/share/gocode"
    static let hasGoSDK = FileManager.default.fileExists(
        atPath: "\(goPackages)/src/github.com/aws/aws-sdk-go-v2/service/kms")

    @Test(
        .peer("go"),
        .enabled(if: hasGoSDK || Requirement.peers.isMandatory, "apt install golang-github-aws-aws-sdk-go-v2-dev"))
    func `what Terraform asks is answered, through the SDK that it is made with`() async throws {
        let cache = FileManager.default.temporaryDirectory.appendingPathComponent("strongroom-go").path
        let go = ["GO111MODULE": "off", "GOPATH": Self.goPackages, "GOCACHE": cache, "GOFLAGS": ""]
        try await serve { address, environment in
            let more = environment.merging(go) { $1 }
            print(try await run("kms_infrastructure.go", [address], more, by: "go", "run"))
        }
    }

    @Test(.peer("ruby")) func `the SDK for Ruby works`() async throws {
        try await serve { address, environment in
            print(try await run("kms_client.rb", [address], environment, by: "ruby"))
        }
    }

    @Test func `the AWS command line works`() async throws {
        try await serve { address, environment in
            func aws(_ words: String...) async throws -> String {
                let result = try await Subprocess.runBeside(
                    "aws", ["--endpoint-url", address] + words, environment: environment)
                #expect(result.status == 0, "\(words): \(result.errorText)")
                return result.text.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            let id = try await aws("kms", "create-key", "--query", "KeyMetadata.KeyId", "--output", "text")
            _ = try await aws("kms", "create-alias", "--alias-name", "alias/cli", "--target-key-id", id)
            let sealed = try await aws(
                "kms", "encrypt", "--key-id", "alias/cli", "--plaintext", "hello", "--query", "CiphertextBlob",
                "--output", "text")
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).blob")
            defer { try? FileManager.default.removeItem(at: file) }
            try #require(Data(base64Encoded: sealed)).write(to: file)
            let opened = try await aws(
                "kms", "decrypt", "--ciphertext-blob", "fileb://\(file.path)", "--query", "Plaintext", "--output",
                "text")
            #expect(opened == "aGVsbG8=")
            let identity = try await aws("sts", "get-caller-identity", "--query", "Account", "--output", "text")
            #expect(identity == "111122223333")
        }
    }
}
#endif
