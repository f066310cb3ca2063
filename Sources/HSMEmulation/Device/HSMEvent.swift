internal import Auditing
internal import FoundationEssentials

/// What the audit trail tells of an act: who, what, on which key. CloudHSM's own log has opcodes; the names here are those
/// of PKCS #11's functions, without `C_`.
struct HSMEvent {
    let name: String
    let user: String
    var parameters: [(String, AuditEvent.Value)] = []
    var key: String?
    var isReadOnly = false

    func audited(in partition: OpenPartition, refusedWith error: HSMError? = nil) -> AuditEvent {
        var event = AuditEvent(
            time: partition.clock.now, source: "hsm.strongroom", name: name, region: partition.name, account: "",
            identity: AuditEvent.Identity(type: "HSMUser", arn: "\(partition.name)/\(user)", account: ""))
        event.requestParameters = parameters
        event.isReadOnly = isReadOnly
        event.resourceType = "HSM::Key"
        if let key { event.resources = ["hsm:\(partition.name):object/\(key)"] }
        if let error { event.error = (error.code.name, error.message) }
        return event
    }
}
