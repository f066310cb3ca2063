#if SQLite
import Foundation
import Glibc
import HSMEmulation
import SQLiteRecordStorage
import StrongroomTestSupport
import Testing

/// A process generates, relabels and destroys keys and is killed at any instant, again and again. What had returned is so;
/// what had not is whole or not there.
@Suite struct HSMKillTests {
    static let kills = Int(ProcessInfo.processInfo.environment["STRONGROOM_KILLS"] ?? "") ?? 20

    @Test func `what the HSM had answered survives kills`() async throws {
        var random = SystemRandomNumberGenerator()
        let folder = try TemporaryFolder()
        let path = folder.path("hsm.db")
        var model = Model()
        var acts = 0
        _ = try TestPartition(SQLiteRecordStore(path: path))
        for round in 0..<Self.kills {
            let log = folder.path("acts.\(round)")
            let delay = UInt32.random(in: 1000...60_000, using: &random)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, log = log as String, delay = delay as UInt32] in
                try work(path, log, killAfter: delay)
            }
            let lines = (try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n") ?? []
            for line in lines { model.follow(line) }
            acts += lines.count / 2
            let session = try TestPartition(SQLiteRecordStore(path: path)).session()
            var found: [String: String] = [:]
            for handle in try session.keys() { found["\(handle)"] = try session.attributes(of: handle).label }
            #expect(model.accounts(for: found), "round \(round): \(lines.suffix(2))")
            for (handle, label) in found {
                let bytes = try #require(Hexadecimal.decode(handle))
                #expect(try session.find(label: label).contains(KeyHandle(bytes)))
                // Each key opens and signs.
                let message: [UInt8] = [1]
                _ = try session.key(KeyHandle(bytes), for: .signing).sign(message.span, using: .ed25519)
            }
            model.keys = found
        }
        let admin = try TestPartition(SQLiteRecordStore(path: path)).administrator()
        #expect(try admin.verifyAuditTrail().isSound)
        #expect(acts > Self.kills)
        print("\(Self.kills) kills: \(acts) answers hold")
    }
}

/// What the acts that are written down have led to.
private struct Model {
    var keys: [String: String] = [:]
    /// An act that had begun and not returned: its kind, its key and its label.
    private var open: [Substring] = []

    mutating func follow(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.first == "done" else { return open = words }
        switch words[1] {
        case "destroy": keys[String(words[2])] = nil
        default: keys[String(words[2])] = String(words[3])
        }
        open = []
    }

    /// Whether there is what must be, and besides at most what the open act has done.
    func accounts(for found: [String: String]) -> Bool {
        if found == keys { return true }
        guard let kind = open.first else { return false }
        var after = keys
        switch kind {
        case "destroy": after[String(open[1])] = nil
        case "relabel": after[String(open[1])] = String(open[2])
        default:
            let fresh = Set(found.keys).subtracting(keys.keys)
            guard fresh.count == 1, let handle = fresh.first else { return false }
            after[handle] = String(open[1])
        }
        return found == after
    }
}

/// Works until it is killed, and writes down what it begins and what has returned.
private func work(_ path: String, _ log: String, killAfter delay: UInt32) throws {
    let descriptor = unsafe open(log, O_WRONLY | O_APPEND | O_CREAT, 0o600)
    func note(_ text: String) {
        // One write of one line: the kernel has it whole, whatever happens to this process.
        let line = text + "\n"
        _ = unsafe line.utf8CString.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count - 1) }
    }
    let session = try TestPartition(SQLiteRecordStore(path: path)).session()
    let killer = Thread {
        usleep(delay)
        kill(getpid(), SIGKILL)
    }
    killer.start()
    while true {
        let known = try session.keys()
        let label = "l\(Int.random(in: 0..<5))"
        switch known.randomElement() {
        case let handle? where Bool.random():
            if Bool.random() || known.count > 8 {
                note("destroy \(handle)")
                try session.destroy(handle)
                note("done destroy \(handle)")
            } else {
                note("relabel \(handle) \(label)")
                try session.changeAttributes(of: handle) { $0.label = label }
                note("done relabel \(handle) \(label)")
            }
        default:
            note("generate \(label)")
            let key = try session.generateKey(.ed25519, label: label)
            note("done generate \(key.handle) \(label)")
        }
    }
}
#endif
