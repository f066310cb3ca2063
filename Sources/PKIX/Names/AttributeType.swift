internal import SwiftASN1

/// A kind of attribute of a distinguished name, and how its values are written (RFC 5280, appendix A; RFC 4514, section 3).
public struct AttributeType: Sendable, Hashable, CustomStringConvertible {
    /// The identifier.
    public let identifier: ObjectIdentifier

    /// Wraps an identifier.
    public init(_ identifier: ObjectIdentifier) { self.identifier = identifier }

    /// CN.
    public static let commonName = AttributeType("2.5.4.3")
    /// SERIALNUMBER.
    public static let serialNumber = AttributeType("2.5.4.5")
    /// C: a country's two letters.
    public static let country = AttributeType("2.5.4.6")
    /// L.
    public static let locality = AttributeType("2.5.4.7")
    /// ST.
    public static let stateOrProvince = AttributeType("2.5.4.8")
    /// STREET.
    public static let street = AttributeType("2.5.4.9")
    /// O.
    public static let organization = AttributeType("2.5.4.10")
    /// OU.
    public static let organizationalUnit = AttributeType("2.5.4.11")
    /// DC: a label of a domain name.
    public static let domainComponent = AttributeType("0.9.2342.19200300.100.1.25")
    /// UID.
    public static let userID = AttributeType("0.9.2342.19200300.100.1.1")
    /// emailAddress: kept for old certificates; new ones have theirs in the subject's alternative names.
    public static let emailAddress = AttributeType("1.2.840.113549.1.9.1")

    private static let known: [(AttributeType, String, limit: Int)] = [
        (commonName, "CN", 64), (country, "C", 2), (organization, "O", 64), (organizationalUnit, "OU", 64),
        (locality, "L", 128), (stateOrProvince, "ST", 128), (street, "STREET", 128), (domainComponent, "DC", 63),
        (userID, "UID", 256), (serialNumber, "SERIALNUMBER", 64), (emailAddress, "emailAddress", 255),
    ]

    /// The short name, or the identifier.
    public var description: String { AttributeType.known.first { $0.0 == self }?.1 ?? identifier.description }

    /// Reads a short name in any case, or an identifier.
    init?(keyword: String) {
        if let found = AttributeType.known.first(where: { $0.1.lowercased() == keyword.lowercased() }) {
            self = found.0
        } else if let identifier = ObjectIdentifier(keyword) {
            self.init(identifier)
        } else {
            return nil
        }
    }

    /// How long a value may be, in characters (RFC 5280, appendix A.1).
    var limit: Int { AttributeType.known.first { $0.0 == self }?.limit ?? 32768 }

    /// The string type of new values.
    var stringType: ASN1Identifier {
        switch self {
        case .country, .serialNumber: .printableString
        case .domainComponent, .emailAddress: .ia5String
        default: .utf8String
        }
    }
}
