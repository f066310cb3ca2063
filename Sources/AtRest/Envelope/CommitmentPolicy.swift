/// Whether messages must commit to their data key. Source: AWS Encryption SDK specification, framework/commitment-policy.
///
/// To move a fleet to commitment: first every reader to `requireEncryptAllowDecrypt`, then, when no old message is left,
/// to the default. `forbidEncryptAllowDecrypt` is for readers that cannot read format 2.0 yet.
public enum CommitmentPolicy: Sendable, Hashable, CaseIterable {
    /// Writes without commitment, reads both.
    case forbidEncryptAllowDecrypt
    /// Writes with commitment, reads both.
    case requireEncryptAllowDecrypt
    /// Writes and reads with commitment only: the default.
    case requireEncryptRequireDecrypt

    /// The suite of new messages where none is asked for: signed, 256 bits.
    public var defaultSuite: AlgorithmSuite {
        self == .forbidEncryptAllowDecrypt ? .aes256GCMSHA384P384 : .committingSigned
    }

    func check(encrypting suite: AlgorithmSuite) throws(EnvelopeError) {
        guard suite.isCommitting != (self == .forbidEncryptAllowDecrypt) else {
            throw EnvelopeError(.commitmentPolicy, "suite \(suite) is not for new messages under \(self)")
        }
    }

    func check(decrypting suite: AlgorithmSuite) throws(EnvelopeError) {
        guard suite.isCommitting || self != .requireEncryptRequireDecrypt else {
            throw EnvelopeError(.commitmentPolicy, "suite \(suite) does not commit to its key, and \(self) asks for it")
        }
    }
}
