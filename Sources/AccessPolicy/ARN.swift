/// An Amazon Resource Name: `arn:partition:service:region:account:resource`.
public struct ARN: Sendable, Hashable, CustomStringConvertible {
    /// "aws", or another partition.
    public let partition: String
    /// Such as "kms" or "iam".
    public let service: String
    /// Empty for services without Regions.
    public let region: String
    /// Twelve digits, or empty.
    public let account: String
    /// Everything behind the fifth colon.
    public let resource: String
    /// The name as text.
    public let description: String

    /// Joins the parts.
    public init(partition: String = "aws", service: String, region: String = "", account: String, resource: String) {
        self.partition = partition
        self.service = service
        self.region = region
        self.account = account
        self.resource = resource
        description = "arn:\(partition):\(service):\(region):\(account):\(resource)"
    }

    /// Reads a name, or nil where the text is none.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", !parts[1].isEmpty, !parts[2].isEmpty, !parts[5].isEmpty else {
            return nil
        }
        self.init(
            partition: String(parts[1]), service: String(parts[2]), region: String(parts[3]), account: String(parts[4]),
            resource: String(parts[5]))
    }

    /// Names of the same bytes are the same.
    public static func == (left: ARN, right: ARN) -> Bool {
        left.description.hasSameBytes(as: right.description)
    }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
