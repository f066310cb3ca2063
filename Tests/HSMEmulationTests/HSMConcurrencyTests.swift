import HSMEmulation
import Testing

@Suite struct HSMConcurrencyTests {
    @Test func `sessions on several threads, in two processes' eyes, keep one truth`() async throws {
        let test = try TestPartition()
        let other = try test.elsewhere()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<6 {
                let place = worker % 2 == 0 ? test : other
                group.addTask {
                    let session = try place.session(worker < 3 ? "alice" : "bob")
                    let message: [UInt8] = [UInt8(worker)]
                    for round in 0..<15 {
                        let key = try session.generateKey(.ed25519, label: "w\(worker)", isPersistent: round % 3 > 0)
                        _ = try key.sign(message.span, using: .ed25519)
                        try session.changeAttributes(of: key.handle) { $0.label = "w\(worker)-\(round)" }
                        #expect(try session.find(label: "w\(worker)-\(round)") == [key.handle])
                        if round % 2 == 0 { try session.destroy(key.handle) }
                    }
                    session.logOut()
                }
            }
            try await group.waitForAll()
        }
        // Of 15 rounds those are left that were odd and persistent: 1, 5, 7, 11 and 13.
        for place in [test, other] {
            for user in ["alice", "bob"] { #expect(try place.session(user).keys().count == 3 * 5) }
        }
        let verification = try test.administrator().verifyAuditTrail()
        #expect(verification.isSound)
    }

    @Test func `a key that another process destroys is gone here at once, or nearly`() async throws {
        let test = try TestPartition()
        let here = try test.session()
        let key = try here.generateKey(.ed25519)
        let message: [UInt8] = [1]
        let there = try test.elsewhere().session()
        _ = try there.key(key.handle, for: .signing).sign(message.span, using: .ed25519)
        try there.destroy(key.handle)
        try await Task.sleep(for: .milliseconds(60))
        #expect(throws: CryptographyError(.unknownKey)) { _ = try key.sign(message.span, using: .ed25519) }
    }
}
