internal import Auditing
internal import Synchronization

/// What an operation did, beyond its result: which keys it used, and with which of their materials.
package final class OperationReport: Sendable {
    private struct Content {
        var resources: [String] = []
        var materials: [String] = []
        var origin = ""
        var made: KeyMetadata?
        var policy = ""
        var waits = false
    }

    private let content = Mutex(Content())
    private let recorded = Atomic(false)

    package init() {}

    /// Whether an event of an operation was written, of a refused one too.
    package var isRecorded: Bool { recorded.load(ordering: .relaxed) }

    /// The ARNs of the keys used, in the order of their use.
    package var resources: [String] { content.withLock { $0.resources } }
    /// The identifiers of the materials used, in the order of their use.
    package var materials: [String] { content.withLock { $0.materials } }

    /// Where the last key's material comes from, by AWS's name.
    package var origin: String { content.withLock { $0.origin } }

    /// The key that was made.
    package var made: KeyMetadata? { content.withLock { $0.made } }

    /// The policy of the key that was made.
    package var madePolicy: String { content.withLock { $0.policy } }
    /// Whether a key that is to be deleted waits for its replicas.
    package var isWaitingForReplicas: Bool { content.withLock { $0.waits } }

    /// Takes over what an operation has noted, when its event is made.
    func take(_ log: OperationLog, isDone: Bool) {
        recorded.store(true, ordering: .relaxed)
        guard isDone else { return }
        content.withLock { content in
            content.resources = log.resources
            content.materials = log.materials
            content.origin = log.origin
            content.waits = log.isWaitingForReplicas
            // One operation may make a key and then change another.
            if let made = log.made { (content.made, content.policy) = (made.metadata, made.policy) }
        }
    }
}
