internal import FoundationEssentials

/// A request to AWS STS, in the Query protocol: names and values in a form, answers in XML.
struct STSRequest {
    private let values: [String: String]

    /// Reads a form.
    ///
    /// - Parameter isQuery: whether it stands in the address, where a plus sign is one: a signature of it does not tell the two apart
    ///   that a form has.
    init(_ form: [UInt8], isQuery: Bool = false) {
        var values: [String: String] = [:]
        // By bytes, as signatures have it.
        for pair in form.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false).map {
                HTTPRequest.decoded($0, plusIsSpace: !isQuery)
            }
            values[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }

    /// The members of a list of structures: `Tags.member.1.Key`, numbered from 1, 50 at most.
    func list(_ name: String, _ first: String, _ second: String) throws(AWSFailure) -> [String: String] {
        var (all, count): ([String: String], Int) = ([:], 0)
        for index in 1...50 {
            guard let key = values["\(name).member.\(index).\(first)"] else { break }
            all[key] = values["\(name).member.\(index).\(second)"] ?? ""
            count += 1
        }
        let given = values.keys.count { $0.hasPrefix("\(name).member.") && $0.hasSuffix(".\(first)") }
        guard all.count == count, count == given else {
            throw AWSFailure(
                "ValidationError", "\(name) are numbered from 1, 50 at most, and each has a key of its own.")
        }
        return all
    }

    /// Refuses parameters that would have a meaning which nobody heeds.
    func refuseUnknown(besides known: [String]) throws(AWSFailure) {
        let unknown = values.keys.sorted().first { name in
            !known.contains { $0 == name || ($0.hasSuffix(".") && name.hasPrefix($0)) } && !name.hasPrefix("X-Amz-")
        }
        if let unknown { throw AWSFailure("ValidationError", "\(unknown) is not supported.") }
    }
}

/// An answer in XML.
struct STSAnswer {
    private(set) var text = ""

    mutating func element(_ name: String, _ value: String) {
        text += "<\(name)>\(STSAnswer.escaped(value))</\(name)>"
    }

    mutating func element(_ name: String, _ body: (inout STSAnswer) -> Void) {
        text += "<\(name)>"
        body(&self)
        text += "</\(name)>"
    }

    static func escaped(_ text: String) -> String {
        // XML has no control characters but these three.
        let characters = text.unicodeScalars.filter { $0.value >= 0x20 || [9, 10, 13].contains($0.value) }
        return String(String.UnicodeScalarView(characters)).replacing("&", with: "&amp;")
            .replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    /// A whole answer of an operation.
    static func document(_ operation: String, requestID: String, _ body: (inout STSAnswer) -> Void) -> [UInt8] {
        var answer = STSAnswer()
        answer.element("\(operation)Result", body)
        answer.element("ResponseMetadata") { $0.element("RequestId", requestID) }
        return Array(
            "<\(operation)Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\(answer.text)</\(operation)Response>"
                .utf8)
    }

    /// A refusal.
    static func document(_ failure: AWSFailure, requestID: String) -> [UInt8] {
        var answer = STSAnswer()
        answer.element("Error") { answer in
            answer.element("Type", failure.status >= 500 ? "Receiver" : "Sender")
            answer.element("Code", failure.code)
            answer.element("Message", failure.message)
        }
        answer.element("RequestId", requestID)
        return Array(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\(answer.text)</ErrorResponse>".utf8)
    }
}
