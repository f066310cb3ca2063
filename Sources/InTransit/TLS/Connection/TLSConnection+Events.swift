internal import TLSShim

extension TLSConnection {
    /// What comes next, or nil where nothing does before the peer says more or a signature is given.
    ///
    /// - Parameter buffer: takes bytes from the peer, at least one. A record has 16 KiB at most.
    /// - Throws: what is wrong, in terms of this side or the peer. Bytes for the peer may still wait.
    public func nextEvent(into buffer: inout MutableSpan<UInt8>) throws(TLSError) -> TLSEvent? {
        precondition(!buffer.isEmpty, "a buffer for at least one byte")
        if let failure { throw failure }
        if case .choosing(let choose, let reader) = state { try self.choose(choose, reader) }
        switch state {
        case .choosing: return try waiting()
        case .handshaking(let native): return try handshake(native)
        case .established(let native): return try read(native, into: &buffer)
        case .closed: return nil
        }
    }

    /// Answers a request for a signature; the connection goes on when the next event is asked for. One that is answered already
    /// is left alone.
    public func answer(_ request: TLSSignatureRequest, with result: Result<[UInt8], any Error>) {
        guard failure == nil, case .handshaking(let native) = state, self.request?.number == request.number else {
            return
        }
        self.request = nil
        switch result {
        case .success(let signature): native.answer(signature: signature)
        case .failure(let error): native.answer(signature: nil, cause: error)
        }
    }
}

extension TLSConnection {
    /// Takes a context as soon as the client's first message is there. What cannot be read here is not left to libssl, which
    /// may read it: nobody is served by a context that was not chosen for him.
    private func choose(_ choose: @escaping TLSServer.Choice, _ reader: ClientHelloReader) throws(TLSError) {
        guard case .server(let standard) = role else { return }
        // Left out of the state meanwhile, so that what was read is not copied each time.
        state = .choosing(choose, ClientHelloReader())
        var reader = reader
        let hello: ClientHello
        do throws(WireReader.Malformed) {
            guard let read = try reader.read() else {
                state = .choosing(choose, reader)
                return
            }
            hello = read
        } catch {
            // A fatal alert, decode_error, in a record of its own (RFC 8446, 6).
            farewell = [21, 3, 3, 0, 2, 2, TLSAlert.decodeError.rawValue]
            throw fail(TLSError(.protocolViolation, "not what a client says first", alert: .decodeError))
        }
        chosenName = .some(hello.serverName)
        state = .handshaking(try native(choose(hello) ?? standard))
        try receive(reader.seen.span)
    }

    private func handshake(_ native: NativeTLSConnection) throws(TLSError) -> TLSEvent? {
        guard native.isOnItsThread else {
            throw TLSError(.wrongThread, "a handshake that waits for a signature goes on where it began")
        }
        while true {
            let progress: NativeTLSConnection.Progress
            do throws(NativeTLSFailure) {
                progress = try native.handshake()
            } catch {
                collect(native)
                throw fail(error)
            }
            switch progress {
            case .waiting: return request == nil ? try waiting() : nil
            case .verdict(let chain): native.answer(verdict: judge(chain))
            case .signature(let identity, let scheme, let message): return try ask(identity, scheme, message)
            case .done: return .established(try finish(native))
            }
        }
    }

    private func ask(_ index: Int, _ scheme: UInt16, _ message: [UInt8]) throws(TLSError) -> TLSEvent {
        let identities =
            switch role {
            case .server(let context): context.configuration.identities
            case .client(let client, _, _): client.configuration.identity.map { [$0] } ?? []
            }
        guard let algorithm = SignatureScheme(rawValue: scheme).algorithm, identities.indices.contains(index) else {
            throw fail(TLSError(.internalFailure, "a scheme that is not known"))
        }
        requestCount += 1
        let request = TLSSignatureRequest(
            key: identities[index].key, algorithm: algorithm, message: message, number: requestCount)
        self.request = request
        return .signature(request)
    }

