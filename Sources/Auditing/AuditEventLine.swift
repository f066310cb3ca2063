/// An event's line of JSON, taken apart at its time and its identifier.
struct AuditEventLine: Sendable {
    private let beforeTime: [UInt8]
    /// Its time, in 20 characters.
    let time: [UInt8]
    private let beforeID: [UInt8]
    /// Its identifier, in 36.
    let id: [UInt8]
    private let afterID: [UInt8]

    init(_ event: AuditEvent) {
        let line = event.line
        self.init(line.bytes[...], time: line.time, id: line.id)
    }

    /// Takes a line apart; nil where it has no time and no identifier.
    init?(_ line: ArraySlice<UInt8>) {
        // The marks have quotes in them, which are escaped within texts, but an encryption context has names of its own: its event's
        // time stands before all of them, and its identifier behind.
        guard let time = AuditEventLine.end(ofFirst: #""eventTime":""#, in: line),
            let id = AuditEventLine.end(ofLast: #""eventID":""#, in: line[time...]),
            id - time >= AuditEventLine.timeCount, line.endIndex - id >= AuditEventLine.idCount
        else { return nil }
        self.init(line, time: time, id: id)
    }

    private init(_ line: ArraySlice<UInt8>, time: Int, id: Int) {
        beforeTime = Array(line[..<time])
        self.time = Array(line[time...].prefix(AuditEventLine.timeCount))
        beforeID = Array(line[time..<id].dropFirst(AuditEventLine.timeCount))
        self.id = Array(line[id...].prefix(AuditEventLine.idCount))
        afterID = Array(line[id...].dropFirst(AuditEventLine.idCount))
    }

    var byteCount: Int {
        beforeTime.count + AuditEventLine.timeCount + beforeID.count + AuditEventLine.idCount + afterID.count
    }

    /// The same at another time, by another identifier.
    func at(_ time: [UInt8], id: [UInt8]) -> [UInt8] { beforeTime + time + beforeID + id + afterID }

    /// "2026-01-31T12:00:00Z".
    static let timeCount = 20
    /// A UUID.
    static let idCount = 36

    private static func end(ofFirst mark: String, in line: ArraySlice<UInt8>) -> Int? {
        line.indices.first { line[$0...].starts(with: mark.utf8) }.map { $0 + mark.utf8.count }
    }

    private static func end(ofLast mark: String, in line: ArraySlice<UInt8>) -> Int? {
        line.indices.last { line[$0...].starts(with: mark.utf8) }.map { $0 + mark.utf8.count }
    }
}
