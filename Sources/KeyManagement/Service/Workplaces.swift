internal import Synchronization
internal import SystemCalls

/// What keys that are used have at hand, on each core apart: threads that use the same key at the same time meet at none of it.
///
/// A key takes a number when it is used first, and gives it back when it goes: what it had at hand goes with it, on all cores.
struct Workplaces: ~Copyable, Sendable {
    /// Those of the process. No object: its references would be counted by all threads.
    static let shared = Workplaces()

    private let places = Core.Places<Place> { _ in Place() }
    private let numbers = Mutex((free: [Int](), count: 0))

    /// What a core has at hand, by the keys' numbers, in cache lines of its own.
    private struct Place: ~Copyable {
        private let before = InlineArray<7, UInt64>(repeating: 0)
        let workings = Mutex<[ManagedKey.Working?]>([])
        private let after = InlineArray<7, UInt64>(repeating: 0)
    }

    /// What this core has at hand for a key; made where there is nothing.
    ///
    /// Nothing is made and nothing let go under a place's lock, which all keys of the process need on that core: policies are long,
    /// and what a custodian does when it goes is its own affair.
    func working(_ number: Int, _ make: (_ place: Int) -> ManagedKey.Working) -> ManagedKey.Working {
        let place = Core.place
        if let working = working(number, at: place) { return working }
        let made = make(place)
        return places[place].workings.withLock { workings in
            if workings.indices.contains(number), let working = workings[number] { return working }
            Workplaces.put(made, at: number, in: &workings)
            return made
        }
    }

    /// What any core has at hand of a kind that a key asks for.
    func first<Part>(_ number: Int, _ find: (ManagedKey.Working) -> Part?) -> Part? {
        for place in 0..<Core.placeCount {
            if let working = working(number, at: place), let found = find(working) { return found }
        }
        return nil
    }

    private func working(_ number: Int, at place: Int) -> ManagedKey.Working? {
        places[place].workings.withLock { $0.indices.contains(number) ? $0[number] : nil }
    }

    /// A number for a key.
    func takeNumber() -> Int {
        numbers.withLock { numbers in
            if let number = numbers.free.popLast() { return number }
            numbers.count += 1
            return numbers.count - 1
        }
    }

    /// A number for a key in place of an older one: what `change` makes of what each core had at hand for that.
    func takeNumber(
        after older: Int, _ change: (ManagedKey.Working, _ place: Int) -> ManagedKey.Working
    ) -> Int {
        let number = takeNumber()
        for place in 0..<Core.placeCount {
            guard let working = working(older, at: place) else { continue }
            let changed = change(working, place)
            places[place].workings.withLock { Workplaces.put(changed, at: number, in: &$0) }
        }
        return number
    }

    /// Forgets what a key had at hand.
    func giveBack(_ number: Int) {
        for place in 0..<Core.placeCount {
            let gone = places[place].workings.withLock { workings -> ManagedKey.Working? in
                guard workings.indices.contains(number) else { return nil }
                defer { workings[number] = nil }
                return workings[number]
            }
            _ = consume gone
        }
        numbers.withLock { $0.free.append(number) }
    }

    private static func put(
        _ working: ManagedKey.Working, at number: Int, in workings: inout [ManagedKey.Working?]
    ) {
        while workings.count <= number { workings.append(nil) }
        workings[number] = working
    }
}
