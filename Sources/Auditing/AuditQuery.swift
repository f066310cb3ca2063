public import FoundationEssentials

/// Which events of a trail are asked for. What is nil asks for nothing.
public struct AuditQuery: Sendable, Hashable {
    /// Events with this resource, by its ARN.
    public var resource: String?
    /// Events of this principal, by its ARN, or of all sessions of a role.
    public var principal: String?
    /// Events of these names, such as "Decrypt".
    public var names: Set<String>?
    /// Events at this time or later.
    public var start: Date?
    /// Events before this time.
    public var end: Date?
    /// Whether the operation succeeded.
    public var isSuccess: Bool?

    /// Joins the conditions: an event meets them all.
    public init(
        resource: String? = nil, principal: String? = nil, names: Set<String>? = nil, start: Date? = nil,
        end: Date? = nil, isSuccess: Bool? = nil
    ) {
        self.resource = resource
        self.principal = principal
        self.names = names
        self.start = start
        self.end = end
        self.isSuccess = isSuccess
    }

    /// An event, as far as it is asked for.
    package struct Fields: Decodable {
        package struct Identity: Decodable {
            package let arn, invokedBy: String?
        }

        package struct Resource: Decodable {
            package let ARN: String
        }

        package let eventID, eventName, eventTime: String
        package let userIdentity: Identity
        package let resources: [Resource]
        package let errorCode: String?

        package init?(_ line: String) {
            guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(line.utf8)) else { return nil }
            self = fields
        }

        package var time: Date? { try? Date(eventTime, strategy: .iso8601) }
    }

    /// Whether an event, as a line of the trail, is asked for.
    public func matches(_ line: String) -> Bool {
        // What cannot be is not read.
        for text in [resource, principal].compactMap(\.self) where !line.contains(text) { return false }
        guard let fields = Fields(line), let time = fields.time else { return false }
        if let names, !names.contains(fields.eventName) { return false }
        if let start, time < start { return false }
        if let end, time >= end { return false }
        if let isSuccess, isSuccess != (fields.errorCode == nil) { return false }
        if let resource, !fields.resources.contains(where: { $0.ARN == resource }) { return false }
        guard let principal else { return true }
        let identity = fields.userIdentity.arn ?? fields.userIdentity.invokedBy ?? ""
        return identity == principal || identity.hasPrefix("\(principal)/")
    }
}
