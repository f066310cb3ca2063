internal import Synchronization

/// How much accounts may have and ask. What is nil has no limit (AWS KMS, "Quotas").
public struct Quotas: Sendable, Hashable {
    /// How many keys an account has.
    public var keysPerAccount: Int?
    /// How many aliases a key has.
    public var aliasesPerKey: Int?
    /// How many cryptographic operations an account does in a second, those with key pairs apart.
    public var cryptographicRequestsPerSecond: Double?
    /// How many operations with key pairs an account does in a second.
    public var asymmetricRequestsPerSecond: Double?
    /// How many operations of any other name an account does in a second, each name apart.
    public var otherRequestsPerSecond: Double?

    /// Joins limits.
    public init(
        keysPerAccount: Int? = nil, aliasesPerKey: Int? = nil, cryptographicRequestsPerSecond: Double? = nil,
        asymmetricRequestsPerSecond: Double? = nil, otherRequestsPerSecond: Double? = nil
    ) {
        self.keysPerAccount = keysPerAccount
        self.aliasesPerKey = aliasesPerKey
        self.cryptographicRequestsPerSecond = cryptographicRequestsPerSecond
        self.asymmetricRequestsPerSecond = asymmetricRequestsPerSecond
        self.otherRequestsPerSecond = otherRequestsPerSecond
    }

    /// No limits.
    public static let unlimited = Quotas()
    /// AWS's in its smaller Regions; those of other operations are AWS's least.
    public static let aws = Quotas(
        keysPerAccount: 100_000, aliasesPerKey: 50, cryptographicRequestsPerSecond: 10_000,
        asymmetricRequestsPerSecond: 500, otherRequestsPerSecond: 5)

    /// Refuses one key more than an account may have.
    func checkKeys(of account: String, in state: ServiceState) throws(KeyManagementError) {
        guard let limit = keysPerAccount else { return }
        guard state.keys.values.count(where: { $0.record.account == account && $0.record.manager == nil }) < limit
        else { throw KeyManagementError(.limitExceeded, "an account has at most \(limit) keys") }
    }

    /// Whether there is any limit to requests.
    fileprivate var limitsRequests: Bool {
        cryptographicRequestsPerSecond != nil || asymmetricRequestsPerSecond != nil || otherRequestsPerSecond != nil
    }

    /// What shares a limit, and the limit.
    fileprivate func rate(_ operation: String) -> (group: String, limit: Double)? {
        switch operation {
        case "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateRandom",
            "GenerateMac", "VerifyMac", "DeriveKey":
            cryptographicRequestsPerSecond.map { ("cryptographic", $0) }
        case "Sign", "Verify", "DeriveSharedSecret", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
            "GetPublicKey":
            asymmetricRequestsPerSecond.map { ("asymmetric", $0) }
        default: otherRequestsPerSecond.map { (operation, $0) }
        }
    }
}

/// Counts requests: each account has a bucket for each group of operations, which fills as time goes by and holds a second's
/// requests.
final class RequestLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var filled: Duration
    }

    private let quotas: Quotas
    private let buckets = Mutex([String: Bucket]())

    init(_ quotas: Quotas) { self.quotas = quotas }

    /// Counts more for a request that was taken: a batch may be larger than what is left, and those behind it wait longer.
    func owe(_ count: Int, _ operation: String, account: String) {
        guard !account.isEmpty, let (group, _) = quotas.rate(operation) else { return }
        buckets.withLock { $0["\(account)/\(group)"]?.tokens -= Double(count) }
    }

    /// Takes a request, or refuses it.
    func take(
        _ operation: String, account: String, at time: @autoclosure () -> Duration
    ) throws(KeyManagementError) {
        // The service itself has no limit.
        guard quotas.limitsRequests, !account.isEmpty, let (group, limit) = quotas.rate(operation) else { return }
        let uptime = time()
        let isTaken = buckets.withLock { buckets in
            var bucket = buckets["\(account)/\(group)"] ?? Bucket(tokens: limit, filled: uptime)
            bucket.tokens = min(max(limit, 1), bucket.tokens + (uptime - bucket.filled) / .seconds(1) * limit)
            bucket.filled = uptime
            let isTaken = bucket.tokens >= 1
            if isTaken { bucket.tokens -= 1 }
            buckets["\(account)/\(group)"] = bucket
            return isTaken
        }
        guard isTaken else {
            throw KeyManagementError(
                .throttled,
                "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
        }
    }
}
