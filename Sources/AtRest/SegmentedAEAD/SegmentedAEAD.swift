internal import Cryptography

/// How a format divides a message into segments: the nonce and the additional data of each.
///
/// A conformer gives every segment a nonce of its own, and binds its place and whether it is the last, so that segments
/// cannot be reordered, repeated, dropped or cut off.
protocol SegmentFormat {
    /// The 12 bytes of a segment's nonce.
    func writeNonce(_ sequence: UInt32, isFinal: Bool, into nonce: inout InlineArray<12, UInt8>)

    /// The additional data of a segment with `count` bytes of plaintext. The buffer is the last call's, to be changed in
    /// place where that is enough.
    func writeAdditionalData(_ sequence: UInt32, isFinal: Bool, count: Int, into data: inout [UInt8])
}

/// Seals and opens the segments of one message under one key. One user at a time; allocates nothing per segment.
final class SegmentedAEAD<Format: SegmentFormat> {
    private let cipher: AESGCM
    private let format: Format
    private var nonce: InlineArray<12, UInt8> = .init(repeating: 0)
    private var data: [UInt8] = []

    init(cipher: AESGCM, format: Format) {
        self.cipher = cipher
        self.format = format
    }

    func seal(
        _ plaintext: Span<UInt8>, sequence: UInt32, isFinal: Bool, ciphertext: inout MutableSpan<UInt8>,
        tag: inout MutableSpan<UInt8>
    ) throws(CryptographyError) {
        prepare(sequence, isFinal, plaintext.count)
        let (nonce, data) = (nonce, data)
        try cipher.seal(
            plaintext, authenticating: data.span, uniqueNonce: nonce.span, ciphertext: &ciphertext, tag: &tag)
    }

    func open(
        _ ciphertext: Span<UInt8>, tag: Span<UInt8>, nonce: Span<UInt8>, sequence: UInt32, isFinal: Bool,
        plaintext: inout MutableSpan<UInt8>
    ) throws(CryptographyError) {
        prepare(sequence, isFinal, ciphertext.count)
        let data = data
        try cipher.open(ciphertext, tag: tag, authenticating: data.span, nonce: nonce, plaintext: &plaintext)
    }

    /// A segment's nonce, for formats that write it down.
    func nonce(_ sequence: UInt32, isFinal: Bool) -> InlineArray<12, UInt8> {
        format.writeNonce(sequence, isFinal: isFinal, into: &nonce)
        return nonce
    }

    private func prepare(_ sequence: UInt32, _ isFinal: Bool, _ count: Int) {
        format.writeNonce(sequence, isFinal: isFinal, into: &nonce)
        format.writeAdditionalData(sequence, isFinal: isFinal, count: count, into: &data)
    }
}
