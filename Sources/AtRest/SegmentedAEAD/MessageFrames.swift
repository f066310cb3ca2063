internal import Cryptography

/// The frames of the AWS Encryption SDK (data-format/message-body): nonce and additional data of each.
struct MessageFrames: SegmentFormat {
    let messageID: [UInt8]
    /// Whether the body is one block without a frame around it.
    let isSingleBlock: Bool

    func writeNonce(_ sequence: UInt32, isFinal: Bool, into nonce: inout InlineArray<12, UInt8>) {
        for index in 0..<8 { nonce[index] = 0 }
        for index in 0..<4 { nonce[8 + index] = UInt8(truncatingIfNeeded: sequence >> UInt32(24 - index * 8)) }
    }

    func writeAdditionalData(_ sequence: UInt32, isFinal: Bool, count: Int, into data: inout [UInt8]) {
        if isFinal || data.isEmpty {
            data.removeAll(keepingCapacity: true)
            data.reserveCapacity(messageID.count + MessageFrames.longestTail)
            data += messageID
            data +=
                isSingleBlock
                ? MessageFrames.blockLabel : isFinal ? MessageFrames.finalLabel : MessageFrames.regularLabel
            data.appendBigEndian(sequence)
            data.appendBigEndian(UInt64(count))
            return
        }
        let end = data.count
        for index in 0..<4 { data[end - 12 + index] = UInt8(truncatingIfNeeded: sequence >> UInt32(24 - index * 8)) }
        for index in 0..<8 {
            data[end - 8 + index] = UInt8(truncatingIfNeeded: UInt64(count) >> UInt64(56 - index * 8))
        }
    }

    /// The longest label, number and length.
    private static let longestTail = blockLabel.count + 4 + 8
    private static let blockLabel = Array("AWSKMSEncryptionClient Single Block".utf8)
    private static let regularLabel = Array("AWSKMSEncryptionClient Frame".utf8)
    private static let finalLabel = Array("AWSKMSEncryptionClient Final Frame".utf8)
}
