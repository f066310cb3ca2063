internal import Glibc

/// The terminal that a person sits at.
package enum Terminal {
    /// Whether standard error is one: where progress is shown.
    package static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether somebody can be asked.
    package static var isThere: Bool {
        let number = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard number >= 0 else { return false }
        close(number)
        return true
    }

    /// Asks for a line without echo, and passes its bytes, without the line feed, to `body`. The buffer is cleansed.
    ///
    /// - Returns: nil where there is no terminal or the line has more than 1024 bytes.
    package static func askSecretly<R: ~Copyable>(_ question: String, _ body: (Span<UInt8>) -> R) -> R? {
        let number = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard number >= 0 else { return nil }
        defer { close(number) }
        var before = termios()
        guard unsafe tcgetattr(number, &before) == 0 else { return nil }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        unsafe tcsetattr(number, TCSAFLUSH, &silent)
        defer { unsafe tcsetattr(number, TCSAFLUSH, &before) }
        let text = Array(question.utf8)
        _ = unsafe text.withUnsafeBytes { unsafe write(number, $0.baseAddress, $0.count) }
        defer { _ = unsafe write(number, "\n", 1) }
        var line = [UInt8](repeating: 0, count: 1025)
        defer { for index in line.indices { line[index] = 0 } }
        let count = unsafe line.withUnsafeMutableBytes { unsafe read(number, $0.baseAddress, $0.count) }
        guard count > 0, count <= 1024 else { return nil }
        let end = line[count - 1] == 0x0A ? count - 1 : count
        return body(line.span.extracting(..<end))
    }
}
