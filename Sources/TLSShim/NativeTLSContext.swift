internal import CStrongroomLibSSL
internal import CStrongroomLibSSLShims
package import OpenSSLShim

/// What libssl needs to know to make connections.
package struct NativeTLSSettings {
    /// Whether a certificate is asked for.
    package enum PeerCertificate { case none, optional, required }

    /// How sessions are resumed.
    package enum Sessions { case none, cached, client }

    /// Numbers of protocol versions, such as 0x0304.
    package var versions: ClosedRange<UInt16> = 0x0303...0x0304
    /// OpenSSL's names of suites of TLS 1.2, colons between.
    package var suites = ""
    /// Names of suites of TLS 1.3, colons between.
    package var suites13 = ""
    /// OpenSSL's names of groups, colons between.
    package var groups = ""
    /// OpenSSL's names of the signature algorithms of servers, colons between.
    package var serverSignatures = ""
    /// The same of clients.
    package var clientSignatures = ""
    /// Application protocols, each after its length (RFC 7301, 3.1).
    package var protocols: [UInt8] = []
    /// Whether a certificate is asked for.
    package var peerCertificate = PeerCertificate.none
    /// How sessions are resumed.
    package var sessions = Sessions.none
    /// Certificates of the authorities whose names are told to clients.
    package var clientAuthorities: [[UInt8]] = []
    /// What makes sessions of one configuration unusable in another: at most 32 bytes.
    package var sessionScope: [UInt8] = []
    /// Whether secrets are noted for the key log.
    package var logsKeys = false

    /// TLS 1.2 and 1.3 without resumption.
    package init() {}
}

/// The certificates of this side, its own first, and its key.
package struct NativeTLSIdentity {
    let chain: [[UInt8]]
    let signer: NativeSigner

    package init(chain: [[UInt8]], signer: NativeSigner) {
        self.chain = chain
        self.signer = signer
    }
}

/// libssl's shared part of many connections.
@safe package final class NativeTLSContext: @unchecked Sendable {
    // Safe to send: a context is not changed once it has been set up, and libssl locks its cache of sessions.
    let pointer: OpaquePointer
    let isServer: Bool
    /// Whether handshakes run in a fibre, because a key answers later.
    let isPausing: Bool
    private let signers: [NativeSigner]
    /// The process that made it.
    let epoch = ForkEpoch.current
    // The selection of a protocol reads both for as long as there are connections, and each keeps its context.
    private let protocols: UnsafeMutablePointer<strongroom_protocols>
    private let protocolBytes: UnsafeMutableBufferPointer<UInt8>

    package init(
        isServer: Bool, _ settings: NativeTLSSettings, _ identities: [NativeTLSIdentity]
    ) throws(NativeError) {
        guard let library = unsafe TLSLibrary.pointer,
            let context = unsafe SSL_CTX_new_ex(library, nil, isServer ? TLS_server_method() : TLS_client_method())
        else { throw .drained("SSL_CTX_new_ex") }
        self.isServer = isServer
        signers = identities.map(\.signer)
        isPausing = signers.contains(where: \.isPausing)
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: settings.protocols.count)
        _ = unsafe bytes.initialize(from: settings.protocols)
        unsafe protocolBytes = unsafe bytes
        unsafe protocols = .allocate(capacity: 1)
        unsafe protocols.initialize(
            to: strongroom_protocols(bytes: bytes.baseAddress, count: UInt32(settings.protocols.count)))
        unsafe pointer = unsafe context
        // From here on the object is whole, and frees what it has when this throws.
        unsafe strongroom_context_attach(context)
        try setUp(settings)
        for identity in identities { try use(identity) }
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
        unsafe protocols.deallocate()
        unsafe protocolBytes.deallocate()
    }

    private func setUp(_ settings: NativeTLSSettings) throws(NativeError) {
        unsafe SSL_CTX_set_security_level(pointer, 2)
        unsafe strongroom_context_set_modes(pointer)
        unsafe strongroom_context_set_options(pointer, isServer ? strongroom_option_server_preference : 0)
        try check(
            unsafe strongroom_context_set_versions(
                pointer, Int32(settings.versions.lowerBound), Int32(settings.versions.upperBound)), "versions")
        if !settings.suites.isEmpty { try check(unsafe SSL_CTX_set_cipher_list(pointer, settings.suites), "suites") }
        try check(unsafe SSL_CTX_set_ciphersuites(pointer, settings.suites13), "suites of TLS 1.3")
        try check(unsafe strongroom_context_set_groups(pointer, settings.groups), "groups")
        try check(
            unsafe strongroom_context_set_signature_algorithms(
                pointer, settings.serverSignatures, settings.clientSignatures),
            "signature algorithms")
        try setUpProtocols(settings.protocols)
        try setUpPeers(settings)
        try setUpSessions(settings)
        if settings.logsKeys { unsafe strongroom_context_log_keys(pointer) }
    }

    private func setUpProtocols(_ wanted: [UInt8]) throws(NativeError) {
        guard !wanted.isEmpty else { return }
        if isServer { return unsafe strongroom_context_select_protocols(pointer, protocols) }
        // It alone returns 0 where it has worked.
        let result = unsafe SSL_CTX_set_alpn_protos(pointer, wanted, UInt32(wanted.count))
        try check(result == 0 ? 1 : 0, "application protocols")
    }

    private func setUpPeers(_ settings: NativeTLSSettings) throws(NativeError) {
        let mode =
            switch settings.peerCertificate {
            case .none: SSL_VERIFY_NONE
            case .optional: SSL_VERIFY_PEER
            case .required: SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            }
        unsafe SSL_CTX_set_verify(pointer, mode, nil)
        for authority in settings.clientAuthorities {
            let certificate = try NativeCertificate(derEncoded: authority)
            try check(unsafe strongroom_context_add_client_authority(pointer, certificate.pointer), "authorities")
        }
    }

    private func setUpSessions(_ settings: NativeTLSSettings) throws(NativeError) {
        try check(
            unsafe SSL_CTX_set_session_id_context(
                pointer, settings.sessionScope, UInt32(settings.sessionScope.count)), "session scope")
        switch settings.sessions {
        case .none:
            unsafe strongroom_context_cache_no_sessions(pointer)
            unsafe SSL_CTX_set_options(pointer, strongroom_option_no_ticket)
            unsafe SSL_CTX_set_num_tickets(pointer, 0)
        case .cached:
            // A ticket is but a name in the cache then, and no key of tickets opens what was recorded.
            unsafe strongroom_context_cache_server_sessions(pointer)
            unsafe SSL_CTX_set_options(pointer, strongroom_option_no_ticket)
            unsafe SSL_CTX_set_num_tickets(pointer, 1)
        case .client: unsafe strongroom_context_hand_out_client_sessions(pointer)
        }
    }

    private func use(_ identity: NativeTLSIdentity) throws(NativeError) {
        guard let first = identity.chain.first else { throw .length }
        let certificate = try NativeCertificate(derEncoded: first)
        try check(unsafe SSL_CTX_use_certificate(pointer, certificate.pointer), "certificate")
        // libssl compares it with the certificate's.
        try check(unsafe SSL_CTX_use_PrivateKey(pointer, identity.signer.pointer), "private key")
        for next in identity.chain.dropFirst() {
            let authority = try NativeCertificate(derEncoded: next)
            try check(unsafe strongroom_context_add_chain_certificate(pointer, authority.pointer), "chain")
        }
    }

    private func check(_ result: Int32, _ operation: StaticString) throws(NativeError) {
        guard result == 1 else { throw .drained(operation) }
    }
}
