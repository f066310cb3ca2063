internal import OpenSSLShim

extension MLDSA {
    /// The representative of a message, calculated piece by piece (FIPS 204, algorithm 7, line 6): SHAKE256 of the public key's hash, the
    /// context, and the message.
    public struct MessageRepresentative: ~Copyable, Sendable {
        private var context: DigestContext

        /// Starts one for a key.
        ///
        /// - Parameter signatureContext: what the signature is for, at most 255 bytes; whoever verifies names it too.
        public init(for key: PublicKey, signatureContext: [UInt8] = []) throws(CryptographyError) {
            guard let count = UInt8(exactly: signatureContext.count) else {
                throw CryptographyError(.invalidLength, "a context has at most 255 bytes")
            }
            // 0: not hashed beforehand.
            let domain = [0, count] + signatureContext
            context = try bridged { () throws(NativeError) in
                var context = try DigestContext(.shake256)
                try context.update(key.bytes.span)
                var hash = [UInt8](repeating: 0, count: 64)
                var span = hash.mutableSpan
                try context.finish(extendingInto: &span)
                try context.update(hash.span)
                try context.update(domain.span)
                return context
            }
        }

        /// Appends bytes to the message.
        public mutating func update(_ bytes: Span<UInt8>) throws(CryptographyError) {
            do { try context.update(bytes) } catch { throw CryptographyError(error) }
        }

        /// The 64 bytes.
        public consuming func finish() throws(CryptographyError) -> [UInt8] {
            var representative = [UInt8](repeating: 0, count: MLDSA.representativeByteCount)
            do throws(NativeError) {
                var span = representative.mutableSpan
                try context.finish(extendingInto: &span)
            } catch { throw CryptographyError(error) }
            return representative
        }
    }
}
