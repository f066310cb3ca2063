internal import Cryptography

/// The lines of a record: events, and runs of events that each repeat one before them but for time and identifier.
///
/// A key that is used all day makes millions of events with little to tell; a run of them is one line, and nothing is lost: how many
/// there were, when to the second, and identifiers that count on from the first one's. Layout: Documentation/Formats/AuditTrail.md.
enum AuditLines {
    /// The most events of one record.
    static let mostEvents = 1 << 16
    /// The most bytes that they are read as; writers stop at half of it.
    static let largestExpansion = 1 << 27

    /// Appends a run of the event that stands whole, `distance` lines before.
    ///
    /// - Parameter time: where it is another than of that event's last repetition.
    static func append(
        run count: UInt32, distance: UInt32, time: [20 of UInt8]?, to lines: inout [UInt8]
    ) {
        lines += like
        lines += String(distance).utf8
        if let time {
            lines += timeMark
            lines.append(copying: time.span)
            lines.append(UInt8(ascii: "\""))
        }
        if count != 1 {
            lines += timesMark
            lines += String(count).utf8
        }
        lines.append(UInt8(ascii: "}"))
    }

    /// A record's events, each of them whole. A line that repeats what is not there, or too often, stays as it is.
    static func events(in body: [UInt8]) -> [[UInt8]] {
        let lines = body.split(separator: 0x0A)
        var repeated: [Int: RepeatedEvent] = [:]
        var (events, size): ([[UInt8]], Int) = ([], 0)
        for (index, line) in lines.enumerated() {
            guard let run = Run(line), run.distance <= index, run.count <= mostEvents - events.count,
                var event = repeated[index - run.distance] ?? RepeatedEvent(lines[index - run.distance]),
                run.count * event.byteCount <= largestExpansion - size
            else {
                events.append(Array(line))
                size += line.count
                continue
            }
            size += run.count * event.byteCount
            for _ in 0..<run.count { events.append(event.next(at: run.time)) }
            repeated[index - run.distance] = event
        }
        return events
    }

    private static let like = Array(#"{"like":"#.utf8)
    private static let timeMark = Array(#","eventTime":""#.utf8)
    private static let timesMark = Array(#","times":"#.utf8)

    /// A line that says how often an event was repeated.
    private struct Run {
        let distance: Int
        let time: [UInt8]?
        let count: Int

        /// Reads a line; nil for an event's.
        init?(_ line: ArraySlice<UInt8>) {
            guard line.starts(with: like) else { return nil }
            var rest = line.dropFirst(like.count)
            guard let distance = rest.takeNumber(), distance > 0 else { return nil }
            self.distance = distance
            var time: [UInt8]?
            if rest.starts(with: timeMark) {
                rest = rest.dropFirst(timeMark.count)
                time = Array(rest.prefix(AuditEventLine.timeCount))
                rest = rest.dropFirst(AuditEventLine.timeCount)
                guard rest.first == UInt8(ascii: "\"") else { return nil }
                rest = rest.dropFirst()
            }
            self.time = time
            var count = 1
            if rest.starts(with: timesMark) {
                rest = rest.dropFirst(timesMark.count)
                guard let times = rest.takeNumber(), times > 0 else { return nil }
                count = times
            }
            self.count = count
            guard rest.elementsEqual([UInt8(ascii: "}")]) else { return nil }
        }
    }

    /// An event that stands whole, and its repetitions up to now.
    private struct RepeatedEvent {
        private let whole: AuditEventLine
        private var time: [UInt8]
        private var last: UInt64

        init?(_ line: ArraySlice<UInt8>) {
            guard let whole = AuditEventLine(line),
                let last = UInt64(String(decoding: whole.id.suffix(tailCount), as: UTF8.self), radix: 16)
            else { return nil }
            (self.whole, self.time, self.last) = (whole, whole.time, last)
        }

        var byteCount: Int { whole.byteCount }

        /// The next repetition: its identifier counts on in the last twelve digits.
        mutating func next(at time: [UInt8]?) -> [UInt8] {
            if let time { self.time = time }
            last = (last + 1) & 0xFFFF_FFFF_FFFF
            var digits: [UInt8] = []
            digits.appendBigEndian(last)
            let tail = Hexadecimal.digits(digits.span).suffix(tailCount)
            return whole.at(self.time, id: Array(whole.id.prefix(whole.id.count - tailCount)) + tail)
        }
    }

    private static let tailCount = 12
}

extension ArraySlice<UInt8> {
    /// Takes a decimal number off the front.
    fileprivate mutating func takeNumber() -> Int? {
        let digits = prefix { (0x30...0x39).contains($0) }
        self = dropFirst(digits.count)
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
