internal import OpenSSLShim
internal import TLSShim

extension TLSError {
    /// What libssl reports, in this module's terms.
    ///
    /// - Parameter diagnosis: why the peer's certificates were refused, where they were.
    init(_ failure: NativeTLSFailure, diagnosis: PathDiagnosis?) {
        let sent = failure.sentAlert.map { TLSAlert(rawValue: $0) }
        let received = failure.receivedAlert.map { TLSAlert(rawValue: $0) }
        let reasons = failure.reasons.joined(separator: "; ")
        if failure.isForked {
            self.init(.internalFailure, "the process was forked: the session is its parent's")
        } else if failure.isEnded {
            self.init(.truncated, "the peer has ended in the middle of the handshake", side: .peer)
        } else if let diagnosis {
            self.init(untrusted: diagnosis, alert: sent)
        } else if let cause = failure.cause {
            self.init(.signerFailure, alert: sent)
            self.cause = cause
        } else if let received {
            self.init(.refusedByPeer, side: .peer, alert: received)
        } else if sent == .certificateRequired || reasons.contains("peer did not return a certificate") {
            self.init(.untrustedPeer, "it has shown no certificate", alert: sent)
        } else if sent == .internalError {
            self.init(.internalFailure, reasons, alert: sent)
        } else if let sent, !sent.isAboutTheProtocol {
            self.init(.incompatible, reasons, alert: sent)
        } else {
            self.init(.protocolViolation, reasons, alert: sent)
        }
    }

    /// A peer whose certificates were refused.
    init(untrusted diagnosis: PathDiagnosis, alert: TLSAlert?) {
        self.init(.untrustedPeer, diagnosis.description, alert: alert)
        self.diagnosis = diagnosis
        certificate = diagnosis.defect.certificate
    }

    /// A failure to set up.
    init(_ error: NativeError) {
        switch error {
        case .refused(let operation, let reasons):
            self.init(.invalidConfiguration, ([String(describing: operation)] + reasons).joined(separator: ": "))
        default: self.init(.internalFailure, "\(error)")
        }
    }
}
