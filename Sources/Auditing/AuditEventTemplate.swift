internal import Cryptography
internal import FoundationEssentials

/// An event that happens again and again: its line of JSON is made once, and only time and identifier are new each time.
///
/// A whole event costs as much as a quarter of a signature. In one record of the trail it stands whole once; what repeats
/// it says how many lines before, when, and by which identifier. Layout: Documentation/Formats/AuditTrail.md.
package final class AuditEventTemplate: Sendable {
    private let beforeTime: [UInt8]
    private let beforeID: [UInt8]
    private let afterID: [UInt8]

    /// Takes everything but the event's time and identifier.
    package convenience init(_ event: AuditEvent) { self.init(line: event.jsonBytes[...]) }

    private init(line: ArraySlice<UInt8>) {
        // The marks have quotes in them, which are escaped within texts: they are the fields themselves.
        let time = AuditEventTemplate.end(of: #""eventTime":""#, in: line)
        let id = AuditEventTemplate.end(of: #""eventID":""#, in: line[time...])
        beforeTime = Array(line[..<time])
        beforeID = Array(line[time..<id].dropFirst(AuditEventTemplate.timeCount))
        afterID = Array(line[id...].dropFirst(AuditEventTemplate.idCount))
    }

    /// An event's own part: its time and identifier.
    struct Occurrence {
        fileprivate let time: [20 of UInt8]
        fileprivate let id: UUID
    }

    /// One more event of this kind.
    func occurrence(at time: Date) -> Occurrence {
        Occurrence(time: AuditEvent.timeDigits(time), id: .random())
    }

    /// The event's line.
    func line(_ occurrence: Occurrence) -> [UInt8] {
        var line = beforeTime
        line.append(copying: occurrence.time.span)
        line += beforeID
        occurrence.id.appendDigits(to: &line)
        return line + afterID
    }

    /// The line of an event that stands whole, `distance` lines before.
    static func append(_ occurrence: Occurrence, distance: UInt32, to line: inout [UInt8]) {
        line += like
        line += String(distance).utf8
        line += timeMark
        line.append(copying: occurrence.time.span)
        line += idMark
        occurrence.id.appendDigits(to: &line)
        line += end
    }

    /// A record's lines, each of them whole. A line that repeats what is not there stays as it is.
    static func expand(_ lines: [ArraySlice<UInt8>]) -> [[UInt8]] {
        var templates: [Int: AuditEventTemplate] = [:]
        return lines.enumerated().map { index, line in
            guard line.starts(with: like) else { return Array(line) }
            let digits = line.dropFirst(like.count).prefix { (0x30...0x39).contains($0) }
            let rest = line[digits.endIndex...].dropFirst(timeMark.count)
            guard let distance = Int(String(decoding: digits, as: UTF8.self)), distance > 0, distance <= index,
                rest.count == timeCount + idMark.count + idCount + end.count
            else { return Array(line) }
            let place = index - distance
            let template = templates[place] ?? AuditEventTemplate(line: lines[place])
            templates[place] = template
            let id = rest.dropFirst(timeCount + idMark.count).prefix(idCount)
            return template.beforeTime + rest.prefix(timeCount) + template.beforeID + id + template.afterID
        }
    }

    private static let like = Array(#"{"like":"#.utf8)
    private static let timeMark = Array(#","eventTime":""#.utf8)
    private static let idMark = Array(#"","eventID":""#.utf8)
    private static let end = Array(#""}"#.utf8)
    private static let timeCount = 20
    private static let idCount = 36

    private static func end(of mark: StaticString, in line: ArraySlice<UInt8>) -> Int {
        let mark = Array("\(mark)".utf8)
        let start = line.indices.first { line[$0...].starts(with: mark) }
        return start.map { $0 + mark.count } ?? line.endIndex
    }
}
