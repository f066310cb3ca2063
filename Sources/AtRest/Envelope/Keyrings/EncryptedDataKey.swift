/// A data key as one provider has sealed it.
public struct EncryptedDataKey: Sendable, Hashable {
    /// Who sealed it: "aws-kms", or a namespace.
    public let provider: String
    /// What the provider needs to know, such as the ARN of its key.
    public let information: [UInt8]
    /// The sealed key.
    public let ciphertext: [UInt8]

    /// Joins the three; each has at most 65535 bytes.
    public init(provider: String, information: [UInt8], ciphertext: [UInt8]) {
        self.provider = provider
        self.information = information
        self.ciphertext = ciphertext
    }
}
