internal import Cryptography
internal import SwiftASN1

/// The AlgorithmIdentifiers of signatures (RFC 3279, 4055, 5758, 8410).
enum SignatureAlgorithmIdentifier {
    /// An algorithm's identifier in DER.
    ///
    /// - Throws: `unsupported`.
    static func encode(_ algorithm: SignatureAlgorithm) throws(PKIXError) -> [UInt8] {
        guard let known = known.first(where: { $0.algorithm == algorithm }) else {
            throw PKIXError(.unsupported, "certificates signed with \(algorithm)")
        }
        return known.derEncoded
    }

    /// The algorithm that an identifier names; nil for one that this library does not have.
    ///
    /// For RSASSA-PKCS1-v1_5 absent parameters are taken too (RFC 4055, section 5: implementations must accept both).
    static func decode(_ derEncoded: ArraySlice<UInt8>) -> SignatureAlgorithm? {
        known.first { $0.derEncoded[...] == derEncoded || $0.withoutParameters[...] == derEncoded }?.algorithm
    }

    private struct Known {
        let algorithm: SignatureAlgorithm
        let derEncoded: [UInt8]
        /// A second form that is read; empty where there is none.
        var withoutParameters: [UInt8] = []
    }

    private static let known: [Known] = {
        let ecdsa: [(SignatureAlgorithm, UInt8)] = [(.ecdsaSHA256, 2), (.ecdsaSHA384, 3), (.ecdsaSHA512, 4)]
        let rsa: [(SignatureAlgorithm, UInt8)] = [
            (.rsaPKCS1v15SHA256, 11), (.rsaPKCS1v15SHA384, 12), (.rsaPKCS1v15SHA512, 13),
        ]
        let pss: [(SignatureAlgorithm, UInt8, UInt8)] = [
            (.rsaPSSSHA256, 1, 32), (.rsaPSSSHA384, 2, 48), (.rsaPSSSHA512, 3, 64),
        ]
        let pkcs1: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01]
        return ecdsa.map { algorithm, last in
            Known(
                algorithm: algorithm,
                derEncoded: sequence(identifier([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, last])))
        } + [Known(algorithm: .ed25519, derEncoded: sequence(identifier([0x2B, 0x65, 0x70])))]
            + rsa.map { algorithm, last in
                let name = identifier(pkcs1 + [last])
                return Known(
                    algorithm: algorithm, derEncoded: sequence(name + null), withoutParameters: sequence(name))
            }
            + pss.map { algorithm, hash, salt in
                // RSASSA-PSS-params: hash, mask by MGF1 with the same hash, and the salt's length; the trailer is the default.
                let function = sequence(identifier([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash]) + null)
                let mask = sequence(identifier(pkcs1 + [8]) + function)
                let parameters = sequence(
                    tagged(0xA0, function) + tagged(0xA1, mask) + tagged(0xA2, [0x02, 0x01, salt]))
                return Known(algorithm: algorithm, derEncoded: sequence(identifier(pkcs1 + [10]) + parameters))
            }
    }()

    private static let null: [UInt8] = [0x05, 0x00]

    private static func identifier(_ content: [UInt8]) -> [UInt8] { tagged(0x06, content) }

    private static func sequence(_ content: [UInt8]) -> [UInt8] { tagged(0x30, content) }

    /// All of these are shorter than 128 bytes.
    private static func tagged(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag, UInt8(truncatingIfNeeded: content.count)] + content
    }
}
