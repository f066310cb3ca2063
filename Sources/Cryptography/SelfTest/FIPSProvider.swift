internal import OpenSSLShim

/// OpenSSL's FIPS provider (fips_module(7)), where the machine has one: a validated module of its own, in the environments of its certificate.
///
/// ```swift
/// try FIPSProvider.use(configuration: "/etc/ssl/fips.cnf")        // before anything else of this library
/// ```
///
/// From then on this process seals, signs, agrees, derives and draws at random with it alone. Two checks of private keys that are read stay with
/// OpenSSL's arithmetic outside it: an elliptic-curve key's point is calculated from its number, and an RSA key's numbers are compared. What
/// it has not, such as ChaCha20-Poly1305 and scrypt, is `unsupported`. TLS has a
/// context of its own, which this does not concern.
public enum FIPSProvider {
    /// Has the provider calculate everything, from now until the process ends.
    ///
    /// - Parameters:
    ///   - configuration: an OpenSSL configuration that activates the provider, with what `openssl fipsinstall` has written.
    ///   - modules: the folder that has the provider, where it is not OpenSSL's own.
    /// - Throws: `unsupported` where there is no such provider, or where it refuses itself; or when this process has calculated something
    ///   already. Nothing has changed then: whoever may not go on without it must not.
    public static func use(configuration: String, modules: String? = nil) throws(CryptographyError) {
        do throws(NativeError) {
            try LibraryContext.choose(LibraryContext.FIPSConfiguration(file: configuration, modules: modules))
        } catch {
            if case .length = error {
                throw CryptographyError(.unsupported, "this process calculates already: choose the provider first")
            }
            throw CryptographyError(error)
        }
    }

    /// Whether the provider calculates.
    public static var isInUse: Bool { LibraryContext.isFIPS }
}
