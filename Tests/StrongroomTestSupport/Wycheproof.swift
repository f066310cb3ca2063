import Cryptography
import Foundation

/// A file of C2SP/wycheproof, whose groups and cases are read by name.
package struct Wycheproof {
    /// One case together with the fields of its group.
    package struct Case {
        package let group: [String: Any]
        package let fields: [String: Any]

        package var id: Int { fields["tcId"] as? Int ?? 0 }
        package var result: String { fields["result"] as? String ?? "" }
        package var isValid: Bool { result == "valid" }
        package var flags: [String] { fields["flags"] as? [String] ?? [] }

        package func hex(_ name: String) -> [UInt8] {
            Hexadecimal.decode((fields[name] ?? group[name]) as? String ?? "") ?? []
        }

        package func int(_ name: String) -> Int { (fields[name] ?? group[name]) as? Int ?? 0 }
        package func string(_ name: String) -> String { (fields[name] ?? group[name]) as? String ?? "" }
    }

    package let cases: [Case]

    package init(_ name: String) throws {
        let file = "wycheproof/\(name).json"
        let root = try JSONSerialization.jsonObject(with: try Vectors.data(file)) as? [String: Any]
        let groups = root?["testGroups"] as? [[String: Any]] ?? []
        cases = groups.flatMap { group in
            (group["tests"] as? [[String: Any]] ?? []).map { Case(group: group, fields: $0) }
        }
        try Vectors.report(file, cases.count)
    }
}
