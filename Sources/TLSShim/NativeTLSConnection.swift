internal import CStrongroomLibSSL
internal import CStrongroomLibSSLShims
package import OpenSSLShim

/// One connection of libssl's, with bytes instead of a socket. Used by one thread at a time.
@safe package final class NativeTLSConnection {
    /// How far a handshake got.
    package enum Progress {
        /// The peer must say more.
        case waiting
        /// The signer of an identity must sign the message; then ``answer(signature:)``.
        case signature(identity: Int, scheme: UInt16, message: [UInt8])
        /// The peer's certificates must be judged, its own first; then ``answer(verdict:)``.
        case verdict([[UInt8]])
        /// It is finished.
        case done
    }

    /// Judges a peer's certificates, its own first.
    package typealias Verify = ([[UInt8]]) -> NativeVerdict

    private let context: NativeTLSContext
    let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let shared: UnsafeMutablePointer<strongroom_connection>
    private let verify: Verify
    /// The thread on which a fibre was started: it cannot go on elsewhere.
    private var thread: UInt64?
    /// Whether a fibre is suspended.
    private var isSuspended = false
    /// Whether it waits for an answer.
    private var isWaiting = false
    /// What libssl could not encrypt before it has read more, and whether the end follows it.
    private var unsent: [[UInt8]] = []
    private var isClosing = false
    /// What a signer threw.
    var cause: (any Error)?

    /// - Parameters:
    ///   - serverName: what a client asks for (RFC 6066, 3); nil for an address.
    ///   - session: one to resume.
    ///   - verify: judges the peer. Not asked where the context pauses: then ``Progress/verdict(_:)`` asks.
    package init(
        _ context: NativeTLSContext, serverName: String? = nil, session: NativeTLSSession? = nil,
        verify: @escaping Verify
    ) throws(NativeError) {
        guard context.epoch == ForkEpoch.current else { throw .forked }
        guard let ssl = unsafe SSL_new(context.pointer) else { throw .drained("SSL_new") }
        guard let input = unsafe BIO_new(BIO_s_mem()), let output = unsafe BIO_new(BIO_s_mem()) else {
            unsafe SSL_free(ssl)
            throw .memory
        }
        unsafe SSL_set_bio(ssl, input, output)
        self.context = context
        self.verify = verify
        unsafe (self.ssl, self.input, self.output) = unsafe (ssl, input, output)
        unsafe shared = .allocate(capacity: 1)
        unsafe shared.initialize(to: strongroom_connection())
        // Safe because only calls of this object's use it.
        unsafe shared.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
        unsafe shared.pointee.verify = { shared in
            guard let owner = unsafe shared?.pointee.owner, let verification = unsafe shared?.pointee.verification
            else { return X509_V_ERR_UNSPECIFIED }
            let connection = unsafe Unmanaged<NativeTLSConnection>.fromOpaque(owner).takeUnretainedValue()
            return unsafe connection.verify(NativeCertificate.bytes(stack: strongroom_presented(verification))).code
        }
        unsafe strongroom_connection_attach(shared, ssl)
        if context.isServer {
            unsafe SSL_set_accept_state(ssl)
        } else {
            unsafe SSL_set_connect_state(ssl)
        }
        unsafe strongroom_set_pausing(ssl, context.isPausing ? 1 : 0)
        if let serverName, unsafe strongroom_set_server_name(ssl, serverName) != 1 {
            throw .drained("SSL_set_tlsext_host_name")
        }
        if let session { unsafe SSL_set_session(ssl, session.pointer) }
    }

    deinit {
        abandon()
        // Without this libssl takes a session for broken whose connection merely ended.
        if unsafe SSL_is_init_finished(ssl) == 1 {
            unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        }
        unsafe SSL_free(ssl)
        unsafe strongroom_connection_clear(shared)
        unsafe shared.deallocate()
    }

    /// The connection whose handshake runs on this thread.
    static var current: NativeTLSConnection? {
        guard let owner = unsafe strongroom_current_connection()?.pointee.owner else { return nil }
        return unsafe Unmanaged<NativeTLSConnection>.fromOpaque(owner).takeUnretainedValue()
    }
}

// MARK: - Handshake

extension NativeTLSConnection {
    /// Whether this thread may go on with the handshake: one that pauses stays on its thread.
    package var isOnItsThread: Bool { thread == nil || thread == strongroom_thread_number() }

    /// Goes on with the handshake.
    package func handshake() throws(NativeTLSFailure) -> Progress {
        try checkProcess()
        while !isWaiting {
            switch step() {
            case SSL_ERROR_NONE:
                // From here on nothing pauses.
                unsafe strongroom_set_pausing(ssl, 0)
                thread = nil
                return .done
            case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .waiting
            case SSL_ERROR_WANT_ASYNC:
                isWaiting = true
                if let question = try question() { return question }
            case SSL_ERROR_ZERO_RETURN:
                var failure = failure()
                failure.isEnded = true
                throw failure
            default: throw failure()
            }
        }
        return .waiting
    }

