internal import SwiftASN1

/// A name of one of several kinds (RFC 5280, 4.2.1.6).
public enum GeneralName: Sendable, Hashable {
    /// A host's name, or a pattern such as `*.example.com`. In ASCII.
    case dns(String)
    /// A mailbox. In ASCII.
    case email(String)
    /// A resource. In ASCII.
    case uri(String)
    /// An address: 4 or 16 bytes; in a name constraint with as many bytes of mask behind.
    case ip([UInt8])
    /// A name of the directory.
    case directory(DistinguishedName)
    /// An identifier.
    case registeredID(ObjectIdentifier)
    /// A name of another kind, in DER, by the number of its tag: 0, 3 or 5.
    case other(tag: UInt, derEncoded: [UInt8])

    /// Reads a node.
    init(_ node: ASN1Node) throws {
        guard node.identifier.tagClass == .contextSpecific else { throw PKIXError(.malformed, "a general name") }
        switch node.identifier.tagNumber {
        case 1: self = .email(try GeneralName.text(node))
        case 2: self = .dns(try GeneralName.text(node))
        case 6: self = .uri(try GeneralName.text(node))
        case 7: self = .ip(Array(try GeneralName.bytes(node)))
        case 4:
            self = .directory(
                try DER.explicitlyTagged(node, tagNumber: 4, tagClass: .contextSpecific) {
                    try DistinguishedName(derEncoded: Array($0.encodedBytes))
                })
        case 8:
            self = .registeredID(
                try ObjectIdentifier(node, as: node.identifier))
        case 0, 3, 5: self = .other(tag: node.identifier.tagNumber, derEncoded: Array(node.encodedBytes))
        default: throw PKIXError(.malformed, "a general name")
        }
    }

    private static func bytes(_ node: ASN1Node) throws -> ArraySlice<UInt8> {
        guard case .primitive(let bytes) = node.content else { throw PKIXError(.malformed, "a general name") }
        return bytes
    }

    private static func text(_ node: ASN1Node) throws -> String {
        let bytes = try bytes(node)
        guard bytes.allSatisfy({ (0x20..<0x7F).contains($0) }) else { throw PKIXError(.malformed, "a general name") }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension GeneralName {
    func write(to coder: inout DER.Serializer) throws {
        func tag(_ number: UInt) -> ASN1Identifier { ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific) }
        func text(_ number: UInt, _ text: String) throws {
            guard !text.isEmpty, text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
                throw PKIXError(.invalidValue, "a name of printable ASCII, not \(text)")
            }
            coder.appendPrimitiveNode(identifier: tag(number)) { $0 += text.utf8 }
        }
        switch self {
        case .email(let value): try text(1, value)
        case .dns(let value): try text(2, value)
        case .uri(let value): try text(6, value)
        case .ip(let value):
            guard [4, 8, 16, 32].contains(value.count) else { throw PKIXError(.invalidValue, "an address") }
            coder.appendPrimitiveNode(identifier: tag(7)) { $0 += value }
        case .directory(let name):
            coder.appendConstructedNode(identifier: tag(4)) { $0.serializeRawBytes(name.derEncoded) }
        case .registeredID(let identifier):
            identifier.write(to: &coder, as: tag(8))
        case .other(_, let bytes): coder.serializeRawBytes(bytes)
        }
    }
}

extension GeneralName: CustomStringConvertible {
    /// The kind and the name.
    public var description: String {
        switch self {
        case .dns(let value): "DNS:\(value)"
        case .email(let value): "email:\(value)"
        case .uri(let value): "URI:\(value)"
        case .ip(let value): "IP:\(IPAddress(value)?.description ?? Hexadecimal.encode(value))"
        case .directory(let name): "dirName:\(name)"
        case .registeredID(let identifier): "RID:\(identifier)"
        case .other(let tag, _): "name of kind \(tag)"
        }
    }
}

extension GeneralName {
    /// Whether an authority should certify it: a host's name of letters, digits and hyphens, perhaps with `*` as its first
    /// label and two more behind; a mailbox; a resource with its scheme; an address (CA/Browser Forum Baseline Requirements,
    /// 7.1.2.7.12).
    public var isIssuable: Bool {
        switch self {
        case .dns(let name):
            let host = name.hasPrefix("*.") ? String(name.dropFirst(2)) : name
            return HostName(host) != nil && !name.hasSuffix(".") && !host.contains("_")
                && (host == name || host.contains("."))
        case .email(let mailbox):
            let parts = mailbox.split(separator: "@", omittingEmptySubsequences: false)
            return parts.count == 2 && !parts[0].isEmpty && HostName(String(parts[1])) != nil && !mailbox.hasSuffix(".")
        case .uri(let address):
            return address.firstIndex(of: ":").map { $0 > address.startIndex } ?? false
        case .ip(let bytes): return IPAddress(bytes) != nil
        case .directory(let name): return !name.isEmpty
        case .registeredID, .other: return true
        }
    }
}
