internal import AccessPolicy
internal import Synchronization
internal import SystemCalls

/// Policies by their texts: most keys have the same. Each core has its own, for each operation asks one.
final class CompiledPolicies: Sendable {
    private let places = Core.Places<Mutex<[String: PolicyDocument]>> { _ in Mutex([:]) }

    /// The policy that a text is, as a core has it.
    func policy(_ text: String, at place: Int = Core.place) throws(PolicyError) -> PolicyDocument {
        if let known = places[place].withLock({ $0[text] }), known.text.hasSameBytes(as: text) { return known }
        let policy = try PolicyDocument(text)
        places[place].withLock { known in
            if known.count >= 1000 { known.removeAll() }
            known[text] = policy
        }
        return policy
    }
}