    /// Answers a question for a signature; nil refuses.
    package func answer(signature: [UInt8]?, cause: (any Error)? = nil) {
        guard isSuspended, isWaiting else { return }
        self.cause = cause
        let capacity = unsafe shared.pointee.signature_capacity
        if let signature, signature.count <= capacity {
            unsafe shared.pointee.signature?.update(from: signature, count: signature.count)
            unsafe shared.pointee.signature_count = signature.count
        }
        isWaiting = false
    }

    /// Answers a question for a verdict.
    package func answer(verdict: NativeVerdict) {
        guard isSuspended, isWaiting else { return }
        unsafe shared.pointee.verdict = verdict.code
        isWaiting = false
    }

    /// Lets a paused handshake fail, so that its fibre ends. On another thread the fibre is left behind: 32 KiB are lost.
    package func abandon() {
        for _ in 0..<8 where isSuspended && isOnItsThread {
            // Whatever it asks is refused.
            unsafe shared.pointee.signature_count = 0
            unsafe shared.pointee.verdict = X509_V_ERR_UNSPECIFIED
            _ = step()
        }
        strongroom_clear_errors()
    }

    private func step() -> Int32 {
        strongroom_clear_errors()
        if context.isPausing && thread == nil { thread = strongroom_thread_number() }
        let result = unsafe strongroom_handshake(shared, ssl)
        isSuspended = result == SSL_ERROR_WANT_ASYNC
        return result
    }

    /// What a paused handshake asks; nil where a signer has answered at once.
    private func question() throws(NativeTLSFailure) -> Progress? {
        switch unsafe shared.pointee.question {
        case strongroom_question_signature:
            guard let owner = unsafe shared.pointee.signer else { throw failure() }
            let signer = unsafe Unmanaged<NativeSigner>.fromOpaque(owner).takeUnretainedValue()
            let scheme = unsafe shared.pointee.scheme
            let message = unsafe Array(
                UnsafeBufferPointer(start: shared.pointee.message, count: shared.pointee.message_count))
            guard let sign = signer.sign else {
                return .signature(identity: signer.index, scheme: scheme, message: message)
            }
            do {
                answer(signature: try sign(scheme, message.span))
            } catch { answer(signature: nil, cause: error) }
            return nil
        case strongroom_question_verdict:
            return .verdict(
                unsafe NativeCertificate.bytes(stack: strongroom_presented(shared.pointee.verification)))
        default: throw failure()
        }
    }

    /// Keys of a session in two processes would encrypt different bytes alike.
    private func checkProcess() throws(NativeTLSFailure) {
        guard context.epoch == ForkEpoch.current else {
            throw NativeTLSFailure(reasons: ["the process was forked"], isForked: true)
        }
    }

    private func failure() -> NativeTLSFailure {
        defer { cause = nil }
        return NativeTLSFailure(
            sentAlert: UInt8(exactly: unsafe shared.pointee.sent_alert),
            receivedAlert: UInt8(exactly: unsafe shared.pointee.received_alert),
            reasons: NativeTLSFailure.drain(), cause: cause)
    }
}

// MARK: - Bytes

extension NativeTLSConnection {
    /// What came of reading.
    package enum Reading {
        case bytes(Int)
        case waiting
        /// The peer has said that it sends no more.
        case closed
    }

    /// Takes bytes from the peer.
    package func receive(_ bytes: Span<UInt8>) throws(NativeError) {
        guard !bytes.isEmpty else { return }
        var taken = 0
        let isTaken = unsafe bytes.withUnsafeBufferPointer {
            unsafe BIO_write_ex(input, $0.baseAddress, $0.count, &taken) == 1
        }
        guard isTaken, taken == bytes.count else { throw .memory }
    }

    /// How many bytes of the peer's have not been looked at.
    package var inputCount: Int { unsafe strongroom_pending(input) }

    /// How many bytes wait to be sent to the peer.
    package var outputCount: Int { unsafe strongroom_pending(output) }

    /// Moves bytes for the peer out.
    ///
    /// - Returns: how many.
    package func takeOutput(into buffer: inout MutableSpan<UInt8>) -> Int {
        guard outputCount > 0, !buffer.isEmpty else { return 0 }
        var count = 0
        let isRead = unsafe buffer.withUnsafeMutableBufferPointer {
            unsafe BIO_read_ex(output, $0.baseAddress, $0.count, &count) == 1
        }
        return isRead ? count : 0
    }

    /// Decrypts what the peer has sent.
    package func read(into buffer: inout MutableSpan<UInt8>) throws(NativeTLSFailure) -> Reading {
        try checkProcess()
        strongroom_clear_errors()
        var count = 0
        let result = unsafe buffer.withUnsafeMutableBufferPointer {
            unsafe SSL_read_ex(ssl, $0.baseAddress, $0.count, &count)
        }
        let error = unsafe SSL_get_error(ssl, result)
        let reading: Reading
        switch error {
        case SSL_ERROR_NONE: reading = .bytes(count)
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: reading = .waiting
        case SSL_ERROR_ZERO_RETURN: reading = .closed
        default: throw failure()
        }
        try sendRest()
        return reading
    }

