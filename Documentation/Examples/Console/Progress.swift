internal import Foundation
internal import SystemCalls

/// A bar on standard error that moves while long work goes on. Nothing shows where standard error is no terminal.
package final class Progress {
    private let title: String
    private let total: Int
    private let start = ContinuousClock.now
    private var shown = ContinuousClock.now
    private var isVisible = false

    package init(_ title: String, total: Int) {
        self.title = title
        self.total = max(total, 1)
    }

    /// Shows how far the work has come, at most ten times a second and not in the first half second.
    package func update(_ done: Int) {
        let now = ContinuousClock.now
        guard Terminal.showsProgress, now - start > .milliseconds(500), now - shown > .milliseconds(100) else { return }
        shown = now
        isVisible = true
        FileHandle.standardError.write(Data("\r\(Progress.line(title, done: done, total: total))".utf8))
    }

    /// Takes the bar away.
    package func finish() {
        if isVisible { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }

    /// The bar as text.
    package static func line(_ title: String, done: Int, total: Int) -> String {
        let share = min(Double(done) / Double(max(total, 1)), 1)
        let filled = Int(share * 30)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        return "\(title) \(bar) \(Int(share * 100)) %"
    }
}
