public import FoundationEssentials

/// One of a key's materials, and how the key came to it.
public struct KeyRotation: Sendable, Hashable {
    /// Why a key got new material.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// By its schedule.
        case automatic = "AUTOMATIC"
        /// Because somebody asked.
        case onDemand = "ON_DEMAND"
    }

    /// The material's identifier: 64 hexadecimal digits.
    public let material: String
    /// When it was made.
    public let date: Date
    /// Why; nil for a key's first material, and where nobody has noted it.
    public let kind: Kind?
    /// Whether it seals new messages. The others go on opening theirs.
    public let isCurrent: Bool
}

/// How a key is rotated by itself.
public struct RotationSchedule: Sendable, Hashable {
    /// The period in days.
    public let periodInDays: Int
    /// When it is due next. A disabled key waits until it is enabled.
    public let nextRotation: Date
}
