internal import AWSSignature
internal import Cryptography
internal import FoundationEssentials
internal import RecordStorage

/// A key store as it is stored. Layout: Documentation/Formats/KeyStore.md.
struct KeyStoreRecord: Codable, Sendable {
    struct Cluster: Codable, Sendable {
        var id: String
        let trustAnchor: String
    }

    struct Proxy: Codable, Sendable {
        var endpoint: String
        var path: String
        var accessKeyID: String
        /// By which endpoint service it is reached, where by one.
        var endpointService: String?
        var endpointServiceOwner: String?

        init(_ address: XKSProxyAddress, accessKeyID: String) {
            (endpoint, path) = (address.endpoint, address.path)
            self.accessKeyID = accessKeyID
            if case .endpointService(let name, let owner) = address.connectivity {
                (endpointService, endpointServiceOwner) = (name, owner)
            }
        }

        var connectivity: XKSConnectivity {
            endpointService.map { .endpointService($0, owner: endpointServiceOwner) } ?? .publicEndpoint
        }

        var address: XKSProxyAddress {
            get throws(KeyManagementError) {
                try XKSProxyAddress(endpoint: endpoint, path: path, connectivity: connectivity)
            }
        }
    }

    let id: String
    let account: String
    var name: String
    let created: Double
    var cluster: Cluster?
    var proxy: Proxy?
    /// The password or the credential's secret, sealed.
    var secret: [UInt8]
    var isConnected = false
    /// How often it was connected, where it was: a session is of one connection.
    var connections: Int?
    var failure: KeyStoreConnectionError?

    static let prefix = "keystore/"
    static let idPrefix = "cks-"
    /// Written by every change of key stores, and every restoring of a key, so that what must be one of a kind is.
    static let turn: RecordName = "keystore/turn"

    var place: String { "\(account)/\(id)" }

    var recordName: RecordName {
        get throws(RecordStoreError) { try RecordName(KeyStoreRecord.prefix + place) }
    }

    static func makeID() throws(CryptographyError) -> String {
        idPrefix + Hexadecimal.encode(try SystemRandom().bytes(count: 9)).prefix(17)
    }

    var connection: KeyStoreConnection {
        if let failure { .failed(failure) } else { isConnected ? .connected : .disconnected }
    }

    var backing: KeyStoreDescription.Backing? {
        if let cluster { return .cluster(id: cluster.id, trustAnchor: cluster.trustAnchor) }
        guard let proxy, let address = try? proxy.address else { return nil }
        return .external(address, accessKeyID: proxy.accessKeyID)
    }

    /// Seals the secret for this record.
    mutating func seal(_ secret: borrowing SecretBytes, with cipher: AESGCM) throws(CryptographyError) {
        self.secret = try cipher.seal(secret, authenticating: label)
    }

    func openSecret(with cipher: AESGCM) throws(KeyManagementError) -> SecretBytes {
        do { return try cipher.open(secret, authenticating: label) } catch {
            throw KeyManagementError(.tampered, "the secret of \(id) does not open")
        }
    }

    private var label: [UInt8] { Array("strongroom key store \(account) \(id)".utf8) }
}

/// A key store, with its record's version.
struct StoredKeyStore: Sendable {
    let record: KeyStoreRecord
    let version: UInt64
}
