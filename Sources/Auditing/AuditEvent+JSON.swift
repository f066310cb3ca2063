internal import Cryptography
internal import FoundationEssentials

extension AuditEvent {
    /// The event as one line of JSON, fields in a fixed order, UTF-8, no line feed.
    public var json: String { String(decoding: jsonBytes, as: UTF8.self) }

    var jsonBytes: [UInt8] {
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
        writer.field("eventTime", AuditEvent.timeText(time))
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
        writer.field("eventID", id.lowercaseText)
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
        return writer.bytes
    }

    /// "2026-01-31T12:00:00Z": seconds, UTC, the proleptic Gregorian calendar. FoundationEssentials' formatter takes
    /// microseconds for each, and every event has one.
    static func timeText(_ time: Date) -> String {
        let seconds = Int(time.timeIntervalSince1970.rounded(.down).clamped(to: -62_135_596_800...253_402_300_799))
        let civil = CivilTime(secondsSince1970: seconds)
        var text: [UInt8] = []
        text.reserveCapacity(20)
        func append(_ value: Int, digits: Int, then mark: Character) {
            var divisor = digits == 4 ? 1000 : 10
            while divisor > 0 {
                text.append(UInt8(truncatingIfNeeded: 48 + value / divisor % 10))
                divisor /= 10
            }
            text.append(mark.asciiValue ?? 0)
        }
        append(civil.year, digits: 4, then: "-")
        append(civil.month, digits: 2, then: "-")
        append(civil.day, digits: 2, then: "T")
        append(civil.hour, digits: 2, then: ":")
        append(civil.minute, digits: 2, then: ":")
        append(civil.second, digits: 2, then: "Z")
        return String(decoding: text, as: UTF8.self)
    }
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
        isNaN ? range.lowerBound : Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
