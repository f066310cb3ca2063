/// Addresses that begin with the same bits: `192.0.2.0/24`, `2001:db8::/32`, or one address alone (RFC 4632, RFC 4291).
public struct IPAddressRange: Sendable, Hashable {
    /// An address of the range. Bits behind the prefix do not count.
    public let address: IPAddress
    /// How many bits are the same.
    public let prefixLength: Int

    /// Reads an address, or an address and a prefix length; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else { return nil }
        self.address = address
        let bits = address.bytes.count * 8
        guard parts.count == 2 else {
            prefixLength = bits
            return
        }
        guard let length = Int(parts[1]), (0...bits).contains(length), parts[1].utf8.allSatisfy({ $0 >= 0x30 }) else {
            return nil
        }
        prefixLength = length
    }

    /// Whether an address is one of them. Addresses of different versions never are.
    public func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        return (0..<prefixLength).allSatisfy { bit in
            (other.bytes[bit / 8] ^ address.bytes[bit / 8]) & 0x80 >> UInt8(bit % 8) == 0
        }
    }
}
