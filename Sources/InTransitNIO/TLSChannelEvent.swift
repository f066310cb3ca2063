#if NIO
public import InTransit
public import NIOCore

/// What ``TLSHandler`` tells the handlers behind it, besides data.
public enum TLSChannelEvent: Sendable {
    /// The handshake is finished, and the peer is who it should be.
    case established(NegotiatedSession)
    /// The peer sends no more. Where it has not said so, somebody else may have cut it off: what came may lack its end, and a
    /// protocol that does not know where its messages end must not believe the last one.
    case closed(isClean: Bool)
}

extension ChannelPipeline.SynchronousOperations {
    /// What the connection of this pipeline has agreed on, with the peer's verified certificates.
    ///
    /// - Returns: nil before the handshake is finished.
    /// - Throws: where there is no ``TLSHandler``.
    public func negotiatedSession() throws -> NegotiatedSession? { try handler(type: TLSHandler.self).session }
}
#endif
