internal import Cryptography
internal import FoundationEssentials

/// An event that happens again and again: its line of JSON is made once, and only time and identifier are new each time.
///
/// A whole event costs as much as a quarter of a signature. In one record of the trail it stands whole once; see ``AuditLines``.
package final class AuditEventTemplate: Sendable {
    private let beforeTime: [UInt8]
    /// The time of the event that it was made from, in 20 characters.
    let time: [UInt8]
    private let beforeID: [UInt8]
    /// That event's identifier, in 36.
    let id: [UInt8]
    private let afterID: [UInt8]

    /// Takes everything but the event's time and identifier.
    package convenience init(_ event: AuditEvent) {
        let line = event.line
        self.init(line.bytes[...], time: line.time, id: line.id)
    }

    /// Takes an event's line apart; nil for a line that has no time and no identifier.
    convenience init?(line: ArraySlice<UInt8>) {
        // The marks have quotes in them, which are escaped within texts, but an encryption context has names of its own: its event's
        // time stands before all of them, and its identifier behind.
        guard let time = AuditEventTemplate.end(ofFirst: #""eventTime":""#, in: line),
            let id = AuditEventTemplate.end(ofLast: #""eventID":""#, in: line[time...]),
            id - time >= AuditEventTemplate.timeCount, line.endIndex - id >= AuditEventTemplate.idCount
        else { return nil }
        self.init(line, time: time, id: id)
    }

    private init(_ line: ArraySlice<UInt8>, time: Int, id: Int) {
        beforeTime = Array(line[..<time])
        self.time = Array(line[time...].prefix(AuditEventTemplate.timeCount))
        beforeID = Array(line[time..<id].dropFirst(AuditEventTemplate.timeCount))
        self.id = Array(line[id...].prefix(AuditEventTemplate.idCount))
        afterID = Array(line[id...].dropFirst(AuditEventTemplate.idCount))
    }

    /// How long a line is.
    var byteCount: Int {
        beforeTime.count + AuditEventTemplate.timeCount + beforeID.count + AuditEventTemplate.idCount + afterID.count
    }

    /// The line of one more such event.
    func line(at second: Int) -> [UInt8] {
        var line = beforeTime
        line.append(copying: AuditEvent.timeDigits(second: second).span)
        line += beforeID
        UUID.random().appendDigits(to: &line)
        return line + afterID
    }

    /// The line of another such event.
    func line(time: [UInt8], id: [UInt8]) -> [UInt8] { beforeTime + time + beforeID + id + afterID }

    /// "2026-01-31T12:00:00Z".
    static let timeCount = 20
    /// A UUID.
    static let idCount = 36

    private static func end(ofFirst mark: String, in line: ArraySlice<UInt8>) -> Int? {
        line.indices.first { line[$0...].starts(with: mark.utf8) }.map { $0 + mark.utf8.count }
    }

    private static func end(ofLast mark: String, in line: ArraySlice<UInt8>) -> Int? {
        line.indices.last { line[$0...].starts(with: mark.utf8) }.map { $0 + mark.utf8.count }
    }
}
