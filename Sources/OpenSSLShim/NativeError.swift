internal import CStrongroomOpenSSL

/// Why an operation of the bridge failed.
package enum NativeError: Error, Sendable {
    /// The linked OpenSSL does not have the algorithm.
    case unavailable(String)
    /// A tag, padding or signature did not match. Deliberately without detail.
    case authentication
    /// A key, nonce, tag or buffer has a length that the algorithm does not take.
    case length
    /// The secret belongs to a parent process and is unusable in a forked child.
    case forked
    /// The system gave no memory.
    case memory
    /// OpenSSL refused; its error queue, drained.
    case refused(StaticString, [String])

    /// Empties this thread's OpenSSL error queue into a value.
    package static func drained(_ operation: StaticString) -> NativeError {
        var reasons: [String] = []
        while true {
            let code = ERR_get_error()
            guard code != 0 else { break }
            let text = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
                unsafe ERR_error_string_n(code, buffer.baseAddress, buffer.count)
                return unsafe buffer.baseAddress.map { unsafe String(cString: $0) } ?? ""
            }
            reasons.append(text)
        }
        return .refused(operation, reasons)
    }
}
