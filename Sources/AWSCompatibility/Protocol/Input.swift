internal import FoundationEssentials

/// The members of a request in AWS JSON 1.1, read as their names say. Names that nobody knows are left out.
struct Input: Decodable {
    enum Value: Sendable {
        case text(String)
        case blob([UInt8])
        case number(Int)
        case flag(Bool)
        case time(Double)
        case texts([String])
        case pairs([String: String])
        case tags([Tag])
        case constraints(Constraints)
        case recipient(RecipientSource)
        case credential(Credential)
    }

    struct Tag: Decodable, Sendable {
        let key: String
        let value: String

        private enum CodingKeys: String, CodingKey {
            case key = "TagKey"
            case value = "TagValue"
        }
    }

    struct Constraints: Decodable, Sendable {
        let equals: [String: String]?
        let subset: [String: String]?
        let sourceARN: String?

        private enum CodingKeys: String, CodingKey {
            case equals = "EncryptionContextEquals"
            case subset = "EncryptionContextSubset"
            case sourceARN = "SourceArn"
        }
    }

    struct RecipientSource: Decodable, Sendable {
        let algorithm, document: String?

        private enum CodingKeys: String, CodingKey {
            case algorithm = "KeyEncryptionAlgorithm"
            case document = "AttestationDocument"
        }
    }

    struct Credential: Decodable, Sendable {
        let accessKeyID, secret: String?

        private enum CodingKeys: String, CodingKey {
            case accessKeyID = "AccessKeyId"
            case secret = "RawSecretAccessKey"
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    private var values: [String: Value] = [:]

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        for key in container.allKeys {
            guard let member = Member.all[key.stringValue], try !container.decodeNil(forKey: key) else { continue }
            values[key.stringValue] = try Input.value(member.kind, key, container)
        }
    }

    private static func value(
        _ kind: Member.Kind, _ key: Name, _ container: KeyedDecodingContainer<Name>
    ) throws -> Value {
        switch kind {
        case .text: return .text(try container.decode(String.self, forKey: key))
        case .blob:
            guard let data = Data(base64Encoded: try container.decode(String.self, forKey: key)) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: "\(key.stringValue) is not Base64")
            }
            return .blob([UInt8](data))
        case .number: return .number(try container.decode(Int.self, forKey: key))
        case .flag: return .flag(try container.decode(Bool.self, forKey: key))
        case .time: return .time(try container.decode(Double.self, forKey: key))
        case .texts: return .texts(try container.decode([String].self, forKey: key))
        case .pairs: return .pairs(try container.decode([String: String].self, forKey: key))
        case .tags: return .tags(try container.decode([Tag].self, forKey: key))
        case .structure:
            if key.stringValue == "Constraints" {
                return .constraints(try container.decode(Constraints.self, forKey: key))
            }
            if key.stringValue == "XksProxyAuthenticationCredential" {
                return .credential(try container.decode(Credential.self, forKey: key))
            }
            return .recipient(try container.decode(RecipientSource.self, forKey: key))
        }
    }

    /// Reads a request's content.
    ///
    /// - Throws: SerializationException for what is no such JSON, ValidationException for members that break their rules.
    static func read(_ body: [UInt8], required: [String]) throws(AWSFailure) -> Input {
        let input: Input
        do {
            input = try JSONDecoder().decode(Input.self, from: Data(body))
        } catch { throw AWSFailure("SerializationException", "The request cannot be read.") }
        var violations = required.filter { input.values[$0] == nil }.map { name in
            "Value null at '\(name.prefix(1).lowercased() + name.dropFirst())' failed to satisfy constraint: Member must not be null"
        }
        for (name, value) in input.values.sorted(by: { $0.key < $1.key }) {
            if let violation = Member.all[name]?.violation(value, name) { violations.append(violation) }
        }
        guard violations.isEmpty else { throw AWSFailure(violations: violations) }
        return input
    }

    func has(_ name: String) -> Bool { values[name] != nil }
    func text(_ name: String) -> String? { if case .text(let text) = values[name] { text } else { nil } }
    func blob(_ name: String) -> [UInt8]? { if case .blob(let bytes) = values[name] { bytes } else { nil } }
    func number(_ name: String) -> Int? { if case .number(let number) = values[name] { number } else { nil } }
    func flag(_ name: String) -> Bool { if case .flag(let flag) = values[name] { flag } else { false } }
    func time(_ name: String) -> Date? {
        if case .time(let seconds) = values[name] { Date(timeIntervalSince1970: seconds) } else { nil }
    }
    func texts(_ name: String) -> [String] { if case .texts(let texts) = values[name] { texts } else { [] } }
    func context(_ name: String) -> EncryptionContext {
        if case .pairs(let pairs) = values[name] { EncryptionContext(pairs) } else { .none }
    }
    var recipient: RecipientSource? { if case .recipient(let value) = values["Recipient"] { value } else { nil } }
    var credential: Credential? {
        if case .credential(let value) = values["XksProxyAuthenticationCredential"] { value } else { nil }
    }
    var constraints: Constraints? { if case .constraints(let value) = values["Constraints"] { value } else { nil } }

    /// The tags, each name once.
    func tags() throws(KeyManagementError) -> [String: String] {
        guard case .tags(let tags) = values["Tags"] else { return [:] }
        var all: [String: String] = [:]
        for tag in tags where all.updateValue(tag.value, forKey: tag.key) != nil {
            throw KeyManagementError(.invalidTag, "Duplicate tag keys")
        }
        return all
    }
}
