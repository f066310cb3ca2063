import Foundation
package import Testing

/// What a test needs beyond the clone, and whether its absence may skip the test.
///
/// `STRONGROOM_REQUIRE=vectors,peers` turns the skips of that kind into failures.
package enum Requirement: String, Sendable {
    case vectors
    case peers
    /// That the linked OpenSSL is at least this.
    case openSSL35 = "openssl-3.5"

    package var isMandatory: Bool {
        let required = ProcessInfo.processInfo.environment["STRONGROOM_REQUIRE"] ?? ""
        return required.split(separator: ",").contains { $0 == rawValue }
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where the files are not to be found, unless they are required.
    package static func vectors(_ names: String...) -> Self {
        let missing = names.filter { Vectors.url($0) == nil }
        return .enabled(
            if: missing.isEmpty || Requirement.vectors.isMandatory,
            "no vectors here: \(missing.joined(separator: ", ")); set STRONGROOM_VECTORS, pip install cryptography-vectors"
        )
    }

    /// Skips where a program is not to be found, unless peers are required.
    package static func peer(_ program: String) -> Self {
        .enabled(
            if: Requirement.peers.isMandatory || (try? Subprocess.run("which", [program]).status) == 0,
            "no \(program) here; .ci/run installs it")
    }
}
