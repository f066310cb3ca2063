public import KeyManagement

extension KeyManagementClient {
    /// What seals and opens data of any size under a key: an ``Envelope`` whose data keys the key service makes for this principal.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - reuse: where given, one data key serves new messages for so long, and an opened one is kept for so long; see
    ///     ``CachingMaterialsManager``. By default each message is a call of the key service.
    /// - Throws: `invalidKeyring` for a time that is not above zero.
    public func envelope(
        under key: Key<Encryption>, reusingDataKeysFor reuse: Duration? = nil
    ) throws(EnvelopeError) -> Envelope {
        let manager = DefaultMaterialsManager(KMSKeyring(self, key))
        guard let reuse else { return Envelope(manager: manager) }
        do { return Envelope(manager: try CachingMaterialsManager(manager, timeToLive: reuse)) } catch {
            throw error as? EnvelopeError ?? EnvelopeError(.invalidKeyring, "\(error)")
        }
    }

    /// Seals data of any size; see ``envelope(under:reusingDataKeysFor:)``. Up to 4096 bytes, `encrypt` is the shorter way.
    ///
    /// - Returns: an AWS Encryption SDK message.
    public func encrypt(
        payload: [UInt8], under key: Key<Encryption>, context: EncryptionContext = .none
    ) async throws(EnvelopeError) -> [UInt8] {
        try await envelope(under: key).encrypt(payload, context: context)
    }

    /// Opens data of any size.
    ///
    /// - Parameters:
    ///   - message: what ``encrypt(payload:under:context:)`` returned, or another message that the key may open.
    ///   - key: the key.
    ///   - expected: pairs that its encryption context must have.
    public func decrypt(
        payload message: [UInt8], under key: Key<Encryption>, expecting expected: EncryptionContext = .none
    ) async throws(EnvelopeError) -> OpenedMessage {
        try await envelope(under: key).decrypt(message, expecting: expected)
    }
}
