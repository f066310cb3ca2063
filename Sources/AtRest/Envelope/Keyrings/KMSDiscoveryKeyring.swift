public import AccessPolicy
public import KeyManagement

/// A keyring that opens data keys under whichever managed key sealed them, as far as a filter allows. It seals nothing.
///
/// For readers that do not know the keys in advance. The filter is what keeps a message from elsewhere from having a key
/// of another account used: leave neither accounts nor Regions open without need.
public struct KMSDiscoveryKeyring: Keyring {
    /// Which managed keys may be asked.
    public struct Filter: Sendable, Hashable {
        /// The partition of the keys' ARNs.
        public let partition: String
        /// Their accounts.
        public let accounts: Set<String>
        /// Their Regions; nil for all.
        public let regions: Set<String>?

        /// Names partition, accounts and Regions.
        public init(partition: String = "aws", accounts: Set<String>, regions: Set<String>? = nil) {
            self.partition = partition
            self.accounts = accounts
            self.regions = regions
        }

        /// Whether a key may be asked.
        public func allows(_ key: ARN) -> Bool {
            key.service == "kms" && key.resource.hasPrefix("key/") && key.partition == partition
                && accounts.contains(key.account) && regions?.contains(key.region) != false
        }
    }

    private let client: KeyManagementClient
    private let filter: Filter

    /// Takes the client to ask as, and the filter.
    public init(_ client: KeyManagementClient, _ filter: Filter) {
        self.client = client
        self.filter = filter
    }

    /// Refused: a discovery keyring has no key of its own.
    public func sealDataKey(in materials: inout EncryptionMaterials) async throws {
        throw EnvelopeError(.invalidKeyring, "a discovery keyring only opens")
    }

    /// Asks the service to open the data keys that name a key within the filter. One that may not be used is passed over for
    /// the next; where none opens, its refusal is the error.
    public func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
        var refusal: KeyManagementError?
        for candidate in keys where candidate.provider == KMSKeyring.provider {
            guard let text = String(validating: candidate.information, as: UTF8.self), let arn = ARN(text),
                filter.allows(arn)
            else { continue }
            do throws(KeyManagementError) {
                if try await client.open(candidate, KeyIdentifier(text), in: &materials) { return }
            } catch {
                // A key that is not there seals nothing; anybody can write its name into a message.
                if error.code != .notFound { refusal = refusal ?? error }
            }
        }
        if let refusal { throw refusal }
    }
}
