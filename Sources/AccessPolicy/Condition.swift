internal import FoundationEssentials

/// One line of a statement's Condition: operator, key, values.
struct Condition: Sendable {
    private enum Test: Sendable {
        case text([Pattern])
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

    init(_ name: String, key: String, values: [String], _ label: String) throws(PolicyError) {
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
        test = try Condition.test(opposite ?? name, values, "\(label): \(name)")
    }

    private static let negations = [
        "StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
        "StringNotLike": "StringLike", "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals",
        "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
    ]

    func isMet(by request: AccessRequest) -> Bool {
        let values = request.context(key)
        if case .isNull(let isNull) = test { return values.isEmpty == isNull }
        if values.isEmpty { return quantifier == .forAll || (holdsWhenMissing && quantifier == .single) }
        return switch quantifier {
        case .single, .forAny: values.contains { matches($0) != isNegated }
        case .forAll: values.allSatisfy { matches($0) != isNegated }
        }
    }

    private func matches(_ value: String) -> Bool {
        switch test {
        case .text(let patterns): patterns.contains { $0.matches(value) }
        case .number(let limits, let compare):
            Double(value).map { value in limits.contains { compare(value, $0) } } ?? false
        case .date(let limits, let compare):
            Condition.date(value).map { value in limits.contains { compare(value, $0) } } ?? false
        case .flag(let flag): value == (flag ? "true" : "false")
        case .isNull: false
        }
    }

    private static func test(_ name: String, _ values: [String], _ label: String) throws(PolicyError) -> Test {
        switch name {
        case "StringEquals", "ArnEquals", "StringLike", "ArnLike":
            let isLiteral = name == "StringEquals"
            return .text(values.map { isLiteral ? Pattern(literal: $0) : Pattern($0) })
        case "StringEqualsIgnoreCase": return .text(values.map { Pattern(literal: $0, ignoringCase: true) })
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