    private func finish(_ native: NativeTLSConnection) throws(TLSError) -> NegotiatedSession {
        collect(native)
        // A second first message, after a retry, may ask for another name than the one that was chosen by, and so may a session.
        let serverName = native.serverName?.lowercased()
        if let chosenName, chosenName != serverName {
            native.close()
            throw fail(TLSError(.protocolViolation, "the client asks for one name and then for another"))
        }
        let path = try verifiedPeer(native)
        guard let version = TLSVersion(rawValue: native.version) else {
            throw fail(TLSError(.internalFailure, "a version that is not known"))
        }
        state = .established(native)
        if hasClosed { native.close() }
        let protocolName = native.applicationProtocol
        return NegotiatedSession(
            version: version, suite: CipherSuite(rawValue: native.suite),
            group: native.group.flatMap { KeyExchangeGroup(negotiated: $0) },
            applicationProtocol: protocolName.isEmpty ? nil : String(decoding: protocolName, as: UTF8.self),
            serverName: serverName, isResumed: native.isResumed, peer: path)
    }

    /// The peer's path. Where a session goes on, nothing was judged in this handshake.
    private func verifiedPeer(_ native: NativeTLSConnection) throws(TLSError) -> CertificatePath? {
        switch role {
        case .client(_, _, let entry):
            if native.isResumed, let entry { return entry.path }
        case .server:
            // A client's certificates are judged again: what was good then may not be now.
            if native.isResumed {
                let chain = native.peerCertificates
                if !chain.isEmpty { _ = judge(chain) }
            }
        }
        switch judgement {
        case nil:
            guard isServer else { throw fail(TLSError(.internalFailure, "a server that was not verified")) }
            return nil
        case .trusted(let path): return path
        case .untrusted(let diagnosis, _):
            native.close()
            throw fail(TLSError(untrusted: diagnosis, alert: nil))
        case .unreadable: throw fail(TLSError(.untrustedPeer, "a certificate that cannot be read"))
        }
    }

    private func read(
        _ native: NativeTLSConnection, into buffer: inout MutableSpan<UInt8>
    ) throws(TLSError) -> TLSEvent? {
        let reading: NativeTLSConnection.Reading
        do throws(NativeTLSFailure) {
            reading = try native.read(into: &buffer)
        } catch { throw fail(error) }
        collect(native)
        switch reading {
        case .bytes(let count): return .data(count)
        case .closed:
            state = .closed(native)
            return .closed(isClean: true)
        case .waiting:
            guard hasInputEnded else { return nil }
            state = .closed(native)
            return .closed(isClean: false)
        }
    }

    /// Nothing comes next, unless the peer's bytes have ended.
    private func waiting() throws(TLSError) -> TLSEvent? {
        guard hasInputEnded else { return nil }
        throw fail(TLSError(.truncated, "the peer's bytes end in the middle of the handshake", side: .peer))
    }
}

// MARK: - Judging, and failing

extension TLSConnection {
    /// Judges the peer's certificates.
    func judge(_ chain: [[UInt8]]) -> NativeVerdict {
        let judgement =
            switch role {
            case .server(let context): context.configuration.clientTrust?.judge(chain, identity: nil) ?? .unreadable
            case .client(let client, let server, _): client.configuration.trust.judge(chain, identity: server)
            }
        self.judgement = judgement
        return judgement.native
    }

    /// Takes what libssl has noted on the way.
    func collect(_ native: NativeTLSConnection) {
        guard native.hasNotes else { return }
        let keyLog: (@Sendable (String) -> Void)?
        switch role {
        case .server(let context): keyLog = context.configuration.keyLog
        case .client(let client, let server, _):
            keyLog = client.configuration.keyLog
            let sessions = native.takeSessions()
            if client.configuration.isResuming, case .trusted(let path) = judgement ?? resumed {
                let now = client.configuration.trust.clock()
                for session in sessions { client.sessions.insert(session, for: server, verified: path, now: now) }
            }
        }
        if let keyLog, let lines = native.takeKeyLog() { keyLog(lines) }
    }

    private var resumed: Judgement? {
        guard case .client(_, _, let entry?) = role else { return nil }
        return .trusted(entry.path)
    }

    func fail(_ error: NativeTLSFailure) -> TLSError {
        switch judgement {
        case .untrusted(let diagnosis, _): fail(TLSError(error, diagnosis: diagnosis))
        case .unreadable: fail(TLSError(.untrustedPeer, "a certificate that cannot be read", alert: .badCertificate))
        default: fail(TLSError(error, diagnosis: nil))
        }
    }

    func fail(_ error: TLSError) -> TLSError {
        if failure == nil { failure = error }
        return error
    }
}
