/// An answer as HTTP has it, without a transport.
public struct HTTPResponse: Sendable {
    /// Such as 200.
    public let status: Int
    /// The fields, without the content's length.
    public let headers: [(name: String, value: String)]
    /// The content.
    public let body: [UInt8]

    /// Joins the three.
    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
