internal import FoundationEssentials

/// A policy in AWS's grammar, parsed once into the form that decides.
///
/// What it does not know it refuses: a document with an unknown operator, effect or element is not half a policy.
/// Source: IAM User Guide, "Grammar of the IAM JSON policy language".
public struct PolicyDocument: Sendable {
    /// The document as it was given.
    public let text: String
    let statements: [Statement]
    private let kind: Kind

    /// What a document is attached to.
    enum Kind: Sendable {
        case permissions
        case trust
    }

    /// Parses a document of at most 32 KiB.
    public init(_ text: String) throws(PolicyError) { try self.init(text, .permissions) }

    /// Parses a role's trust policy: who may take the role on. It names principals and no resources.
    public init(trust text: String) throws(PolicyError) { try self.init(text, .trust) }

    private init(_ text: String, _ kind: Kind) throws(PolicyError) {
        guard text.utf8.count <= 32768 else { throw PolicyError("a policy has at most 32768 bytes") }
        let source: DocumentSource
        do {
            source = try JSONDecoder().decode(DocumentSource.self, from: Data(text.utf8))
        } catch {
            throw PolicyError("not a policy document: \(PolicyDocument.describe(error))")
        }
        guard source.version == nil || source.version == "2012-10-17" || source.version == "2008-10-17" else {
            throw PolicyError("unknown policy version \(source.version ?? "")")
        }
        guard !source.statements.isEmpty else { throw PolicyError("a policy needs a statement") }
        var statements: [Statement] = []
        for (index, statement) in source.statements.enumerated() {
            // Documents of the older version, or of none, have no variables.
            statements.append(
                try Statement(statement, number: index + 1, kind, hasVariables: source.version == "2012-10-17"))
        }
        self.statements = statements
        self.text = text
        self.kind = kind
    }

    /// Whether it is a role's trust policy: one kind cannot stand where the other belongs.
    public var isTrustPolicy: Bool { kind == .trust }

    /// A statement that gives an account's own policies the say over a key: the default of AWS KMS.
    public static func delegating(
        toAccount account: String, partition: String = "aws", actions: String = "kms:*"
    ) throws(PolicyError) -> PolicyDocument {
        try PolicyDocument(
            #"{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","#
                + #""Effect":"Allow","Principal":{"AWS":"arn:\#(partition):iam::\#(account):root"},"#
                + #""Action":"\#(actions)","Resource":"*"}]}"#)
    }

    /// Whether a statement names principals, as what is attached to a principal must not.
    public var namesPrincipals: Bool {
        statements.contains { statement in if case .unnamed = statement.subjects { false } else { true } }
    }

    private static func describe(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .keyNotFound(let key, _): "\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.debugDescription
        default: "unreadable"
        }
    }
}

/// Why a policy document is refused.
public struct PolicyError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, for a person.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// A document as JSON has it.
struct DocumentSource: Decodable {
    let version: String?
    let statements: [StatementSource]

    private enum Key: String, CodingKey {
        case version = "Version"
        case statements = "Statement"
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: ["Version", "Id", "Statement"])
        let container = try decoder.container(keyedBy: Key.self)
        version = try container.decodeIfPresent(String.self, forKey: .version)
        if let one = try? container.decode(StatementSource.self, forKey: .statements) {
            statements = [one]
        } else {
            statements = try container.decode([StatementSource].self, forKey: .statements)
        }
    }
}

/// A statement as JSON has it.
struct StatementSource: Decodable {
    enum Principals: Decodable {
        case anyone
        case named([String: OneOrMore])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                guard text == "*" else {
                    throw DecodingError.dataCorruptedError(in: container, debugDescription: "Principal \(text)")
                }
                self = .anyone
            } else {
                self = .named(try container.decode([String: OneOrMore].self))
            }
        }
    }

    /// A string, number or boolean, or a list of them.
    struct OneOrMore: Decodable {
        let values: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let one = try? container.decode(Scalar.self) {
                values = [one.text]
            } else {
                values = try container.decode([Scalar].self).map(\.text)
            }
        }
    }

    struct Scalar: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                text = flag ? "true" : "false"
            } else if let number = try? container.decode(Double.self) {
                text = number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
            } else {
                text = try container.decode(String.self)
            }
        }
    }

    let sid: String?
    let effect: String
    let principal: Principals?
    let notPrincipal: Principals?
    let action: OneOrMore?
    let notAction: OneOrMore?
    let resource: OneOrMore?
    let notResource: OneOrMore?
    let condition: [String: [String: OneOrMore]]?

    private enum Key: String, CodingKey, CaseIterable {
        case sid = "Sid"
        case effect = "Effect"
        case principal = "Principal"
        case notPrincipal = "NotPrincipal"
        case action = "Action"
        case notAction = "NotAction"
        case resource = "Resource"
        case notResource = "NotResource"
        case condition = "Condition"
    }

    init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: Set(Key.allCases.map(\.rawValue)))
        let container = try decoder.container(keyedBy: Key.self)
        sid = try container.decodeIfPresent(String.self, forKey: .sid)
        effect = try container.decode(String.self, forKey: .effect)
        principal = try container.decodeIfPresent(Principals.self, forKey: .principal)
        notPrincipal = try container.decodeIfPresent(Principals.self, forKey: .notPrincipal)
        action = try container.decodeIfPresent(OneOrMore.self, forKey: .action)
        notAction = try container.decodeIfPresent(OneOrMore.self, forKey: .notAction)
        resource = try container.decodeIfPresent(OneOrMore.self, forKey: .resource)
        notResource = try container.decodeIfPresent(OneOrMore.self, forKey: .notResource)
        condition = try container.decodeIfPresent([String: [String: OneOrMore]].self, forKey: .condition)
    }
}

/// Any name that an object has.
private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
}

extension Decoder {
    /// A misspelt Condition must not turn a narrow statement into a wide one.
    fileprivate func refuseKeys(except known: Set<String>) throws {
        let container = try container(keyedBy: AnyKey.self)
        guard let unknown = container.allKeys.first(where: { !known.contains($0.stringValue) }) else { return }
        throw DecodingError.dataCorrupted(
            .init(codingPath: codingPath, debugDescription: "\(unknown.stringValue) is no element of a policy"))
    }
}
