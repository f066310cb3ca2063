/// The certificate must be for a purpose, and each authority above it too where it limits purposes (as practice has it; RFC 5280,
/// 4.2.1.12 speaks of the leaf alone). An authority for servers has its answers on revocation signed all the same.
public struct PurposePolicy: PathPolicy {
    /// The purpose.
    public let purpose: ExtendedKeyUsage.Purpose

    /// For a purpose.
    public init(_ purpose: ExtendedKeyUsage.Purpose) { self.purpose = purpose }

    /// Extended key usage.
    public var understoodExtensions: [ObjectIdentifier] { [ExtendedKeyUsage.identifier] }

    /// The first certificate that is for something else.
    ///
    /// A leaf or an authority that names no purpose is for any, but a responder of OCSP must name its own (RFC 6960,
    /// 4.2.2.2).
    public func defect(of path: CertificatePath, spending budget: inout WorkBudget) -> PathDefect? {
        for certificate in path.certificates where purpose != .ocspSigning || certificate == path.leaf {
            do throws(PKIXError) {
                guard let usage = try certificate.extensions.value(ExtendedKeyUsage.self) else {
                    guard purpose == .ocspSigning, certificate == path.leaf else { continue }
                    return PathDefect(.purpose, certificate, "does not say that it answers on revocation")
                }
                let isAny = usage.purposes.contains(.any) && purpose != .ocspSigning
                guard usage.purposes.contains(purpose) || isAny else {
                    return PathDefect(.purpose, certificate, "is not for \(purpose.identifier)")
                }
            } catch { return PathDefect(error, certificate) }
        }
        return leafUsage(path.leaf)
    }

    /// What the purpose's protocol does with the key (RFC 5280, 4.2.1.12): a server or client of TLS signs, or takes keys
    /// that were encrypted or agreed on.
    private func leafUsage(_ leaf: Certificate) -> PathDefect? {
        let needed: KeyUsage
        switch purpose {
        case .serverAuthentication: needed = [.digitalSignature, .keyEncipherment, .keyAgreement]
        case .clientAuthentication: needed = [.digitalSignature, .keyAgreement]
        case .codeSigning, .timeStamping, .ocspSigning: needed = [.digitalSignature, .contentCommitment]
        default: return nil
        }
        do throws(PKIXError) {
            guard let usage = try leaf.extensions.value(KeyUsage.self), usage.isDisjoint(with: needed) else {
                return nil
            }
            return PathDefect(.keyUsage, leaf, "its key does not do what the purpose needs")
        } catch { return PathDefect(error, leaf) }
    }
}
