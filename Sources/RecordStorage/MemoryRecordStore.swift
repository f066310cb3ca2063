import Synchronization

/// A store in memory: for tests, and for keys that should not outlive the process.
public final class MemoryRecordStore: RecordStore {
    private struct Entry {
        var version: UInt64
        var revision: UInt64
        var value: [UInt8]?
    }

    private struct State {
        var entries: [RecordName: Entry] = [:]
        /// The names of all entries, deleted ones too, in order.
        var names: [RecordName] = []
        var revision: UInt64 = 0
        /// What each revision has written, oldest first. A name that was written again later stands here twice.
        var feed: [(revision: UInt64, name: RecordName)] = []

        /// Where the changes behind a revision begin.
        func place(behind revision: UInt64) -> Int {
            var (low, high) = (0, feed.count)
            while low < high {
                let middle = (low + high) / 2
                if feed[middle].revision <= revision { low = middle + 1 } else { high = middle }
            }
            return low
        }

        /// Forgets what was written again later, once that is the most of the feed.
        mutating func shortenFeed() {
            guard feed.count > 2 * entries.count + 64 else { return }
            feed = feed.filter { entries[$0.name]?.revision == $0.revision }
        }

        /// Where a name stands, or would.
        func position(of name: RecordName) -> Int {
            var (low, high) = (0, names.count)
            while low < high {
                let middle = (low + high) / 2
                if names[middle] < name { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private let state = Mutex(State())

    /// An empty store.
    public init() {}

    /// See ``RecordStore``.
    public func record(_ name: RecordName) -> Record? {
        state.withLock { state in
            state.entries[name].flatMap { entry in
                entry.value.map { Record(name: name, version: entry.version, value: $0) }
            }
        }
    }

    /// See ``RecordStore``.
    public func version(of name: RecordName) -> UInt64 {
        state.withLock { $0.entries[name]?.version ?? 0 }
    }

    /// See ``RecordStore``.
    public func records(prefix: String, after last: RecordName?, limit: Int) -> [Record] {
        state.withLock { state in
            var found: [Record] = []
            var index = last.map { state.position(of: $0) } ?? 0
            if last == nil, let first = try? RecordName(prefix) { index = state.position(of: first) }
            while index < state.names.count, found.count < limit {
                let name = state.names[index]
                index += 1
                if let last, !(last < name) { continue }
                guard name.description.utf8.starts(with: prefix.utf8) else {
                    if prefix.utf8.lexicographicallyPrecedes(name.description.utf8) { break }
                    continue
                }
                if let entry = state.entries[name], let value = entry.value {
                    found.append(Record(name: name, version: entry.version, value: value))
                }
            }
            return found
        }
    }

    /// See ``RecordStore``.
    @discardableResult
    public func commit(_ writes: [RecordWrite]) throws(RecordStoreError) -> Revision {
        let result: Result<Revision, RecordStoreError> = state.withLock { state in
            guard !writes.isEmpty else { return .success(Revision(state.revision)) }
            // Later writes of a batch see the earlier ones.
            var changed: [RecordName: Entry] = [:]
            for write in writes {
                let entry = changed[write.name] ?? state.entries[write.name]
                let isMet =
                    switch write.expectation {
                    case .absent: entry?.value == nil
                    case .version(let version): entry?.value != nil && entry?.version == version
                    case .anything: true
                    }
                guard isMet else { return .failure(RecordStoreError(.conflict, subject: write.name.description)) }
                if write.value == nil && entry?.value == nil { continue }
                changed[write.name] = Entry(
                    version: (entry?.version ?? 0) + 1, revision: state.revision + 1, value: write.value)
            }
            state.revision += 1
            for (name, entry) in changed.sorted(by: { $0.key < $1.key }) {
                state.feed.append((state.revision, name))
                if state.entries.updateValue(entry, forKey: name) == nil {
                    state.names.insert(name, at: state.position(of: name))
                }
            }
            state.shortenFeed()
            return .success(Revision(state.revision))
        }
        return try result.get()
    }

    /// See ``RecordStore``.
    public var revision: Revision { state.withLock { Revision($0.revision) } }

    /// See ``RecordStore``.
    public func changes(since revision: Revision, limit: Int) -> [RecordChange] {
        state.withLock { state in
            var changes: [RecordChange] = []
            for (written, name) in state.feed[state.place(behind: revision.rawValue)...] {
                guard changes.count < limit else { break }
                guard let entry = state.entries[name], entry.revision == written else { continue }
                changes.append(
                    RecordChange(
                        name: name, version: entry.version, revision: Revision(written), isDeletion: entry.value == nil)
                )
            }
            return changes
        }
    }
}
