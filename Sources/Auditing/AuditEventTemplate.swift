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
            let (time, id) = (AuditEventLine.timeCount, AuditEventLine.idCount)
            let digest = try HashFunction.sha256.hash(
                line.at([UInt8](repeating: 0, count: time), id: [UInt8](repeating: 0, count: id)))
            let bytes = digest.bytes
            func word(_ index: Int) -> UInt64 {
                (0..<8).reduce(0) { $0 << 8 | UInt64(bytes[8 * index + $1]) }
            }
            (first, second, third, fourth) = (word(0), word(1), word(2), word(3))
        }
    }
}
