/// Several keyrings as one: each seals the same data key, and any of them opens it.
///
/// So a message is for several readers, or for one and an escrow. (AWS Encryption SDK specification,
/// framework/multi-keyring.)
public struct MultiKeyring: Keyring {
    private let generator: (any Keyring)?
    private let children: [any Keyring]

    /// Joins keyrings.
    ///
    /// - Parameters:
    ///   - generator: makes the data key, and seals it. Without one, this keyring only opens.
    ///   - children: seal it too.
    /// - Throws: `invalidKeyring` for none at all.
    public init(generator: (any Keyring)?, children: [any Keyring] = []) throws(EnvelopeError) {
        guard generator != nil || !children.isEmpty else {
            throw EnvelopeError(.invalidKeyring, "a keyring of no keyrings")
        }
        self.generator = generator
        self.children = children
    }

    /// Has every keyring seal the data key. Where one fails, all fail.
    public func sealDataKey(in materials: inout EncryptionMaterials) async throws {
        guard let generator else { throw EnvelopeError(.invalidKeyring, "no keyring makes the data key") }
        try await generator.sealDataKey(in: &materials)
        guard materials.hasDataKey else { throw EnvelopeError(.invalidKeyring, "the generator made no data key") }
        for child in children { try await child.sealDataKey(in: &materials) }
    }

    /// Asks one keyring after the other. The first error is passed on where none of them opens the data key.
    public func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
        var failure: (any Error)?
        for keyring in [generator].compactMap(\.self) + children {
            do {
                try await keyring.openDataKey(keys, in: &materials)
                if materials.isComplete { return }
            } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }
}
