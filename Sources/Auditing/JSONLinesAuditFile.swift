internal import Dispatch
internal import Synchronization
internal import SystemCalls

/// Appends events to a file, one line of JSON each, for tools that read logs.
///
/// Whoever can write the file can change it: what proves something is the ``AuditTrail``. The file is opened for appending,
/// so several processes may share it, and a tool that rotates it starts a new one by giving this a new path. A line that a
/// crash cut short is ended when the file is opened again.
public final class JSONLinesAuditFile: AuditSink {
    private let file: Mutex<FileDescriptor>
    private let isSynchronized: Bool
    /// Writing and waiting happen here, off the cooperative threads.
    private let queue = DispatchQueue(label: "strongroom.audit.file")

    /// Opens a file, or makes it with the mode 0600.
    ///
    /// - Parameters:
    ///   - path: the file's name.
    ///   - isSynchronized: whether each event waits until it is on the disk.
    public init(path: String, isSynchronized: Bool = true) throws(AuditError) {
        do throws(SystemError) {
            let opened = try FileDescriptor(appendingTo: path)
            let last = try opened.lastByte()
            if let last, last != 0x0A { try opened.write([0x0A].span) }
            file = Mutex(opened)
        } catch { throw AuditError("the audit file cannot be opened: \(error)") }
        self.isSynchronized = isSynchronized
    }

    /// Appends an event.
    public func record(_ event: AuditEvent) async throws(AuditError) {
        let line = event.jsonBytes + [0x0A]
        let failure = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.write(line)) }
        }
        if let failure { throw failure }
    }

    private func write(_ line: [UInt8]) -> AuditError? {
        file.withLock { file in
            do throws(SystemError) {
                try file.write(line.span)
                if isSynchronized { try file.synchronize() }
                return nil
            } catch { return AuditError("the audit file cannot be written: \(error)") }
        }
    }
}
