import Console
import Foundation
import KeyManagement
import StrongroomTestSupport
import Testing

@Suite struct ConsoleTests {
    @Test func `words are sorted`() throws {
        let arguments = try Arguments(["--store", "x", "--force", "file"], options: ["--store"], flags: ["--force"])
        #expect(arguments.values == ["--store": "x"] && arguments.flags == ["--force"] && arguments.file == "file")
        for words in [["--store"], ["--what"], ["a", "b"]] {
            #expect(throws: UsageError.self) { _ = try Arguments(words, options: ["--store"], flags: []) }
        }
    }

    @Test func `a passphrase file loses one newline`() throws {
        let folder = try TemporaryFolder()
        for (content, expected) in [("pass", "pass"), ("pass\n", "pass"), ("pass\n\n", "pass\n"), (" p ", " p ")] {
            try Data(content.utf8).write(to: folder.url.appendingPathComponent("f"))
            #expect(try Passphrase.find(file: folder.path("f"), isNew: true).revealed == Array(expected.utf8))
        }
        try Data().write(to: folder.url.appendingPathComponent("f"))
        #expect(throws: UsageError.self) { _ = try Passphrase.find(file: folder.path("f"), isNew: true).count }
    }

    @Test func `people read sizes, bars and tables`() {
        #expect(Presentation.size(79) == "79 bytes")
        #expect(Presentation.size(1536) == "1.5 KiB")
        #expect(Presentation.size(5 << 30) == "5.0 GiB")
        #expect(Progress.line("x", done: 1, total: 2).contains("50 %"))
        #expect(Presentation.table([["a", "bbb"], ["cc", "d"]]) == "a   bbb\ncc  d")
        #expect(Presentation.line(KeyManagementError(.wrongRootOfTrust, "wrong passphrase")) == "wrong passphrase")
    }
}
