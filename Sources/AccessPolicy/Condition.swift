internal import FoundationEssentials
internal import IPAddresses

/// One line of a statement's Condition: operator, key, values.
struct Condition: Sendable {
    private enum Test: Sendable {
        case text([Pattern])
        case arn([ARNPattern])
        case address([IPAddressRange])
        case number([Double], @Sendable (Double, Double) -> Bool)
        case date([Date], @Sendable (Date, Date) -> Bool)
        case flag(Bool)
        case isNull(Bool)
    }

    private enum Quantifier: Sendable {
        case single
        case forAll
        case forAny
    }

    private let key: String
    private let test: Test
    private let isNegated: Bool
    private let holdsWhenMissing: Bool
    private let quantifier: Quantifier

    init(
        _ name: String, key: String, values: [String], hasVariables: Bool, _ label: String
    ) throws(PolicyError) {
        var name = name
        var quantifier = Quantifier.single
        for (prefix, meaning) in [("ForAllValues:", Quantifier.forAll), ("ForAnyValue:", .forAny)]
        where name.hasPrefix(prefix) {
            name.removeFirst(prefix.count)
            quantifier = meaning
        }
        let ifExists = name.hasSuffix("IfExists")
        if ifExists { name.removeLast("IfExists".count) }
        self.key = key.lowercased()
        self.quantifier = quantifier
        // "StringNotEquals" negates "StringEquals"; a Not anywhere else makes an unknown operator.
        let opposite = Condition.negations[name]
        isNegated = opposite != nil
        holdsWhenMissing = ifExists || isNegated
        test = try Condition.test(opposite ?? name, values, hasVariables, "\(label): \(name)")
    }

    private static let negations = [
        "StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
        "StringNotLike": "StringLike", "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals",
        "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike", "NotIpAddress": "IpAddress",
    ]

    func isMet(by request: AccessRequest) -> Bool {
        let values = request.context(key)
        if case .isNull(let isNull) = test { return values.isEmpty == isNull }
        if values.isEmpty { return quantifier == .forAll || (holdsWhenMissing && quantifier == .single) }
        return switch quantifier {
        case .single, .forAny: values.contains { matches($0, request) != isNegated }
        case .forAll: values.allSatisfy { matches($0, request) != isNegated }
        }
    }

    private func matches(_ value: String, _ request: AccessRequest) -> Bool {
        switch test {
        case .text(let patterns): patterns.contains { $0.matches(value, request) }
        case .arn(let patterns): patterns.contains { $0.matches(value, request) }
        // A socket of both versions shows addresses of version 4 as version 6.
        case .address(let ranges):
            IPAddress(value).map { value in ranges.contains { $0.contains(value.unmapped) || $0.contains(value) } }
                ?? false
        case .number(let limits, let compare):
            Double(value).map { value in limits.contains { compare(value, $0) } } ?? false
        case .date(let limits, let compare):
            Condition.date(value).map { value in limits.contains { compare(value, $0) } } ?? false
        case .flag(let flag): value == (flag ? "true" : "false")
        case .isNull: false
        }
    }

    private static func test(
        _ name: String, _ values: [String], _ hasVariables: Bool, _ label: String
    ) throws(PolicyError) -> Test {
        func patterns(hasWildcards: Bool, ignoringCase: Bool = false) throws(PolicyError) -> Test {
            .text(
                try values.map { value throws(PolicyError) in
                    Pattern(
                        try Pattern.units(value, hasWildcards: hasWildcards, hasVariables: hasVariables),
                        ignoringCase: ignoringCase)
                })
        }
        switch name {
        case "StringEquals": return try patterns(hasWildcards: false)
        case "StringLike": return try patterns(hasWildcards: true)
        case "StringEqualsIgnoreCase": return try patterns(hasWildcards: false, ignoringCase: true)
        case "ArnEquals", "ArnLike":
            return .arn(
                try values.map { value throws(PolicyError) in
                    let pattern = try ARNPattern(value, hasVariables: hasVariables)
                    guard pattern.isARN else { throw PolicyError("\(label): \(value) is no ARN") }
                    return pattern
                })
        case "IpAddress":
            let ranges = values.compactMap { IPAddressRange($0) }
            guard ranges.count == values.count else { throw PolicyError("\(label) takes addresses as 192.0.2.0/24") }
            return .address(ranges)
        // Base64 has one text for each value.
        case "BinaryEquals": return .text(values.map { Pattern($0.utf8.map { .byte($0) }) })
        case "Bool":
            guard values.count == 1, values[0] == "true" || values[0] == "false" else {
                throw PolicyError("\(label) takes true or false")
            }
            return .flag(values[0] == "true")
        case "Null":
            guard values.count == 1, values[0] == "true" || values[0] == "false" else {
                throw PolicyError("\(label) takes true or false")
            }
            return .isNull(values[0] == "true")
        default: break
        }
        let relation: String
        if name.hasPrefix("Numeric") {
            relation = String(name.dropFirst(7))
        } else if name.hasPrefix("Date") {
            relation = String(name.dropFirst(4))
        } else {
            throw PolicyError("\(label) is an unknown operator")
        }
        if name.hasPrefix("Numeric") {
            let limits = values.compactMap { Double($0) }
            guard limits.count == values.count else { throw PolicyError("\(label) takes numbers") }
            return .number(limits, try comparison(relation, label))
        }
        let limits = values.compactMap { date($0) }
        guard limits.count == values.count else { throw PolicyError("\(label) takes dates as 2026-01-31T12:00:00Z") }
        return .date(limits, try comparison(relation, label))
    }

    private static func comparison<T: Comparable & SendableMetatype>(
        _ relation: String, _ label: String
    ) throws(PolicyError) -> @Sendable (T, T) -> Bool {
        switch relation {
        case "Equals": { $0 == $1 }
        case "LessThan": { $0 < $1 }
        case "LessThanEquals": { $0 <= $1 }
        case "GreaterThan": { $0 > $1 }
        case "GreaterThanEquals": { $0 >= $1 }
        default: throw PolicyError("\(label) is an unknown operator")
        }
    }

    private static func date(_ text: String) -> Date? {
        if let seconds = Double(text) { return Date(timeIntervalSince1970: seconds) }
        return try? Date(text, strategy: .iso8601)
    }
}
