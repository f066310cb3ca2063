internal import AtRest
internal import Foundation
internal import KeyManagement

/// Texts as a person wants to read them.
package enum Presentation {
    /// "1.5 MiB".
    package static func size(_ bytes: Int) -> String {
        guard bytes >= 1024 else { return "\(bytes) bytes" }
        var (value, unit) = (Double(bytes) / 1024, 0)
        while value >= 1024, unit < 3 { (value, unit) = (value / 1024, unit + 1) }
        return String(format: "%.1f %@", value, ["KiB", "MiB", "GiB", "TiB"][unit])
    }

    /// "812.3 MiB/s".
    package static func throughput(_ bytes: Int, in duration: Duration) -> String {
        size(Int(Double(bytes) / max(duration / .seconds(1), 1e-6))) + "/s"
    }

    /// Rows in columns of equal width.
    package static func table(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, text in
                column == row.count - 1
                    ? text : text + String(repeating: " ", count: widths[column] - text.count)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// The last events of a trail as a table.
    package static func auditTable(_ lines: [String], last count: Int = 12) -> String {
        let rows = lines.suffix(count).compactMap { line -> [String]? in
            guard let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)) else { return nil }
            let name = event.userIdentity.arn ?? event.userIdentity.invokedBy ?? ""
            let key = event.resources.first.map { String($0.ARN.suffix(12)) } ?? "-"
            return [
                event.eventTime, event.eventName, name.split(separator: ":").last.map(String.init) ?? name, "…\(key)",
                event.errorCode ?? "ok",
            ]
        }
        return table([["TIME", "EVENT", "BY", "KEY", "RESULT"]] + rows)
    }

    /// Says a line at once, whoever reads it.
    package static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    /// Ends the process with one line on standard error and a status of 1.
    package static func fail(_ command: String, _ error: any Error) -> Never {
        FileHandle.standardError.write(Data("\(command): \(line(error))\n".utf8))
        exit(1)
    }

    /// One line for an error.
    package static func line(_ error: any Error) -> String {
        switch error {
        case let error as KeyManagementError:
            if let store = error.storeError { return "the key store \(store.subject): \(store.reason)" }
            return error.message.isEmpty ? error.description : error.message
        case let error as RecordStoreError: return "the key store \(error.subject): \(error.reason)"
        case let error as EnvelopeError where error == EnvelopeError(.notAuthentic):
            return "the message is damaged, or not what was sealed"
        case let error as EnvelopeError: return error.reason.isEmpty ? error.description : error.reason
        default: return "\(error)"
        }
    }

    private struct Event: Decodable {
        struct Identity: Decodable {
            let arn: String?
            let invokedBy: String?
        }
        struct Resource: Decodable { let ARN: String }
        let eventTime: String
        let eventName: String
        let errorCode: String?
        let userIdentity: Identity
        let resources: [Resource]
    }
}
