internal import Cryptography
internal import FoundationEssentials

extension AuditEvent {
    /// The event as one line of JSON, fields in a fixed order, UTF-8, no line feed.
    public var json: String { String(decoding: jsonBytes, as: UTF8.self) }

    var jsonBytes: [UInt8] { line.bytes }

    /// The line, and where in it the texts of time and identifier begin.
    var line: (bytes: [UInt8], time: Int, id: Int) {
        var writer = JSONWriter()
        writer.open()
        writer.field("eventVersion", "1.08")
        writer.object("userIdentity") { writer in
            writer.field("type", identity.type)
            if identity.account.isEmpty {
                writer.field("invokedBy", identity.arn)
            } else {
                writer.field("arn", identity.arn)
                writer.field("accountId", identity.account)
            }
        }
        let timePlace = writer.field("eventTime", AuditEvent.timeText(time))
        writer.field("eventSource", source)
        writer.field("eventName", name)
        writer.field("awsRegion", region)
        if let sourceIPAddress { writer.field("sourceIPAddress", sourceIPAddress) }
        if let userAgent { writer.field("userAgent", userAgent) }
        if let error {
            writer.field("errorCode", error.code)
            writer.field("errorMessage", error.message)
        }
        writer.parameters("requestParameters", requestParameters)
        writer.parameters("responseElements", responseElements)
        if !additionalData.isEmpty { writer.parameters("additionalEventData", additionalData) }
        let idPlace = writer.field("eventID", id.lowercaseText)
        writer.literal("readOnly", isReadOnly ? "true" : "false")
        writer.key("resources")
        writer.list(resources) { writer, arn in
            writer.open()
            writer.field("accountId", account)
            writer.field("type", resourceType)
            writer.field("ARN", arn)
            writer.close()
        }
        writer.field("eventType", "AwsApiCall")
        writer.literal("managementEvent", "true")
        writer.field("recipientAccountId", account)
        writer.field("eventCategory", "Management")
        writer.close()
        return (writer.bytes, timePlace, idPlace)
    }

    /// "2026-01-31T12:00:00Z": seconds, UTC, the proleptic Gregorian calendar. FoundationEssentials' formatter takes
    /// microseconds for each, and every event has one.
    static func timeText(_ time: Date) -> String {
        var text: [UInt8] = []
        text.append(copying: timeDigits(second: second(time)).span)
        return String(decoding: text, as: UTF8.self)
    }

    /// The second in which something happens, as far as four digits of a year go.
    static func second(_ time: Date) -> Int {
        Int(time.timeIntervalSince1970.rounded(.down).clamped(to: -62_135_596_800...253_402_300_799))
    }

    /// The text of a second in ASCII.
    static func timeDigits(second: Int) -> [20 of UInt8] {
        let civil = CivilTime(secondsSince1970: second)
        var text: [20 of UInt8] = .init(repeating: UInt8(ascii: "-"))
        func put(_ value: Int, at place: Int) {
            text[place] = UInt8(truncatingIfNeeded: 48 + value / 10)
            text[place + 1] = UInt8(truncatingIfNeeded: 48 + value % 10)
        }
        put(civil.year / 100, at: 0)
        put(civil.year % 100, at: 2)
        put(civil.month, at: 5)
        put(civil.day, at: 8)
        text[10] = UInt8(ascii: "T")
        put(civil.hour, at: 11)
        text[13] = UInt8(ascii: ":")
        put(civil.minute, at: 14)
        text[16] = UInt8(ascii: ":")
        put(civil.second, at: 17)
        text[19] = UInt8(ascii: "Z")
        return text
    }
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
        isNaN ? range.lowerBound : Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
