import Foundation
import Synchronization

/// A program that answers each line with a line, until its input ends.
package final class LinePeer: Sendable {
    package struct Ended: Error, CustomStringConvertible {
        package let description: String
    }

    private struct Pipes {
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        var rest: [UInt8] = []

        func send(_ line: String) throws {
            try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
        }

        mutating func receive() -> String? {
            var line: [UInt8] = []
            while true {
                // Arrays, and each byte looked at once: an answer may have megabytes.
                if let end = rest.firstIndex(of: 0x0A) {
                    line += rest[..<end]
                    rest = Array(rest[(end + 1)...])
                    return String(decoding: line, as: UTF8.self)
                }
                line += rest
                rest = Array(output.fileHandleForReading.availableData)
                if rest.isEmpty { return nil }
            }
        }
    }

    private let pipes: Mutex<Pipes>

    /// Starts the program. What it says on standard error goes where ours goes.
    package init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        // A peer that ends early is an error to its caller, and not the end of the tests.
        signal(SIGPIPE, SIG_IGN)
        let pipes = Pipes()
        pipes.process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        pipes.process.arguments = [program] + arguments
        pipes.process.environment = Subprocess.environment().merging(environment) { $1 }
        pipes.process.standardInput = pipes.input
        pipes.process.standardOutput = pipes.output
        try pipes.process.run()
        self.pipes = Mutex(pipes)
    }

    deinit {
        pipes.withLock { pipes in
            try? pipes.input.fileHandleForWriting.close()
            pipes.process.waitUntilExit()
        }
    }

    /// Sends a line and waits for the answer. Callers wait for each other.
    package func ask(_ line: String) throws -> String {
        try pipes.withLock { pipes in
            try pipes.send(line)
            guard let answer = pipes.receive() else {
                throw Ended(description: "the peer ended before it answered")
            }
            return answer
        }
    }

    /// Sends a line.
    package func send(_ line: String) throws { try pipes.withLock { try $0.send(line) } }

    /// The next line; nil at the end.
    package func receive() -> String? { pipes.withLock { $0.receive() } }

    /// Ends the input, waits for the end, and returns the status.
    package func finish() -> Int32 {
        pipes.withLock { pipes in
            try? pipes.input.fileHandleForWriting.close()
            pipes.process.waitUntilExit()
            return pipes.process.terminationStatus
        }
    }
}
