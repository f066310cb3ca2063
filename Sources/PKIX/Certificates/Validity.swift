internal import Cryptography
public import FoundationEssentials
internal import SwiftASN1

/// From when until when a certificate is valid, both included, in whole seconds (RFC 5280, 4.1.2.5).
public struct Validity: Sendable, Hashable {
    /// The first second.
    public let notBefore: Date
    /// The last second.
    public let notAfter: Date

    /// Takes two times; parts of seconds are cut off.
    ///
    /// - Throws: `invalidValue` where the second is before the first, or one is not between the years 1950 and 9999.
    public init(notBefore: Date, notAfter: Date) throws(PKIXError) {
        let (first, last) = (
            notBefore.timeIntervalSince1970.rounded(.down), notAfter.timeIntervalSince1970.rounded(.down)
        )
        // 1950-01-01 and 9999-12-31 23:59:59.
        guard first >= -631_152_000, last <= 253_402_300_799, first <= last else {
            throw PKIXError(.invalidValue, "a validity that ends before it begins, or outside the years 1950 to 9999")
        }
        self.notBefore = Date(timeIntervalSince1970: first)
        self.notAfter = Date(timeIntervalSince1970: last)
    }

    /// A length from a time on: a certificate of one day is valid for 86,400 seconds, the last included.
    public init(from start: Date, for duration: Duration) throws(PKIXError) {
        let seconds = duration / .seconds(1)
        try self.init(notBefore: start, notAfter: start.addingTimeInterval(seconds - 1))
    }

    /// Whether it is valid at a time.
    public func contains(_ time: Date) -> Bool {
        notBefore <= time && time.timeIntervalSince1970.rounded(.down) <= notAfter.timeIntervalSince1970
    }
}

extension Validity {
    /// Reads the next element.
    init(_ reader: inout DERReader) throws {
        var times = try reader.enter(.sequence)
        let (first, last) = (try EncodedTime(&times), try EncodedTime(&times))
        try times.end()
        notBefore = Date(timeIntervalSince1970: Double(first.seconds))
        notAfter = Date(timeIntervalSince1970: Double(last.seconds))
    }

    func write(to coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            try coder.serialize(EncodedTime(notBefore))
            try coder.serialize(EncodedTime(notAfter))
        }
    }
}

/// UTCTime up to the year 2049, GeneralizedTime from then on, seconds always there, always in UTC (RFC 5280, 4.1.2.5).
private struct EncodedTime: DERSerializable {
    let seconds: Int

    init(_ date: Date) { seconds = Int(date.timeIntervalSince1970) }

    init(_ reader: inout DERReader) throws {
        let isShort = reader.isNext(.utcTime)
        let content = try reader.take(isShort ? .utcTime : .generalizedTime)
        guard content.count == (isShort ? 13 : 15), content[content.count - 1] == UInt8(ascii: "Z") else {
            throw PKIXError(.malformed, "a time")
        }
        var pairs: [Int] = []
        for index in stride(from: 0, to: content.count - 1, by: 2) {
            let (tens, ones) = (content[index], content[index + 1])
            guard (0x30...0x39).contains(tens), (0x30...0x39).contains(ones) else {
                throw PKIXError(.malformed, "a time")
            }
            pairs.append(Int(tens - 0x30) * 10 + Int(ones - 0x30))
        }
        // Two digits are 1950 to 2049.
        let year = isShort ? (pairs[0] < 50 ? 2000 : 1900) + pairs[0] : pairs[0] * 100 + pairs[1]
        let rest = Array(pairs.suffix(5))
        let time = CivilTime(
            year: year, month: rest[0], day: rest[1], hour: rest[2], minute: rest[3], second: rest[4])
        guard let time else { throw PKIXError(.malformed, "a time") }
        seconds = time.secondsSince1970
    }

    func serialize(into coder: inout DER.Serializer) throws {
        let time = CivilTime(secondsSince1970: seconds)
        let isShort = time.year < 2050
        coder.appendPrimitiveNode(identifier: isShort ? .utcTime : .generalizedTime) { bytes in
            func append(_ value: Int) { bytes += [UInt8(0x30 + value / 10 % 10), UInt8(0x30 + value % 10)] }
            if !isShort { append(time.year / 100) }
            for part in [time.year % 100, time.month, time.day, time.hour, time.minute, time.second] { append(part) }
            bytes.append(UInt8(ascii: "Z"))
        }
    }
}
