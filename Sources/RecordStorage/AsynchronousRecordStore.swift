internal import Dispatch

/// A store for callers that must not block: each call runs on a thread of its own queue and suspends its caller.
///
/// Swift's cooperative threads are as many as cores; a few that wait for a disk would stop every task of the process.
public struct AsynchronousRecordStore: Sendable {
    private let store: any RecordStore
    private let queue = DispatchQueue(label: "strongroom.records", attributes: .concurrent)

    fileprivate init(_ store: any RecordStore) { self.store = store }

    /// See ``RecordStore/record(_:)``.
    public func record(_ name: RecordName) async throws(RecordStoreError) -> Record? {
        try await run { store throws(RecordStoreError) in try store.record(name) }
    }

    /// See ``RecordStore/records(prefix:)``.
    public func records(prefix: String) async throws(RecordStoreError) -> [Record] {
        try await run { store throws(RecordStoreError) in try store.records(prefix: prefix) }
    }

    /// See ``RecordStore/commit(_:)``.
    @discardableResult
    public func commit(_ writes: [RecordWrite]) async throws(RecordStoreError) -> Revision {
        try await run { store throws(RecordStoreError) in try store.commit(writes) }
    }

    /// See ``RecordStore/changes(since:limit:)``.
    public func changes(since revision: Revision, limit: Int) async throws(RecordStoreError) -> [RecordChange] {
        try await run { store throws(RecordStoreError) in try store.changes(since: revision, limit: limit) }
    }

    private func run<T: Sendable>(
        _ body: @escaping @Sendable (any RecordStore) throws(RecordStoreError) -> T
    ) async throws(RecordStoreError) -> T {
        let result: Result<T, RecordStoreError> = await withCheckedContinuation { continuation in
            queue.async { [store] in
                do throws(RecordStoreError) {
                    continuation.resume(returning: .success(try body(store)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}

extension RecordStore {
    /// The same store for callers that must not block.
    public var asynchronous: AsynchronousRecordStore { AsynchronousRecordStore(self) }
}
