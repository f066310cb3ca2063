internal import Dispatch
internal import Glibc

/// Signals of the system as a sequence. They end the process no more.
package enum Signals {
    /// The signals of some numbers, as they come.
    package static func stream(_ numbers: Int32...) -> AsyncStream<Int32> {
        AsyncStream { continuation in
            // Safe because nothing is done with them but to end them, once.
            nonisolated(unsafe) let sources = numbers.map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield(number) }
                source.activate()
                return source
            }
            continuation.onTermination = { _ in unsafe sources.forEach { $0.cancel() } }
        }
    }
}
