import Cryptography
import Foundation

/// A response file of NIST's CAVP, and files in its manner: `[SECTION = value]`, `NAME = value`, blank lines between.
package struct NISTVectors {
    package struct Case {
        package let section: [String: String]
        package let fields: [String: String]

        package func hex(_ name: String) -> [UInt8] { Hexadecimal.decode(fields[name] ?? "") ?? [] }
        /// A number, whose digits may be odd in count or begin with zeros, in `count` bytes.
        package func number(_ name: String, count: Int) -> [UInt8] {
            let digits = (fields[name] ?? "").drop { $0 == "0" }
            let padded = String(repeating: "0", count: max(2 * count - digits.count, 0)) + digits
            return Hexadecimal.decode(padded) ?? []
        }
        package func int(_ name: String) -> Int { Int(fields[name] ?? section[name] ?? "") ?? 0 }
    }

    package let cases: [Case]

    /// Reads a file; a case begins with each line that names `first`.
    package init(_ name: String, first: String) throws {
        var cases: [Case] = []
        var section: [String: String] = [:]
        var fields: [String: String] = [:]
        var isInHeader = false
        func close() {
            if fields[first] != nil { cases.append(Case(section: section, fields: fields)) }
            fields = [:]
        }
        for raw in String(decoding: try Vectors.data("nist/" + name), as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        {
            let line = raw.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let isSection = line.hasPrefix("[")
            let parts = line.trimmingCharacters(in: CharacterSet(charactersIn: "[]")).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false
            ).map { $0.trimmingCharacters(in: .whitespaces) }
            let value = parts.count > 1 ? parts[1] : ""
            if isSection {
                close()
                if !isInHeader { section = [:] }
                section[parts[0]] = value
            } else {
                if parts[0] == first { close() }
                fields[parts[0]] = value
            }
            isInHeader = isSection
        }
        close()
        self.cases = cases
        try Vectors.report("nist/" + name, cases.count)
    }
}
