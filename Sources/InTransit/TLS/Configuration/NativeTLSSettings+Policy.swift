internal import TLSShim

extension NativeTLSSettings {
    /// What both sides have in common.
    init(
        _ policy: TLSPolicy, identities: [TLSIdentity], isServer: Bool, protocols: [String], logsKeys: Bool
    ) throws(TLSError) {
        self.init()
        versions = policy.versions.lowerBound.rawValue...policy.versions.upperBound.rawValue
        suites = try NativeTLSSettings.list(policy.suites.filter { !$0.isOfTLS13 }, \.native)
        suites13 = try NativeTLSSettings.list(policy.suites.filter(\.isOfTLS13), \.native)
        // Without any, libssl would take its own.
        guard policy.versions.lowerBound > .tls12 || !suites.isEmpty else {
            throw TLSError(.invalidConfiguration, "a policy of TLS 1.2 without suites of it")
        }
        guard policy.versions.upperBound < .tls13 || !suites13.isEmpty else {
            throw TLSError(.invalidConfiguration, "a policy of TLS 1.3 without suites of it")
        }
        groups = try NativeTLSSettings.list(policy.groups, \.native)
        // A key that does not sign in all the ways of its kind must not be asked to.
        let all = try NativeTLSSettings.list(policy.signatureSchemes, \.native)
        let own = try NativeTLSSettings.list(
            policy.signatureSchemes.filter { scheme in
                identities.allSatisfy { identity in
                    let isOfItsKind = scheme.algorithm.map(identity.algorithm.signatureAlgorithms.contains) ?? false
                    return !isOfItsKind || identity.schemes.contains(scheme)
                }
            }, \.native)
        (serverSignatures, clientSignatures) = isServer ? (own, all) : (all, own)
        for name in protocols {
            let bytes = Array(name.utf8)
            guard (1...255).contains(bytes.count) else {
                throw TLSError(.invalidConfiguration, "an application protocol of \(bytes.count) bytes")
            }
            self.protocols += [UInt8(bytes.count)] + bytes
        }
        guard self.protocols.count <= 0xFFFF else {
            throw TLSError(.invalidConfiguration, "too many application protocols")
        }
        self.logsKeys = logsKeys
    }

    private static func list<Value: CustomStringConvertible>(
        _ values: [Value], _ native: (Value) -> String?
    ) throws(TLSError) -> String {
        var names: [String] = []
        for value in values {
            guard let name = native(value) else { throw TLSError(.invalidConfiguration, "\(value) is not known") }
            names.append(name)
        }
        return names.joined(separator: ":")
    }
}
