import Cryptography
import Foundation
import StrongroomPropertyTesting
import Testing

@testable import Auditing

/// Runs of events that repeat one another: nothing is lost, added or put elsewhere, whatever happens to the writes.
@Suite struct AuditLinesTests {
    /// What happens to a buffer.
    enum Step: Sendable {
        case event(Int)
        case repetition(of: Int, times: Int)
        case second
        case write
        /// A write that fails, and has happened all the same or not.
        case failure(happened: Bool)
    }

    private static let steps = Generator<Step> { choices in
        switch choices.draw(upTo: 9) {
        case 0...4: .repetition(of: Int(choices.draw(upTo: 2)), times: 1 + Int(choices.draw(upTo: 4)))
        case 5: .event(Int(choices.draw(upTo: 2)))
        case 6, 7: .second
        case 8: .write
        default: .failure(happened: choices.draw(upTo: 1) == 1)
        }
    }.array(upTo: 60)

    private static func event(_ number: Int, at second: Int = 0, note: String = "") -> AuditEvent {
        var event = AuditEvent(
            time: Date(timeIntervalSince1970: Double(second)), source: "kms.amazonaws.com", name: "Event\(number)",
            region: "us-east-1", account: "111122223333",
            identity: .init(type: "Root", arn: "arn:aws:iam::111122223333:root", account: "111122223333"))
        event.requestParameters = [
            ("eventTime", .text(#"","eventID":"x"#)), ("like", .text(#"{"like":1}"#)),
            // Names of an encryption context are whoever's who encrypts.
            (
                "encryptionContext",
                .map([
                    "eventTime": "2000-01-01T00:00:00Z", "like": "1",
                    "eventID": number == 1 ? "x" : "aaaaaaaa-0000-4000-8000-000000000000",
                ])
            ),
        ]
        event.additionalData = [("note", .text(note))]
        return event
    }

    private static func brief(_ number: Int, _ second: Int) -> String { "\(number) at \(second)" }

    @Test func `every event comes back once, in its order and at its time`() async {
        await forAll(Self.steps, count: 400) { steps in
            let templates = try (0..<3).map { try AuditEventTemplate(Self.event($0)) }
            var buffer = AuditBuffer()
            var (second, hasHappened) = (1_800_000_000, false)
            var (expected, written): ([String], [[UInt8]]) = ([], [])
            func write() {
                buffer.settle(isThere: hasHappened)
                hasHappened = false
            }
            for step in steps {
                switch step {
                case .event(let number):
                    buffer.add(Self.event(number, at: second).jsonBytes)
                    expected.append(Self.brief(number, second))
                case .repetition(let number, let times):
                    for _ in 0..<times {
                        buffer.add(templates[number], at: second)
                        expected.append(Self.brief(number, second))
                    }
                case .second: second += 1
                case .write:
                    write()
                    let batch = buffer.take()
                    let events = AuditLines.events(in: batch.lines)
                    try require(events.count == Int(batch.count), "\(events.count) of \(batch.count)")
                    written += events
                    buffer.finish()
                case .failure(let happened):
                    write()
                    let batch = buffer.take()
                    guard batch.count > 0 else { break }
                    if happened { written += AuditLines.events(in: batch.lines) }
                    hasHappened = happened
                    buffer.putBack(batch)
                }
            }
            write()
            written += AuditLines.events(in: buffer.take().lines)
            var identifiers: Set<String> = []
            let found = try written.map { line in
                let json = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
                let id = json?["eventID"] as? String ?? ""
                try require(UUID(uuidString: id)?.lowercaseText == id, "\(id) is no UUID")
                identifiers.insert(id)
                let time = try Date(json?["eventTime"] as? String ?? "", strategy: .iso8601)
                let name = (json?["eventName"] as? String)?.dropFirst("Event".count) ?? ""
                return "\(name) at \(Int(time.timeIntervalSince1970))"
            }
            try require(found == expected, "\(found)")
            try require(identifiers.count == expected.count, "an identifier twice")
        }
    }

    @Test func `whatever is cut or changed makes no more events than a record may have`() throws {
        var buffer = AuditBuffer()
        let template = try AuditEventTemplate(Self.event(1))
        for second in 0..<5 { for _ in 0..<3 { buffer.add(template, at: second) } }
        let lines = buffer.take().lines
        for index in lines.indices {
            for bit in 0..<8 {
                var changed = lines
                changed[index] ^= 1 << bit
                #expect(AuditLines.events(in: changed).count <= AuditLines.mostEvents)
            }
            #expect(AuditLines.events(in: Array(lines[..<index])).count <= 15)
        }
    }

    @Test func `a run of nothing, of none or of too many stays as it is`() {
        let whole = Self.event(1).jsonBytes + [0x0A]
        for text in [
            #"{"like":1}"#, #"{"like":0}"#, #"{"like":"#, #"{"like":99999999999999999999}"#, #"{"like":-1}"#,
        ] { #expect(AuditLines.events(in: Array(text.utf8)) == [Array(text.utf8)]) }
        for text in [
            #"{"like":2}"#, #"{"like":1,"times":0}"#, #"{"like":1,"times":65536}"#,
            #"{"like":1,"times":9223372036854775807}"#, #"{"like":1,"eventTime":"2027-01-15T08:00:00Z}"#,
            #"{"like":1,"eventTime":"2027"#, #"{"like":1}}"#,
            #"{"like":1,"times":1,"eventTime":"2027-01-15T08:00:00Z"}"#,
        ] { #expect(AuditLines.events(in: whole + text.utf8).last == Array(text.utf8)) }
        #expect(AuditLines.events(in: whole + #"{"like":1,"times":65535}"#.utf8).count == 65536)
        // Nor does a long line become more than a process can have.
        let long = Self.event(1, note: String(repeating: "x", count: 1 << 20)).jsonBytes + [0x0A]
        #expect(AuditLines.events(in: long + #"{"like":1,"times":200}"#.utf8).count == 2)
        #expect(AuditLines.events(in: long + #"{"like":1,"times":100}"#.utf8).count == 101)
    }

    @Test func `a buffer is full before its events are more than are read`() throws {
        var buffer = AuditBuffer()
        let template = try AuditEventTemplate(Self.event(1, note: String(repeating: "x", count: 1 << 20)))
        var count = 0
        while !buffer.isFull {
            buffer.add(template, at: count)
            count += 1
        }
        #expect(count < 70)
        #expect(AuditLines.events(in: buffer.take().lines).count == count)
        #expect(buffer.isFull)
        buffer.finish()
        #expect(!buffer.isFull)
    }

    @Test func `identifiers count on beyond their last digit`() throws {
        let line = String(decoding: Self.event(1).jsonBytes, as: UTF8.self)
        let id = try #require(line.ranges(of: #""eventID":""#).last.map { line[$0.upperBound...].prefix(36) })
        let last = line.replacing(id, with: "01234567-89ab-4def-8123-ffffffffffff")
        let events = AuditLines.events(in: Array((last + "\n{\"like\":1,\"times\":2}\n").utf8))
        #expect(
            String(decoding: events[1], as: UTF8.self)
                == line.replacing(id, with: "01234567-89ab-4def-8123-000000000000"))
        #expect(
            String(decoding: events[2], as: UTF8.self)
                == line.replacing(id, with: "01234567-89ab-4def-8123-000000000001"))
    }

    @Test func `digits are those of the alphabet`() {
        for value in 0...255 {
            let byte = UInt8(value)
            let digits = Hexadecimal.digits(byte, byte, byte ^ 0xFF, byte)
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: digits >> (8 * $0)) }
            #expect(bytes == Hexadecimal.digits([byte, byte, byte ^ 0xFF, byte].span))
        }
    }
}
