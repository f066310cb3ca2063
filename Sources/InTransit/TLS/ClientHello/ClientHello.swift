/// What a client says first (RFC 8446, 4.1.2): enough to choose how to serve it.
public struct ClientHello: Sendable, Hashable {
    /// The version of the message, which is TLS 1.2's for a client that has newer ones.
    public let legacyVersion: UInt16
    /// The suites that it takes, best first.
    public let suites: [CipherSuite]
    /// The versions that it has, by number, best first.
    public let versions: [UInt16]
    /// The name that it asks for, in lower case; nil for none.
    public let serverName: String?
    /// The application protocols that it has, best first.
    public let applicationProtocols: [String]
    /// The groups that it takes, best first.
    public let groups: [KeyExchangeGroup]
    /// The signatures that it takes, best first.
    public let signatureSchemes: [SignatureScheme]
    /// The numbers of its extensions, as they come.
    public let extensions: [UInt16]
}

extension ClientHello {
    /// Reads the message, without its type and length.
    init(reading message: ArraySlice<UInt8>) throws(WireReader.Malformed) {
        var reader = WireReader(message)
        legacyVersion = try reader.takeNumber()
        _ = try reader.take(32)
        guard try reader.takeVector8().count <= 32 else { throw WireReader.Malformed() }
        suites = try WireReader.numbers(try reader.takeVector16()).map { CipherSuite(rawValue: $0) }
        guard try !reader.takeVector8().isEmpty else { throw WireReader.Malformed() }
        var found: [UInt16: ArraySlice<UInt8>] = [:]
        var order: [UInt16] = []
        if !reader.isAtEnd {
            var list = WireReader(try reader.takeVector16())
            while !list.isAtEnd {
                let number = try list.takeNumber()
                // No extension comes twice (4.2).
                guard found.updateValue(try list.takeVector16(), forKey: number) == nil else {
                    throw WireReader.Malformed()
                }
                order.append(number)
            }
        }
        guard reader.isAtEnd else { throw WireReader.Malformed() }
        extensions = order
        serverName = try found[0].map(ClientHello.serverName) ?? nil
        groups = try ClientHello.numbers(found[10]).map { KeyExchangeGroup(rawValue: $0) }
        signatureSchemes = try ClientHello.numbers(found[13]).map { SignatureScheme(rawValue: $0) }
        applicationProtocols = try found[16].map(ClientHello.protocols) ?? []
        var versions: [UInt16] = []
        if let body = found[43] {
            var reader = WireReader(body)
            versions = try WireReader.numbers(try reader.takeVector8())
            guard reader.isAtEnd else { throw WireReader.Malformed() }
        }
        self.versions = versions.isEmpty ? [legacyVersion] : versions
    }

    private static func numbers(_ body: ArraySlice<UInt8>?) throws(WireReader.Malformed) -> [UInt16] {
        guard let body else { return [] }
        var reader = WireReader(body)
        let numbers = try WireReader.numbers(try reader.takeVector16())
        guard reader.isAtEnd else { throw WireReader.Malformed() }
        return numbers
    }

    /// One name of type 0 (RFC 6066, 3).
    private static func serverName(_ body: ArraySlice<UInt8>) throws(WireReader.Malformed) -> String? {
        var outer = WireReader(body)
        var list = WireReader(try outer.takeVector16())
        guard outer.isAtEnd, try list.take(1).first == 0 else { throw WireReader.Malformed() }
        let name = try list.takeVector16()
        guard list.isAtEnd, !name.isEmpty, name.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw WireReader.Malformed()
        }
        return String(decoding: name, as: UTF8.self).lowercased()
    }

    private static func protocols(_ body: ArraySlice<UInt8>) throws(WireReader.Malformed) -> [String] {
        var outer = WireReader(body)
        var list = WireReader(try outer.takeVector16())
        guard outer.isAtEnd else { throw WireReader.Malformed() }
        var names: [String] = []
        while !list.isAtEnd {
            let name = try list.takeVector8()
            guard !name.isEmpty else { throw WireReader.Malformed() }
            names.append(String(decoding: name, as: UTF8.self))
        }
        return names
    }
}
