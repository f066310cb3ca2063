import AccessPolicy
import AtRest
import KeyManagement
import RecordStorage
import StrongroomPropertyTesting
import StrongroomTestSupport
import Testing

@Suite struct Properties {
    @Test func `an envelope gives back what it took, and nothing that was changed`() async throws {
        let keyring = try RawAESKeyring(namespace: "p", name: "k", key: .random(count: 32))
        let cases = Generator.zip(Generator.bytes(.length(upTo: 5000)), Generator.int(in: 1...4200))
        await forAll(cases, count: 60) { plaintext, frame in
            let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: frame))
            let message = try await envelope.encrypt(plaintext, context: ["a": "b"])
            try require(try await envelope.decrypt(message).plaintext.revealed == plaintext, "round trip")
        }
        let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: 20))
        let message = try await envelope.encrypt([UInt8](0..<70), context: ["a": "b"])
        await forAll(Generator.damaged(message), count: 1000) { damaged in
            do {
                _ = try await envelope.decrypt(damaged).plaintext.count
            } catch { return }
            throw Untrue("a changed message was opened")
        }
    }

    @Test func `bytes that nobody sealed end in an error, not a crash`() async throws {
        let keyring = try RawAESKeyring(namespace: "p", name: "k", key: .random(count: 32))
        let envelope = Envelope(keyring: keyring)
        let start: [UInt8] = [2, 4, 0x78] + [UInt8](repeating: 0, count: 32)
        await forAll(Generator.bytes(.length(upTo: 300)), count: 1000) { bytes in
            for message in [bytes, start + bytes] {
                do {
                    _ = try await envelope.decrypt(message).plaintext.count
                } catch { continue }
                throw Untrue("noise was opened")
            }
            do { _ = try Ciphertext(bytes) } catch { return }
        }
    }

    @Test func `a damaged policy is refused or decides, and never crashes`() async throws {
        let text =
            #"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*","Condition":{"StringLike":{"k":["a*",1,true]}}}]}"#
        await forAll(Generator.damaged(Array(text.utf8)), count: 1000) { bytes in
            guard let policy = try? PolicyDocument(String(decoding: bytes, as: UTF8.self)) else { return }
            let request = AccessRequest(
                principal: .root(account: "111122223333"), action: "kms:Encrypt", resource: "r",
                resourceAccount: "111122223333")
            _ = PolicyEngine { _ in [] }.decide(request, resourcePolicy: policy)
        }
    }

    /// What a test does to a key.
    enum Step: CaseIterable, Sendable {
        case enable, disable, rotate, schedule, cancel, week, encrypt, decryptFirst
    }

    /// The key's life against a plain model of it, on a clock that moves by weeks, by two services on one store.
    @Test func `a key does what the model of its states says, whichever service is asked`() async throws {
        let step = Generator.int(in: 0...(Step.allCases.count - 1)).map { Step.allCases[$0] }
        await forAll(Generator.zip(step, Generator.int(in: 0...1)).array(upTo: 20), count: 60) { steps in
            let (clock, store) = (MovableClock(), MemoryRecordStore())
            let root = try KeyFileRoot(key: .random(count: 32))
            var clients: [KeyManagementClient] = []
            for _ in 0...1 {
                let service = try await KeyManagementService(
                    store: store, rootOfTrust: root, audit: .buffered(lossWindow: .seconds(60)), clock: clock)
                clients.append(service.client(for: .root(account: "111122223333")))
            }
            let key = try await clients[0].createKey(.symmetric)
            let first = try await clients[0].encrypt([1], under: key)
            var model = Model()
            for (step, asked) in steps {
                let client = clients[asked]
                // Whoever looks sees what the other has done; encryption alone may look a quarter of a second later.
                _ = try? await client.describe(KeyIdentifier(key))
                var isDone = true
                do {
                    switch step {
                    case .enable: try await client.enable(KeyIdentifier(key))
                    case .disable: try await client.disable(KeyIdentifier(key))
                    case .rotate: try await client.rotate(KeyIdentifier(key))
                    case .schedule: try await client.scheduleDeletion(KeyIdentifier(key), afterDays: 10)
                    case .cancel: try await client.cancelDeletion(KeyIdentifier(key))
                    case .week: clock.advance(days: 7)
                    case .encrypt: _ = try await client.encrypt([2], under: key)
                    case .decryptFirst: try require(try await client.decrypt(first).revealed == [1], "content")
                    }
                } catch is KeyManagementError { isDone = false }
                try require(isDone == model.apply(step), "\(step) in \(model)")
            }
        }
    }

    struct Model {
        var isEnabled = true
        var daysLeft: Int?
        var isGone = false

        mutating func apply(_ step: Step) -> Bool {
            if step == .week {
                daysLeft = daysLeft.map { $0 - 7 }
                if let daysLeft, daysLeft <= 0 { isGone = true }
                return true
            }
            if isGone { return false }
            let isPending = daysLeft != nil
            switch step {
            case .enable, .disable:
                if isPending { return false }
                isEnabled = step == .enable
                return true
            case .schedule:
                if isPending { return false }
                daysLeft = 10
                return true
            case .cancel:
                if !isPending { return false }
                (daysLeft, isEnabled) = (nil, false)
                return true
            case .rotate, .encrypt, .decryptFirst: return isEnabled && !isPending
            case .week: return true
            }
        }
    }
}
