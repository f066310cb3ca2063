import Foundation

@main struct Benchmarks {
    static func main() async throws {
        let words = Array(CommandLine.arguments.dropFirst())
        let isJSON = words.contains("--json")
        func option(_ name: String) -> String? {
            words.firstIndex(of: name).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
        }
        if let path = option("--keys-at") {
            return try await ManyKeys.measure(option("--keys").flatMap { Int($0) } ?? 100_000, at: path)
        }
        if let folder = option("--group-commit-in") { return try await GroupCommit.measure(callers: 8, in: folder) }
        let (suite, only) = (option("--suite"), option("--case"))
        let rounds = option("--rounds").flatMap { Int($0) } ?? 15
        var comparisons: [Comparison] = []
        if suite == nil || suite == "primitives" { comparisons += try Primitives.comparisons() }
        if suite == nil || suite == "kms" { comparisons += try await Services.keyManagement() }
        if suite == nil || suite == "envelope" { comparisons += try await Envelopes.comparisons() }
        if suite == nil || suite == "hsm" { comparisons += try HSMs.comparisons() }
        if suite == nil || suite == "certificates" { comparisons += try await CertificateIssues.comparisons() }
        if suite == nil || suite == "tls" { comparisons += try await Connections.comparisons() }
        if !isJSON {
            print("| suite | case | peer | ours ns | theirs ns | ratio min | ratio median | allocations | theirs |")
            print("|---|---|---|---|---|---|---|---|---|")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for comparison in comparisons where only.map(comparison.name.contains) ?? true {
            let row = try await comparison.measure(rounds: max(rounds, 1))
            if isJSON {
                print(String(decoding: try encoder.encode(row), as: UTF8.self))
            } else {
                print(
                    "| \(row.suite) | \(row.name) | \(row.peer) |",
                    String(
                        format: "%.0f | %.0f | %.3f | %.3f | %.2f | %.2f |", row.ours, row.theirs, row.ratioMin,
                        row.ratioMedian, row.allocations, row.allocationsTheirs))
            }
        }
    }
}
