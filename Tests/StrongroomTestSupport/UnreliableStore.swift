import Foundation
package import RecordStorage
import StrongroomPropertyTesting
import Synchronization

/// A store in memory with weather: what a disk, or a network before it, does on a bad day.
package final class UnreliableStore: RecordStore {
    package enum Weather: CaseIterable {
        case fine
        /// Everything takes a while.
        case slow
        /// Some calls fail, and have done nothing.
        case failing
        /// Some commits fail, and have happened.
        case torn
        /// Nothing answers.
        case disconnected
        /// Somebody else has it, for longer than anybody waits.
        case locked
    }

    private let store = MemoryRecordStore()
    private let state: Mutex<(weather: Weather, random: SeededGenerator)>

    package init(seed: UInt64) { state = Mutex((.fine, SeededGenerator(seed: seed))) }

    package var weather: Weather {
        get { state.withLock { $0.weather } }
        set { state.withLock { $0.weather = newValue } }
    }

    /// What the weather does to a call: nil where it goes through, otherwise whether it happens all the same.
    private func fate(isCommit: Bool) -> Bool? {
        state.withLock { state in
            let isUnlucky = UInt8.random(in: 0..<4, using: &state.random) == 0
            switch state.weather {
            case .fine: return nil
            case .slow:
                Thread.sleep(forTimeInterval: 0.0005)
                return nil
            case .failing: return isUnlucky ? false : nil
            case .torn: return isUnlucky && isCommit ? true : nil
            case .disconnected, .locked: return false
            }
        }
    }

    private var failure: RecordStoreError {
        RecordStoreError(weather == .locked ? .locked : .unavailable, subject: "the store", reason: "the weather")
    }

    private func weathered() throws(RecordStoreError) {
        guard fate(isCommit: false) == nil else { throw failure }
    }

    package func record(_ name: RecordName) throws(RecordStoreError) -> Record? {
        try weathered()
        return store.record(name)
    }

    package func version(of name: RecordName) throws(RecordStoreError) -> UInt64 {
        try weathered()
        return store.version(of: name)
    }

    package func records(
        prefix: String, after last: RecordName?, limit: Int
    ) throws(RecordStoreError) -> [Record] {
        try weathered()
        return store.records(prefix: prefix, after: last, limit: limit)
    }

    package func commit(_ writes: [RecordWrite]) throws(RecordStoreError) -> Revision {
        guard let happens = fate(isCommit: true) else { return try store.commit(writes) }
        if happens { try store.commit(writes) }
        throw failure
    }

    package var revision: Revision {
        get throws(RecordStoreError) {
            try weathered()
            return store.revision
        }
    }

    package func changes(since revision: Revision, limit: Int) throws(RecordStoreError) -> [RecordChange] {
        try weathered()
        return store.changes(since: revision, limit: limit)
    }
}
