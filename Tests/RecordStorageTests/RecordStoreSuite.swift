import RecordStorage
import Testing

/// What every ``RecordStore`` must do. Each check is given an empty store.
enum RecordStoreSuite: String, CaseIterable, Sendable {
    case getPutDelete, compareAndSet, batches, pages, oddValues, changes, writersAtOnce, asynchronousFace

    func check(_ store: any RecordStore) async throws {
        switch self {
        case .getPutDelete: try Self.getPutDelete(store)
        case .compareAndSet: try Self.compareAndSet(store)
        case .batches: try Self.batches(store)
        case .pages: try Self.pages(store)
        case .oddValues: try Self.oddValues(store)
        case .changes: try Self.changes(store)
        case .writersAtOnce: try await Self.writersAtOnce(store)
        case .asynchronousFace: try await Self.asynchronousFace(store)
        }
    }

    static func getPutDelete(_ store: any RecordStore) throws {
        #expect(try store.record("a") == nil)
        #expect(try store.version(of: "a") == 0)
        #expect(try store.revision == .zero)
        #expect(try store.commit([.put("a", [1, 2], expecting: .absent)]) == Revision(1))
        #expect(try store.record("a") == Record(name: "a", version: 1, value: [1, 2]))
        try store.commit([.put("a", [3], expecting: .version(1))])
        #expect(try store.record("a") == Record(name: "a", version: 2, value: [3]))
        try store.commit([.delete("a", expecting: .version(2))])
        #expect(try store.record("a") == nil)
        #expect(try store.version(of: "a") == 3)
        // A name made again goes on counting: an old version never comes back.
        try store.commit([.put("a", [4], expecting: .absent)])
        #expect(try store.record("a")?.version == 4)
        #expect(try store.commit([]) == Revision(4))
    }

    static func compareAndSet(_ store: any RecordStore) throws {
        try store.commit([.put("a", [1], expecting: .absent)])
        let refused: [RecordWrite] = [
            .put("a", [2], expecting: .absent), .put("a", [2], expecting: .version(2)),
            .put("b", [2], expecting: .version(0)), .put("b", [2], expecting: .version(1)),
            .delete("a", expecting: .version(7)), .delete("b", expecting: .version(1)),
        ]
        for write in refused {
            #expect(throws: RecordStoreError(.conflict, subject: write.name.description)) { try store.commit([write]) }
        }
        #expect(try store.revision == Revision(1))
        try store.commit([.put("a", [2], expecting: .anything), .put("b", [2], expecting: .anything)])
        try store.commit([.delete("c", expecting: .anything), .delete("b", expecting: .anything)])
        #expect(try store.records(prefix: "").map(\.name) == ["a"])
    }

