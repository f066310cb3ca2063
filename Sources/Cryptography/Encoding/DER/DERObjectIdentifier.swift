/// An OBJECT IDENTIFIER, kept as it is encoded.
package struct DERObjectIdentifier: Sendable, Hashable, CustomStringConvertible {
    package let encoded: [UInt8]

    /// Takes content octets, in their shortest form (X.690, 8.19).
    package init(encoded content: Span<UInt8>) throws(CryptographyError) {
        guard (1...64).contains(content.count), content[content.count - 1] < 0x80 else { throw DERReader.malformed }
        var isFirst = true
        var encoded: [UInt8] = []
        for index in content.indices {
            guard !isFirst || content[index] != 0x80 else { throw DERReader.malformed }
            isFirst = content[index] < 0x80
            encoded.append(content[index])
        }
        self.encoded = encoded
    }

    /// An identifier from its arcs, of which there are two at least.
    package init(_ first: UInt32, _ second: UInt32, _ others: UInt32...) {
        var encoded: [UInt8] = []
        for arc in [first * 40 + second] + others {
            var shift = 28
            while shift > 0, arc >> shift == 0 { shift -= 7 }
            while shift > 0 {
                encoded.append(UInt8(truncatingIfNeeded: arc >> shift) & 0x7F | 0x80)
                shift -= 7
            }
            encoded.append(UInt8(truncatingIfNeeded: arc) & 0x7F)
        }
        self.encoded = encoded
    }

    /// Reads numbers with dots between them, each below 2^63; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let arcs = parts.compactMap { part in UInt64(part).flatMap { String($0) == part && $0 < 1 << 62 ? $0 : nil } }
        // The first two share one number of the encoding (X.690, 8.19.4).
        guard arcs.count == parts.count, arcs.count >= 2, arcs[0] < 2 ? arcs[1] < 40 : arcs[0] == 2 else { return nil }
        var encoded: [UInt8] = []
        for arc in [arcs[0] * 40 + arcs[1]] + arcs.dropFirst(2) {
            let groups = max((UInt64.bitWidth - arc.leadingZeroBitCount + 6) / 7, 1)
            for group in (0..<groups).reversed() {
                let bits = UInt8(truncatingIfNeeded: arc >> UInt64(7 * group)) & 0x7F
                encoded.append(group == 0 ? bits : bits | 0x80)
            }
        }
        guard encoded.count <= 64 else { return nil }
        self.encoded = encoded
    }

    /// Whether every arc is below 2^63.
    package var hasShortArcs: Bool {
        encoded.split(omittingEmptySubsequences: false) { $0 < 0x80 }.allSatisfy { $0.count < 9 }
    }

    /// The arcs with dots between.
    package var description: String {
        var arcs: [UInt64] = []
        var arc: UInt64 = 0
        for byte in encoded {
            arc = arc &<< 7 | UInt64(byte & 0x7F)
            if byte < 0x80 {
                arcs.append(arc)
                arc = 0
            }
        }
        let first = min((arcs.first ?? 0) / 40, 2)
        let all = [first, (arcs.first ?? 0) - first * 40] + arcs.dropFirst()
        return all.map(String.init).joined(separator: ".")
    }
}
