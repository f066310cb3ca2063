import Foundation
import LocalKMS
import StrongroomTestSupport
import Testing

@Suite struct LocalKMSTests {
    private func request(
        _ operation: String, _ body: String, headers: [(name: String, value: String)] = [],
        host: String = "127.0.0.1:8200",
        key: String = "111122223333"
    ) -> AWSCompatibility.HTTPRequest {
        AWSCompatibility.HTTPRequest(
            method: "POST", target: "/",
            headers: [
                ("Host", host), ("X-Amz-Target", "TrentService.\(operation)"),
                (
                    "Authorization",
                    "AWS4-HMAC-SHA256 Credential=\(key)/20260101/us-east-1/kms/aws4_request, Signature=none"
                ),
            ] + headers, body: Array(body.utf8))
    }

    @Test func `development mode takes any signature, tells accounts apart, and forgets when it is told to`()
        async throws
    {
        let store = MemoryRecordStore()
        let kms = try await LocalKMS.develop(store: store, regions: ["us-east-1"])
        let made = await kms.answer(request("CreateKey", "{}"), from: nil)
        #expect(made.status == 200 && String(decoding: made.body, as: UTF8.self).contains("key/"))
        func keys(_ key: String) async -> String {
            String(decoding: await kms.answer(request("ListKeys", "{}", key: key), from: nil).body, as: UTF8.self)
        }
        #expect(await keys("111122223333").contains("arn:aws:kms:us-east-1:111122223333:key/"))
        #expect(await keys("AKIAANYBODY").contains(#""Keys":[]"#))
        let unsigned = AWSCompatibility.HTTPRequest(
            method: "POST", target: "/", headers: [("Host", "localhost"), ("X-Amz-Target", "TrentService.ListKeys")],
            body: Array("{}".utf8))
        #expect(await kms.answer(unsigned, from: nil).status == 200)
        // What the mode has made it opens again.
        let again = try await LocalKMS.develop(store: store, regions: ["us-east-1"])
        let listed = await again.answer(request("ListKeys", "{}"), from: nil)
        #expect(String(decoding: listed.body, as: UTF8.self).contains("KeyArn"))
        let reset = AWSCompatibility.HTTPRequest(method: "POST", target: "/reset", headers: [("Host", "localhost")])
        #expect(await kms.answer(reset, from: nil).status == 204)
        #expect(await keys("111122223333").contains(#""Keys":[]"#))
        #expect(await kms.answer(request("CreateKey", "{}"), from: nil).status == 200)
    }

    @Test func `development mode answers no page of a browser`() async throws {
        let kms = try await LocalKMS.develop(regions: ["us-east-1"])
        for refused in [
            request("ListKeys", "{}", host: "example.com"),
            request("ListKeys", "{}", host: "localhost.example.com:8200"),
            request("ListKeys", "{}", headers: [("Origin", "http://localhost")]),
            request("ListKeys", "{}", headers: [("origin", "null")]),
            AWSCompatibility.HTTPRequest(method: "POST", target: "/reset", headers: []),
        ] { #expect(await kms.answer(refused, from: nil).status == 403) }
        #expect(await kms.answer(request("ListKeys", "{}", host: "[::1]:8200"), from: nil).status == 200)
    }

    @Test func `the modes keep to their own stores`() async throws {
        let accounts = try AccountsFile(Array(#"{"accessKeys": []}"#.utf8))
        let cost = try Scrypt(cost: 2, blockSize: 1, parallelism: 1)
        let passphrase = SecretBytes(copying: [1])
        let real = MemoryRecordStore()
        _ = try await LocalKMS.open(
            store: real, passphrase: passphrase, regions: ["us-east-1"], accounts: accounts, cost: cost)
        await #expect(throws: KeyManagementError(.wrongRootOfTrust)) {
            _ = try await LocalKMS.develop(store: real, regions: ["us-east-1"])
        }
        let play = MemoryRecordStore()
        _ = try await LocalKMS.develop(store: play, regions: ["us-east-1"])
        await #expect(throws: KeyManagementError(.wrongRootOfTrust)) {
            _ = try await LocalKMS.open(
                store: play, passphrase: passphrase, regions: ["us-east-1"], accounts: accounts, cost: cost)
        }
    }

    @Test func `without a signature nothing is answered but what is wrong`() async throws {
        let accounts = try AccountsFile(
            Array(#"{"accessKeys": [{"id": "A", "secret": "s", "account": "111122223333"}]}"#.utf8))
        let kms = try await LocalKMS.open(
            store: MemoryRecordStore(), passphrase: SecretBytes(copying: [1]), regions: ["us-east-1"],
            accounts: accounts, cost: Scrypt(cost: 2, blockSize: 1, parallelism: 1))
        let signer = RequestSigner(
            AccessKey(id: "A", secret: SecretBytes(copying: Array("s".utf8))), region: "us-east-1", service: "kms")
        var plain = request("ListKeys", "{}")
        plain.headers.removeAll { $0.name == "Authorization" }
        func code(_ request: AWSCompatibility.HTTPRequest) async -> String {
            String(decoding: await kms.answer(request, from: nil).body, as: UTF8.self)
        }
        #expect(await code(plain).contains("MissingAuthenticationTokenException"))
        #expect(await code(request("ListKeys", "{}")).contains("IncompleteSignatureException"))
        let signed = try signer.sign(plain, at: Date())
        #expect(await code(signed).contains(#""Keys":[]"#))
        var changed = signed
        changed.body = Array(#"{"Limit":1}"#.utf8)
        #expect(await code(changed).contains("InvalidSignatureException"))
        #expect(await code(try signer.sign(plain, at: Date() - 1000)).contains("Signature expired"))
        plain.headers[1].value = "TrentService.Nothing"
        #expect(await code(try signer.sign(plain, at: Date())).contains("UnknownOperationException"))
        plain.headers[1].value = "Other.ListKeys"
        #expect(await code(try signer.sign(plain, at: Date())).contains("UnknownOperationException"))
    }
}