    static func batches(_ store: any RecordStore) throws {
        try store.commit([.put("a", [1], expecting: .absent)])
        #expect(throws: RecordStoreError(.conflict, subject: "a")) {
            try store.commit([
                .put("b", [1], expecting: .absent), .delete("a", expecting: .version(1)),
                .put("a", [2], expecting: .version(1)),
            ])
        }
        #expect(try store.record("b") == nil)
        #expect(try store.record("a")?.version == 1)
        // Later writes of a batch see the earlier ones.
        try store.commit([.delete("a", expecting: .version(1)), .put("a", [3], expecting: .absent)])
        #expect(try store.record("a") == Record(name: "a", version: 3, value: [3]))
    }

    static func pages(_ store: any RecordStore) throws {
        let names = ["k/", "k/a", "k/a/1", "k/b", "k/é", "k/ü/2", "k0", "l", "k-", "K/a"]
        try store.commit(names.map { .put(try RecordName($0), Array($0.utf8), expecting: .absent) })
        let expected = ["k/", "k/a", "k/a/1", "k/b", "k/é", "k/ü/2"]
        for limit in 1...7 {
            var found: [String] = []
            while true {
                let last = try found.last.map { try RecordName($0) }
                let page = try store.records(prefix: "k/", after: last, limit: limit)
                #expect(page.allSatisfy { $0.value == Array($0.name.description.utf8) })
                found += page.map(\.name.description)
                if page.count < limit { break }
            }
            #expect(found == expected)
        }
        #expect(try store.records(prefix: "zz").isEmpty)
        #expect(try store.records(prefix: "").count == names.count)
        try store.commit([.delete("k/a", expecting: .anything)])
        #expect(try store.records(prefix: "k/a").map(\.name) == ["k/a/1"])
    }

    static func oddValues(_ store: any RecordStore) throws {
        let values: [[UInt8]] = [[], [0], Array(repeating: 0, count: 5000), (0..<70_000).map { UInt8($0 % 251) }]
        for (index, value) in values.enumerated() {
            let name = try RecordName("v/\(index)")
            try store.commit([.put(name, value, expecting: .absent)])
            #expect(try store.record(name)?.value == value)
        }
        for name in ["", "a\u{0}b", "a\nb", String(repeating: "x", count: 513)] {
            #expect(throws: RecordStoreError(.invalidName, subject: name)) { _ = try RecordName(name) }
        }
    }

    static func changes(_ store: any RecordStore) throws {
        try store.commit([.put("b", [1], expecting: .absent), .put("a", [1], expecting: .absent)])
        try store.commit([.put("c", [1], expecting: .absent)])
        try store.commit([.put("a", [2], expecting: .version(1))])
        try store.commit([.delete("b", expecting: .version(1))])
        let all = try store.changes(since: .zero, limit: 100)
        #expect(all.map(\.name) == ["c", "a", "b"])
        #expect(all.map(\.revision.rawValue) == [2, 3, 4])
        #expect(all.map(\.version) == [1, 2, 2])
        #expect(all.map(\.isDeletion) == [false, false, true])
        #expect(try store.changes(since: Revision(2), limit: 1).map(\.name) == ["a"])
        #expect(try store.changes(since: Revision(4), limit: 10).isEmpty)
    }

    /// Eight tasks count up one record with compare-and-set, and one record each without conflict.
    static func writersAtOnce(_ store: any RecordStore) async throws {
        try store.commit([.put("counter", [0, 0], expecting: .absent)])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    let own = try RecordName("writer/\(writer)")
                    for round in 0..<25 {
                        try increment("counter", in: store)
                        try store.commit([.put(own, [UInt8(round)], expecting: .anything)])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try store.record("counter")?.value == [200, 0])
        #expect(try store.record("counter")?.version == 201)
        #expect(try store.records(prefix: "writer/").map(\.version) == Array(repeating: 25, count: 8))
        #expect(try store.revision == Revision(401))
    }

    static func asynchronousFace(_ store: any RecordStore) async throws {
        try await store.asynchronous.commit([.put("a", [1], expecting: .absent)])
        #expect(try await store.asynchronous.record("a")?.value == [1])
        #expect(try await store.asynchronous.records(prefix: "a").count == 1)
        #expect(try await store.asynchronous.changes(since: .zero, limit: 9).count == 1)
        await #expect(throws: RecordStoreError(.conflict, subject: "a")) {
            try await store.asynchronous.commit([.put("a", [1], expecting: .absent)])
        }
    }

    /// Counts a little-endian record of two bytes up by one.
    static func increment(_ name: RecordName, in store: any RecordStore) throws {
        while true {
            guard let record = try store.record(name) else { return }
            let count = Int(record.value[0]) + Int(record.value[1]) << 8 + 1
            do {
                try store.commit([
                    .put(name, [UInt8(count & 255), UInt8(count >> 8)], expecting: .version(record.version))
                ])
                return
            } catch  where error.code == .conflict {
                continue
            }
        }
    }
}

@Suite struct MemoryRecordStoreTests {
    @Test(arguments: RecordStoreSuite.allCases)
    func `a folder is a record store`(_ suite: RecordStoreSuite) async throws {
        try await suite.check(try RecordFolder("part", of: MemoryRecordStore()))
    }

    @Test(arguments: RecordStoreSuite.allCases)
    func `memory is a record store`(_ suite: RecordStoreSuite) async throws {
        try await suite.check(MemoryRecordStore())
    }
}
