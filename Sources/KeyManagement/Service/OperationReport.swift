internal import Auditing
internal import Synchronization

/// What an operation did, beyond its result: which keys it used, and with which of their materials.
package final class OperationReport: Sendable {
    private let content = Mutex<(resources: [String], materials: [String], origin: String, made: KeyMetadata?)>(
        ([], [], "", nil))

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

    /// Takes over what an operation has noted, when its event is made.
    func take(_ log: OperationLog, isDone: Bool) {
        recorded.store(true, ordering: .relaxed)
        guard isDone else { return }
        content.withLock { $0 = (log.resources, log.materials, log.origin, log.made) }
    }
}
