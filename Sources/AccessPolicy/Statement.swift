/// One statement, compiled: patterns prepared, operators known. An object: requests of all threads pass by it.
final class Statement: Sendable {
    enum Effect: Sendable {
        case allow
        case deny
    }

    /// Who a statement is about.
    enum Subjects: Sendable {
        /// Identity policies name nobody: they are attached to somebody.
        case unnamed
        case anyone
        case named(Set<String>, accounts: Set<String>)
        case notNamed(Set<String>, accounts: Set<String>)
    }

    let label: String
    let effect: Effect
    let subjects: Subjects
    private let actions: Selection
    private let resources: Selection
    private let conditions: [Condition]

    init(_ source: StatementSource, number: Int, _ kind: PolicyDocument.Kind, hasVariables: Bool) throws(PolicyError) {
        label = source.sid ?? "statement \(number)"
        switch source.effect {
        case "Allow": effect = .allow
        case "Deny": effect = .deny
        default: throw PolicyError("\(label): Effect must be Allow or Deny")
        }
        switch (source.principal, source.notPrincipal) {
        case (nil, nil): subjects = .unnamed
        case (.anyone?, nil): subjects = .anyone
        case (.named(let names)?, nil):
            let (all, accounts) = try Statement.names(names, label)
            subjects = all.contains("*") ? .anyone : .named(all, accounts: accounts)
        case (nil, .named(let names)?):
            guard effect == .deny else { throw PolicyError("\(label): NotPrincipal goes with Deny only") }
            let (all, accounts) = try Statement.names(names, label)
            subjects = .notNamed(all, accounts: accounts)
        default: throw PolicyError("\(label): one of Principal and NotPrincipal")
        }
        actions = try Selection(actions: source.action, not: source.notAction, label)
        if kind == .trust {
            // What it is attached to is the resource.
            guard source.resource == nil, source.notResource == nil else {
                throw PolicyError("\(label): a trust policy names no resource")
            }
            resources = .everything
        } else {
            resources = try Selection(
                resources: source.resource, not: source.notResource, hasVariables: hasVariables, label)
        }
        var conditions: [Condition] = []
        for (name, keys) in source.condition ?? [:] {
            for (key, values) in keys {
                conditions.append(
                    try Condition(name, key: key, values: values.values, hasVariables: hasVariables, label))
            }
        }
        self.conditions = conditions
    }

    /// Whether action, resource and conditions are the statement's. Who asks is the engine's part.
    func covers(_ request: AccessRequest) -> Bool {
        actions.contains(request.action, request) && resources.contains(request.resource, request)
            && conditions.allSatisfy { $0.isMet(by: request) }
    }

    /// Names by text, and accounts that stand for everybody in them.
    private static func names(
        _ source: [String: StatementSource.OneOrMore], _ label: String
    ) throws(PolicyError) -> (Set<String>, accounts: Set<String>) {
        var (names, accounts) = (Set<String>(), Set<String>())
        for (type, values) in source {
            guard type == "AWS" || type == "Service" else {
                throw PolicyError("\(label): unknown principal type \(type)")
            }
            for value in values.values {
                guard type == "AWS" || !value.contains("*") else {
                    throw PolicyError("\(label): a service is named by its host, without wildcards")
                }
                if value == "*" || type == "Service" {
                    names.insert(value)
                    continue
                }
                let name: PrincipalName
                do { name = try PrincipalName(value) } catch { throw PolicyError("\(label): \(error)") }
                if name.form == .account, let account = name.account {
                    accounts.insert(account)
                } else {
                    names.insert(name.description)
                }
            }
        }
        return (names, accounts)
    }
}

/// What a pair such as Action and NotAction selects.
private struct Selection: Sendable {
    // One of the two; asked by place, since a copy of each would count references that all threads share.
    private let actions: [Pattern]
    private let resources: [ARNPattern]
    private let isInverted: Bool
    /// Whether there is nothing that it does not select, as most of resources.
    private let isEverything: Bool

    /// Prepares the patterns of actions, which ignore case.
    init(
        actions included: StatementSource.OneOrMore?, not excluded: StatementSource.OneOrMore?, _ label: String
    ) throws(PolicyError) {
        let (values, isInverted) = try Selection.one(included, excluded, "\(label): Action")
        self.init(actions: values.map { Pattern($0, ignoringCase: true) }, isInverted: isInverted)
    }

    /// Prepares the patterns of resources.
    init(
        resources included: StatementSource.OneOrMore?, not excluded: StatementSource.OneOrMore?, hasVariables: Bool,
        _ label: String
    ) throws(PolicyError) {
        let (values, isInverted) = try Selection.one(included, excluded, "\(label): Resource")
        self.init(
            resources: try values.map { value throws(PolicyError) in
                try ARNPattern(value, hasVariables: hasVariables)
            }, isInverted: isInverted)
    }

    private init(actions: [Pattern] = [], resources: [ARNPattern] = [], isInverted: Bool) {
        (self.actions, self.resources, self.isInverted) = (actions, resources, isInverted)
        isEverything =
            !isInverted && (actions.contains { $0.isAnything } || resources.contains { $0.isAnything })
    }

    /// Whatever there is.
    static let everything = Selection(actions: [Pattern("*")], isInverted: false)

    private static func one(
        _ included: StatementSource.OneOrMore?, _ excluded: StatementSource.OneOrMore?, _ label: String
    ) throws(PolicyError) -> (values: [String], isInverted: Bool) {
        switch (included, excluded) {
        case (let included?, nil): (included.values, false)
        case (nil, let excluded?): (excluded.values, true)
        default: throw PolicyError("\(label) and its opposite: exactly one of them")
        }
    }

    func contains(_ text: String, _ request: AccessRequest) -> Bool {
        if isEverything { return true }
        for place in actions.indices where actions[place].matches(text) { return !isInverted }
        for place in resources.indices where resources[place].matches(text, request) { return !isInverted }
        return isInverted
    }
}
