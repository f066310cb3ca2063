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
    /// What it does.
    public let state: State
    /// What is known of imported material; nil for what the service has made.
    public let imported: Imported?

    /// What a material does.
    public enum State: String, Sendable, Hashable {
        /// It seals new messages, and opens its own.
        case current = "CURRENT"
        /// It opens what it has sealed.
        case nonCurrent = "NON_CURRENT"
        /// It was retired: it opens nothing.
        case retired = "RETIRED"
        /// It was imported, and waits for a rotation on demand.
        case pendingRotation = "PENDING_ROTATION"
    }

    /// What is known of imported material.
    public struct Imported: Sendable, Hashable {
        /// Whether it is there; where not, it expired or was deleted, and may be imported again.
        public let isPresent: Bool
        /// When it expires; nil for never.
        public let validTo: Date?
        /// The owner's text.
        public let description: String?
    }
}

/// How a key is rotated by itself.
public struct RotationSchedule: Sendable, Hashable {
    /// The period in days.
    public let periodInDays: Int
    /// When it is due next. A disabled key waits until it is enabled.
    public let nextRotation: Date
}
