internal import Auditing
internal import FoundationEssentials

extension JSONWriter {
    /// A time as AWS JSON has it: seconds, with three digits of a second, without an exponent.
    mutating func date(_ name: String, _ date: Date) {
        let milliseconds = Int((date.timeIntervalSince1970 * 1000).rounded())
        literal(name, "\(milliseconds / 1000).\(String(milliseconds % 1000 + 1000).dropFirst())")
    }
}
