internal import CStrongroomOpenSSL

/// Whether the numbers of an RSA key fit together (RFC 8017, 3.2), in a tenth of a millisecond: OpenSSL's own check
/// tests for primes, which takes a hundred times as long.
struct RSAConsistency: ~Copyable {
    private let scratch: BigNumberScratch
    private let first: BigNumber
    private let second: BigNumber

    init() throws(NativeError) {
        let scratch = try BigNumberScratch()
        guard let first = unsafe BigNumber(taking: BN_secure_new()),
            let second = unsafe BigNumber(taking: BN_secure_new())
        else { throw .memory }
        self.scratch = scratch
        self.first = first
        self.second = second
    }

    /// n = p q
    func isProduct(_ n: borrowing BigNumber, of p: borrowing BigNumber, _ q: borrowing BigNumber) -> Bool {
        unsafe BN_mul(first.pointer, p.pointer, q.pointer, scratch.pointer) == 1
            && BN_cmp(first.pointer, n.pointer) == 0 && BN_is_one(p.pointer) == 0 && BN_is_one(q.pointer) == 0
    }

    /// a b = 1 modulo p - 1
    func isInverse(_ a: borrowing BigNumber, of b: borrowing BigNumber, moduloLess p: borrowing BigNumber) -> Bool {
        unsafe BN_copy(second.pointer, p.pointer) != nil && BN_sub_word(second.pointer, 1) == 1
            && isInverse(a, of: b, modulo: second)
    }

    /// a b = 1 modulo m
    func isInverse(_ a: borrowing BigNumber, of b: borrowing BigNumber, modulo m: borrowing BigNumber) -> Bool {
        unsafe BN_mod_mul(first.pointer, a.pointer, b.pointer, m.pointer, scratch.pointer) == 1
            && BN_is_one(first.pointer) == 1
    }

    /// r = a modulo p - 1
    func isRemainder(_ r: borrowing BigNumber, of a: borrowing BigNumber, moduloLess p: borrowing BigNumber) -> Bool {
        unsafe BN_copy(second.pointer, p.pointer) != nil && BN_sub_word(second.pointer, 1) == 1
            && BN_div(nil, first.pointer, a.pointer, second.pointer, scratch.pointer) == 1
            && BN_cmp(first.pointer, r.pointer) == 0
    }
}
