package import Cryptography
internal import Foundation
internal import SystemCalls

/// Where a command's passphrase comes from: a file, the variable STRONGROOM_PASSPHRASE, or the person at the terminal.
package enum Passphrase {
    /// Finds the passphrase.
    ///
    /// - Parameters:
    ///   - file: a file whose content it is, less one trailing newline.
    ///   - isNew: whether it will be needed again: a person types it twice.
    /// - Throws: ``UsageError`` where there is none, or the two differ.
    package static func find(file: String?, isNew: Bool) throws -> SecretBytes {
        if let file { return try read(file) }
        if let text = ProcessInfo.processInfo.environment["STRONGROOM_PASSPHRASE"], !text.isEmpty {
            return SecretBytes(copying: Array(text.utf8))
        }
        guard Terminal.isThere else {
            throw UsageError("no passphrase: use --passphrase-file, STRONGROOM_PASSPHRASE or a terminal")
        }
        let first = try ask(isNew ? "New passphrase: " : "Passphrase: ")
        if isNew {
            let second = try ask("Once more: ")
            let isSame = first == second
            guard isSame else { throw UsageError("the two passphrases differ") }
        }
        return first
    }

    private static func ask(_ question: String) throws(UsageError) -> SecretBytes {
        guard let answer = Terminal.askSecretly(question, { SecretBytes(copying: $0) }), answer.count > 0 else {
            throw UsageError("no passphrase was given")
        }
        return answer
    }

    private static func read(_ path: String) throws -> SecretBytes {
        let file = try FileDescriptor(reading: path)
        let whole = try SecretBytes(capacity: 4096) { output throws(SystemError) in
            output.append(repeating: 0, count: 4096)
            var bytes = output.mutableSpan
            let count = try file.read(into: &bytes)
            output.removeLast(4096 - count)
        }
        guard whole.count > 0, whole.count < 4096 else { throw UsageError("\(path): a passphrase has 1 to 4095 bytes") }
        let end = whole.bytes[whole.count - 1] == 0x0A ? whole.count - 1 : whole.count
        return whole.slice(..<end)
    }
}
