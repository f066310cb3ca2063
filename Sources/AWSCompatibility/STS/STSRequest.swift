internal import FoundationEssentials

/// A request to AWS STS, in the Query protocol: names and values in a form, answers in XML.
struct STSRequest {
    private let values: [String: String]

    init(_ body: [UInt8]) {
        var values: [String: String] = [:]
        for pair in String(decoding: body, as: UTF8.self).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { part in
                HTTPRequest.formDecoded(String(part))
            }
            values[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }

    /// The members of a list of structures: `Tags.member.1.Key`.
    func list(_ name: String, _ first: String, _ second: String) -> [String: String] {
        var all: [String: String] = [:]
        for index in 1...50 {
            guard let key = values["\(name).member.\(index).\(first)"] else { break }
            all[key] = values["\(name).member.\(index).\(second)"] ?? ""
        }
        return all
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
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
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
            answer.element("Type", "Sender")
            answer.element(
                "Code", failure.code.hasSuffix("Exception") ? String(failure.code.dropLast(9)) : failure.code)
            answer.element("Message", failure.message)
        }
        answer.element("RequestId", requestID)
        return Array(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\(answer.text)</ErrorResponse>".utf8)
    }
}