    /// Encrypts for the peer. An output in memory takes it whole; but where half a message of the handshake has come after it,
    /// a ticket for instance, libssl encrypts nothing before it has the other half.
    package func write(_ bytes: Span<UInt8>) throws(NativeTLSFailure) {
        try checkProcess()
        guard !bytes.isEmpty else { return }
        guard unsent.isEmpty, try encrypt(bytes) else {
            unsent.append(unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) })
            return
        }
    }

    /// Whether bytes wait for the rest of a message of the peer's before they are encrypted.
    package var isHeldUp: Bool { !unsent.isEmpty }

    /// Tells the peer that no more comes.
    package func close() {
        guard context.epoch == ForkEpoch.current else { return }
        isClosing = true
        if unsent.isEmpty { shutDown() }
    }

    private func encrypt(_ bytes: Span<UInt8>) throws(NativeTLSFailure) -> Bool {
        strongroom_clear_errors()
        var count = 0
        let result = unsafe bytes.withUnsafeBufferPointer {
            unsafe SSL_write_ex(ssl, $0.baseAddress, $0.count, &count)
        }
        if result == 1, count == bytes.count { return true }
        guard unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ else { throw failure() }
        return false
    }

    private func sendRest() throws(NativeTLSFailure) {
        while let next = unsent.first {
            guard try encrypt(next.span) else { return }
            unsent.removeFirst()
        }
        if isClosing { shutDown() }
    }

    private func shutDown() {
        strongroom_clear_errors()
        // In the middle of a message it refuses, and is asked again.
        if unsafe SSL_shutdown(ssl) >= 0 { isClosing = false }
        strongroom_clear_errors()
    }
}

// MARK: - What was agreed

extension NativeTLSConnection {
    /// The version's number, such as 0x0304.
    package var version: UInt16 { UInt16(truncatingIfNeeded: unsafe SSL_version(ssl)) }

    /// The suite's number, such as 0x1301.
    package var suite: UInt16 {
        guard let cipher = unsafe SSL_get_current_cipher(ssl) else { return 0 }
        return unsafe SSL_CIPHER_get_protocol_id(cipher)
    }

    /// The group of the key exchange, by its number in TLS or OpenSSL's; 0 for none.
    package var group: String? {
        let number = unsafe strongroom_negotiated_group(ssl)
        guard number != 0, let name = unsafe OBJ_nid2sn(Int32(number)) else { return nil }
        return unsafe String(cString: name)
    }

    /// Whether an earlier session goes on.
    package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// The application protocol.
    package var applicationProtocol: [UInt8] {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &bytes, &count)
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    /// The name that the client has asked for.
    package var serverName: String? {
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
        return unsafe String(cString: name)
    }

    /// The peer's certificates, its own first; those of the session where one is resumed.
    package var peerCertificates: [[UInt8]] {
        guard let own = unsafe SSL_get0_peer_certificate(ssl) else { return [] }
        let chain = unsafe NativeCertificate.bytes(stack: SSL_get_peer_cert_chain(ssl))
        return context.isServer ? unsafe [NativeCertificate.bytes(own)] + chain : chain
    }

    /// Whether lines of the key log or sessions have come up.
    package var hasNotes: Bool { unsafe shared.pointee.key_log_count | shared.pointee.session_count > 0 }

    /// Takes the lines of the key log that have come up.
    package func takeKeyLog() -> String? {
        let count = unsafe shared.pointee.key_log_count
        guard count > 0, let text = unsafe shared.pointee.key_log else { return nil }
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: shared.pointee.key_log_count)
        let lines = unsafe String(decoding: bytes, as: UTF8.self)
        unsafe strongroom_connection_erase_key_log(shared)
        return lines
    }

    /// Takes the sessions that have come up.
    package func takeSessions() -> [NativeTLSSession] {
        let count = unsafe shared.pointee.session_count
        guard count > 0 else { return [] }
        let places = unsafe shared.pointee.sessions
        unsafe shared.pointee.session_count = 0
        let pointers = unsafe [places.0, places.1, places.2, places.3]
        return unsafe pointers.prefix(count).compactMap { session in
            unsafe session.map { unsafe NativeTLSSession(taking: $0) }
        }
    }

    /// Bytes that both sides know and nobody else (RFC 5705, RFC 8446, 7.5).
    ///
    /// In TLS 1.2 only with the extended master secret: without it a third party may know them (RFC 7627, 5.4).
    package func exportedKey(label: String, context: [UInt8]?, into buffer: inout MutableSpan<UInt8>) -> Bool {
        let isBound = unsafe strongroom_has_extended_master_secret(ssl) == 1
        guard self.context.epoch == ForkEpoch.current, version >= 0x0304 || isBound else { return false }
        let isMade = unsafe buffer.withUnsafeMutableBufferPointer { buffer in
            unsafe SSL_export_keying_material(
                ssl, buffer.baseAddress, buffer.count, label, label.utf8.count, context ?? [], context?.count ?? 0,
                context == nil ? 0 : 1) == 1
        }
        if !isMade { strongroom_clear_errors() }
        return isMade
    }
}
