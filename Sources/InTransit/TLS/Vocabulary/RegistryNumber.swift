internal import Cryptography

/// Numbers of IANA's registries for TLS that have no name here.
enum RegistryNumber {
    /// Four hexadecimal digits, as the registries write them.
    static func text(_ number: UInt16) -> String {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(number)
        return Hexadecimal.encode(bytes)
    }
}
