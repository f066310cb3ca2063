package import Cryptography
internal import FoundationEssentials

/// An event that happens again and again: its line of JSON is made once, and only time and identifier are new each time.
///
/// A whole event costs as much as a quarter of a signature. In one record of the trail it stands whole once; see ``AuditLines``.
/// Threads may each have a template of their own for the same event: it is the same to the trail.
package final class AuditEventTemplate: Sendable {
    private let line: AuditEventLine
    let content: Content
    /// How long a line is.
    let byteCount: Int

    /// Takes everything but the event's time and identifier.
    package init(_ event: AuditEvent) throws(CryptographyError) {
        let line = AuditEventLine(event)
        self.line = line
        content = try Content(line)
        byteCount = line.byteCount
    }

    /// The line of one more such event.
    func line(at second: Int) -> [UInt8] {
        var id: [UInt8] = []
        UUID.random().appendDigits(to: &id)
        var time: [UInt8] = []
        time.append(copying: AuditEvent.timeDigits(second: second).span)
        return line.at(time, id: id)
    }

    /// What an event tells but for time and identifier, as a digest of it: the same for the same.
    struct Content: Hashable, Sendable {
        private let first, second, third, fourth: UInt64

        init(_ line: AuditEventLine) throws(CryptographyError) {
            let zeros = [UInt8](repeating: 0, count: max(AuditEventLine.timeCount, AuditEventLine.idCount))
            let digest = try HashFunction.sha256.hash(
                line.at(Array(zeros.prefix(AuditEventLine.timeCount)), id: Array(zeros.prefix(AuditEventLine.idCount))))
            let bytes = digest.bytes
            func word(_ index: Int) -> UInt64 {
                (0..<8).reduce(0) { $0 << 8 | UInt64(bytes[8 * index + $1]) }
            }
            (first, second, third, fourth) = (word(0), word(1), word(2), word(3))
        }
    }
}

/// An event's line of JSON, taken apart at its time and its identifier.
struct AuditEventLine: Sendable {
    private let beforeTime: [UInt8]
    /// Its time, in 20 characters.
    let time: [UInt8]
    private let beforeID: [UInt8]
    /// Its identifier, in 36.
    let id: [UInt8]
    private let afterID: [UInt8]

    init(_ event: AuditEvent) {
        let line = event.line
        self.init(line.bytes[...], time: line.time, id: line.id)
    }

    /// Takes a line apart; nil where it has no time and no identifier.
    init?(_ line: ArraySlice<UInt8>) {
        // The marks have quotes in them, which are escaped within texts, but an encryption context has names of its own: its event's
        // time stands before all of them, and its identifier behind.
        guard let time = AuditEventLine.end(ofFirst: #""eventTime":""#, in: line),
            let id = AuditEventLine.end(ofLast: #""eventID":""#, in: line[time...]),
            id - time >= AuditEventLine.timeCount, line.endIndex - id >= AuditEventLine.idCount
        else { return nil }
        self.init(line, time: time, id: id)
    }

    private init(_ line: ArraySlice<UInt8>, time: Int, id: Int) {
        beforeTime = Array(line[..<time])
        self.time = Array(line[time...].prefix(AuditEventLine.timeCount))
        beforeID = Array(line[time..<id].dropFirst(AuditEventLine.timeCount))
        self.id = Array(line[id...].prefix(AuditEventLine.idCount))
        afterID = Array(line[id...].dropFirst(AuditEventLine.idCount))
    }

    var byteCount: Int {
        beforeTime.count + AuditEventLine.timeCount + beforeID.count + AuditEventLine.idCount + afterID.count
    }

    /// The same at another time, by another identifier.
    func at(_ time: [UInt8], id: [UInt8]) -> [UInt8] { beforeTime + time + beforeID + id + afterID }

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
