internal import Auditing
internal import FoundationEssentials

/// One request to the key service: what came, on whose behalf, and the answer as it is written.
struct KMSCall {
    let input: Input
    let client: KeyManagementClient
    let report: OperationReport
    var output = JSONWriter()

    init(_ input: Input, _ client: KeyManagementClient) {
        self.input = input
        report = OperationReport()
        var client = client.reporting(to: report)
        let tokens = input.texts("GrantTokens")
        if !tokens.isEmpty { client = client.using(tokens.map { GrantToken($0) }) }
        self.client = input.flag("DryRun") ? client.trying : client
    }

    /// A member that the operation's table requires.
    func required(_ name: String) -> String { input.text(name) ?? "" }

    var key: KeyIdentifier { KeyIdentifier(required("KeyId")) }

    /// The ARN of the last key that was used.
    var usedKey: String { report.resources.last ?? "" }

    mutating func write(_ name: String, _ bytes: [UInt8]) { output.field(name, Data(bytes).base64EncodedString()) }

    /// A secret leaves here: the answer is ordinary memory.
    mutating func write(_ name: String, _ secret: borrowing SecretBytes) {
        var copy: [UInt8] = []
        secret.withBytes { bytes in for index in bytes.indices { copy.append(bytes[index]) } }
        write(name, copy)
    }

    mutating func write(_ name: String, _ date: Date) { output.date(name, date) }
    mutating func write(_ name: String, _ flag: Bool) { output.literal(name, flag ? "true" : "false") }
    mutating func write(_ name: String, _ number: Int) { output.literal(name, String(number)) }

    mutating func write(_ name: String, _ texts: [String]) {
        output.key(name)
        output.list(texts) { writer, text in writer.text(text) }
    }

    /// A page of a list: what stands behind the marker, at most as much as was asked for. It goes on in the right place where what
    /// the marker names is gone.
    mutating func page<T>(
        _ name: String, _ items: [T], largest: Int = 1000, marker: (T) -> String,
        _ write: (inout JSONWriter, T) -> Void
    ) throws(KeyManagementError) {
        let all = items.sorted { marker($0) < marker($1) }
        var rest = all[...]
        if let text = input.text("Marker") {
            guard let data = Data(base64Encoded: text), let last = String(validating: data, as: UTF8.self),
                !last.isEmpty
            else {
                throw KeyManagementError(.invalidMarker, "Invalid marker")
            }
            rest = all.drop { marker($0) <= last }
        }
        let page = Array(rest.prefix(min(input.number("Limit") ?? min(100, largest), largest)))
        output.key(name)
        output.list(page) { writer, item in
            writer.open()
            write(&writer, item)
            writer.close()
        }
        let isTruncated = page.count < rest.count
        self.write("Truncated", isTruncated)
        if isTruncated, let last = page.last {
            output.field("NextMarker", Data(marker(last).utf8).base64EncodedString())
        }
    }

    /// A policy in a member; nil where there is none.
    func policy() throws(KeyManagementError) -> PolicyDocument? {
        guard let text = input.text("Policy") else { return nil }
        do throws(PolicyError) {
            return try PolicyDocument(text)
        } catch { throw KeyManagementError(.malformedPolicy, "\(error)") }
    }

    /// A principal in a member; nil where there is none.
    func principal(_ member: String, service: String) throws(KeyManagementError) -> PrincipalName? {
        if let host = input.text(service) { return .service(host) }
        guard let text = input.text(member) else { return nil }
        do throws(PolicyError) {
            return try PrincipalName(text)
        } catch { throw KeyManagementError(.invalidARN, "\(error)") }
    }
}

extension KeyManagementError.Code {
    /// A marker that no answer gave.
    static let invalidMarker = KeyManagementError.Code(name: "InvalidMarkerException")
}
