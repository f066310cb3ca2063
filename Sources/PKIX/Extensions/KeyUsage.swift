internal import Cryptography
internal import SwiftASN1

/// What a certificate's key may be used for (RFC 5280, 4.2.1.3).
public struct KeyUsage: OptionSet, ExtensionContent {
    /// The bits, the first being the standard's bit 0.
    public let rawValue: UInt16

    /// Wraps bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Signs anything but certificates and revocation lists.
    public static let digitalSignature = KeyUsage(rawValue: 1 << 0)
    /// Signs what its owner must stand by (nonRepudiation, contentCommitment).
    public static let contentCommitment = KeyUsage(rawValue: 1 << 1)
    /// Encrypts keys: RSA key transport.
    public static let keyEncipherment = KeyUsage(rawValue: 1 << 2)
    /// Encrypts data.
    public static let dataEncipherment = KeyUsage(rawValue: 1 << 3)
    /// Agrees on keys.
    public static let keyAgreement = KeyUsage(rawValue: 1 << 4)
    /// Signs certificates.
    public static let certificateSigning = KeyUsage(rawValue: 1 << 5)
    /// Signs revocation lists.
    public static let crlSigning = KeyUsage(rawValue: 1 << 6)
    /// Agreed keys only encrypt.
    public static let encipherOnly = KeyUsage(rawValue: 1 << 7)
    /// Agreed keys only decrypt.
    public static let decipherOnly = KeyUsage(rawValue: 1 << 8)

    /// 2.5.29.15.
    public static let identifier: ObjectIdentifier = "2.5.29.15"
    /// Always.
    public var isCriticalByDefault: Bool { true }

    /// Reads a value.
    public init(derEncoded: [UInt8]) throws(PKIXError) {
        rawValue = try decoded("a key usage") {
            var reader = DERReader(derEncoded.span)
            let bits = try reader.take(.bitString)
            try reader.end()
            // A NamedBitList in DER has no zero bits at its end (X.690, 11.2.2).
            guard (2...3).contains(bits.count), bits[0] < 8, bits[bits.count - 1] != 0,
                bits[bits.count - 1].trailingZeroBitCount == Int(bits[0])
            else { throw PKIXError(.malformed, "a key usage") }
            var value: UInt16 = 0
            for index in 1..<bits.count {
                for bit in 0..<8 where bits[index] & 0x80 >> UInt8(bit) != 0 {
                    value |= 1 << UInt16((index - 1) * 8 + bit)
                }
            }
            guard value < 1 << 9 else { throw PKIXError(.malformed, "a key usage") }
            return value
        }
    }

    /// The value in DER.
    public func derEncoded() throws(PKIXError) -> [UInt8] {
        guard rawValue != 0, rawValue < 1 << 9 else { throw PKIXError(.invalidValue, "a key usage of nothing") }
        var bytes: [UInt8] = [0, 0]
        for bit in 0..<9 where rawValue & 1 << UInt16(bit) != 0 { bytes[bit / 8] |= 0x80 >> UInt8(bit % 8) }
        if bytes[1] == 0 { bytes.removeLast() }
        let unused = UInt8(bytes[bytes.count - 1].trailingZeroBitCount)
        return [0x03, UInt8(bytes.count + 1), unused] + bytes
    }
}

/// What purposes a certificate's key serves (RFC 5280, 4.2.1.12).
public struct ExtendedKeyUsage: ExtensionContent {
    /// A purpose.
    public struct Purpose: Sendable, Hashable {
        /// Its identifier.
        public let identifier: ObjectIdentifier

        /// Wraps an identifier.
        public init(_ identifier: ObjectIdentifier) { self.identifier = identifier }

        /// Servers of TLS.
        public static let serverAuthentication = Purpose("1.3.6.1.5.5.7.3.1")
        /// Clients of TLS.
        public static let clientAuthentication = Purpose("1.3.6.1.5.5.7.3.2")
        /// Signatures of programs.
        public static let codeSigning = Purpose("1.3.6.1.5.5.7.3.3")
        /// Signed and encrypted mail.
        public static let emailProtection = Purpose("1.3.6.1.5.5.7.3.4")
        /// Time stamps.
        public static let timeStamping = Purpose("1.3.6.1.5.5.7.3.8")
        /// Answers on revocation (RFC 6960).
        public static let ocspSigning = Purpose("1.3.6.1.5.5.7.3.9")
        /// Any (2.5.29.37.0): for reading; new certificates say what they are for.
        public static let any = Purpose("2.5.29.37.0")
    }

    /// The purposes, in order.
    public let purposes: [Purpose]

    /// Takes purposes.
    public init(_ purposes: [Purpose]) { self.purposes = purposes }

    /// 2.5.29.37.
    public static let identifier: ObjectIdentifier = "2.5.29.37"
    /// Never: old software does not know every purpose.
    public var isCriticalByDefault: Bool { false }

    /// Reads a value.
    public init(derEncoded: [UInt8]) throws(PKIXError) {
        purposes = try decoded("purposes of a key") {
            var outer = DERReader(derEncoded.span)
            var list = try outer.enter(.sequence)
            try outer.end()
            var purposes: [Purpose] = []
            repeat { purposes.append(Purpose(try ObjectIdentifier(try list.takeIdentifier()))) } while !list.isAtEnd
            return purposes
        }
    }

    /// The value in DER.
    public func derEncoded() throws(PKIXError) -> [UInt8] {
        guard !purposes.isEmpty else { throw PKIXError(.invalidValue, "no purpose") }
        var serializer = DER.Serializer()
        serializer.appendConstructedNode(identifier: .sequence) { coder in
            for purpose in purposes { purpose.identifier.write(to: &coder) }
        }
        return serializer.serializedBytes
    }
}
