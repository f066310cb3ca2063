internal import Auditing

extension KeyManagementClient {
    /// Replaces a key's description: up to 8192 characters.
    public func updateDescription(
        of identifier: KeyIdentifier, to description: String
    ) async throws(KeyManagementError) {
        let parameters: [(String, AuditEvent.Value)] = [("description", .text(description))]
        try await change("UpdateKeyDescription", identifier, parameters: parameters) { record, _, _ in
            try Tags.check(description: description)
            record.description = description
        }
    }

    /// Writes tags on a key; one that is there gets its new value. Policies may ask for them (`aws:ResourceTag/KEY`), so who may
    /// tag a key may decide who uses it.
    ///
    /// - Parameter tags: up to 50 on a key. A tag's key has 1 to 128 letters and digits of ASCII, spaces and `_.:/=+-@`, does not
    ///   begin with `aws:`, and differs from the others not in case alone, which policies do not see; a value has up to 256
    ///   characters.
    /// - Throws: `invalidTag`, `limitExceeded`.
    public func tag(_ identifier: KeyIdentifier, _ tags: [String: String]) async throws(KeyManagementError) {
        try await change(
            "TagResource", identifier, parameters: [("tags", .map(tags))], conditions: Tags.conditions(tags)
        ) { record, _, _ in
            try Tags.check(tags)
            let all = (record.tags ?? [:]).merging(tags) { $1 }
            try Tags.check(all)
            record.tags = all.isEmpty ? nil : all
        }
    }

    /// Takes tags off a key. One that is not there is no matter.
    public func untag(_ identifier: KeyIdentifier, _ names: [String]) async throws(KeyManagementError) {
        let parameters: [(String, AuditEvent.Value)] = [("tagKeys", .text(names.joined(separator: ",")))]
        try await change(
            "UntagResource", identifier, parameters: parameters, conditions: ["aws:tagkeys": names]
        ) { record, _, _ in
            let rest = (record.tags ?? [:]).filter { tag in
                !names.contains { $0.hasSameBytes(as: tag.key) }
            }
            record.tags = rest.isEmpty ? nil : rest
        }
    }

    /// A key's tags.
    public func tags(of identifier: KeyIdentifier) async throws(KeyManagementError) -> [String: String] {
        try await read("ListResourceTags", identifier) { key, _, _ in key.record.tags ?? [:] }
    }
}

/// The rules for tags, and what policies see of them (AWS KMS, "Tags in AWS KMS"; IAM, global condition keys).
enum Tags {
    private static let largestCount = 50
    static let resourcePrefix = "aws:resourcetag/"

    static func check(description: String) throws(KeyManagementError) {
        // Characters of Unicode may be of any length.
        guard description.unicodeScalars.count <= 8192 else {
            throw KeyManagementError(.validation, "a description has at most 8192 characters")
        }
    }

    static func check(_ tags: [String: String]) throws(KeyManagementError) {
        guard tags.count <= largestCount else {
            throw KeyManagementError(.limitExceeded, "a key has at most \(largestCount) tags")
        }
        for (key, value) in tags {
            guard !key.lowercased().hasPrefix("aws:") else {
                throw KeyManagementError(.invalidTag, "Tags beginning with aws: are reserved")
            }
            guard (1...128).contains(key.utf8.count), key.hasOnlyLettersDigits(and: " _.:/=+-@"),
                value.unicodeScalars.count <= 256
            else {
                throw KeyManagementError(
                    .invalidTag, "a tag's key has 1 to 128 letters, digits, spaces or _.:/=+-@, its value up to 256")
            }
        }
        // Names of conditions have no case, so two such tags would be one with two values.
        guard Set(tags.keys.map { $0.lowercased() }).count == tags.count else {
            throw KeyManagementError(.invalidTag, "Duplicate tag keys")
        }
    }

    /// What a request with tags tells policies.
    static func conditions(_ tags: [String: String]) -> [String: [String]] {
        var conditions: [String: [String]] = tags.isEmpty ? [:] : ["aws:tagkeys": tags.keys.sorted()]
        for (key, value) in tags { conditions["aws:requesttag/\(key.lowercased())", default: []].append(value) }
        return conditions
    }

    /// What a condition key finds on a key: names of conditions have no case.
    static func values(_ name: String, _ tags: [String: String]?) -> [String] {
        guard let tags, name.hasPrefix(resourcePrefix) else { return [] }
        return tags.filter { $0.key.lowercased() == name.dropFirst(resourcePrefix.count) }.map(\.value)
    }
}
