import AtRest
import Console
import Foundation
import StrongroomTestSupport
import Testing

@Suite struct SealedFolderTests {
    let place: TemporaryFolder
    let folder: SealedFolder
    let contents: [String: Data] = [
        "letter.txt": Data("Dear reader".utf8), "empty": Data(), "deep/er/picture": Data(repeating: 7, count: 300_000),
        "deep/again.sealed": Data([1]),
    ]

    init() throws {
        place = try TemporaryFolder()
        folder = SealedFolder(
            Envelope(
                keyring: try RawAESKeyring(namespace: "test", name: "key", key: .random(count: 32)),
                framing: .frames(of: 1 << 16), cores: 2))
        for (path, content) in contents {
            let url = place.url.appendingPathComponent("plain/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try content.write(to: url)
        }
    }

    @Test func `a folder is sealed and opened`() async throws {
        let expected = SealedFolder.Summary(files: 4, bytes: 300_012)
        var done: [Int] = []
        #expect(
            try await folder.seal(place.path("plain"), into: place.path("sealed")) { done.append($0) } == expected)
        #expect(done == done.sorted() && done.last == expected.bytes)
        #expect(try SealedFolder.size(of: place.path("plain")) == expected.bytes)
        #expect(try await folder.open(place.path("sealed"), into: place.path("opened")) == expected)
        for (path, content) in contents {
            #expect(try Data(contentsOf: URL(fileURLWithPath: place.path("opened/\(path)"))) == content)
        }
        // Nothing that is there is replaced, unless that is asked for.
        await #expect(throws: EnvelopeError.self) {
            _ = try await folder.open(place.path("sealed"), into: place.path("opened"))
        }
        _ = try await folder.open(place.path("sealed"), into: place.path("opened"), replacing: true)
    }

    @Test func `files that changed places, foreign files and links are refused`() async throws {
        _ = try await folder.seal(place.path("plain"), into: place.path("sealed"))
        let manager = FileManager.default
        try manager.moveItem(atPath: place.path("sealed/empty.sealed"), toPath: place.path("sealed/other.sealed"))
        await #expect(throws: EnvelopeError(.contextMismatch)) {
            _ = try await folder.open(place.path("sealed"), into: place.path("opened"))
        }
        #expect(!manager.fileExists(atPath: place.path("opened/other")))
        try Data().write(to: URL(fileURLWithPath: place.path("sealed/note.txt")))
        await #expect(throws: UsageError.self) {
            _ = try await folder.open(place.path("sealed"), into: place.path("opened"))
        }
        try manager.createSymbolicLink(atPath: place.path("plain/link"), withDestinationPath: "/etc/passwd")
        await #expect(throws: UsageError.self) {
            _ = try await folder.seal(place.path("plain"), into: place.path("elsewhere"))
        }
        #expect(!manager.fileExists(atPath: place.path("elsewhere")))
    }
}
