import Foundation
import Glibc

/// The memory of this process, as /proc shows it.
package enum ProcessMemory {
    /// Whether a sanitizer is here: its shadow of the memory is too large to be searched, or dumped.
    package static var isInstrumented: Bool {
        ["__asan_init", "__tsan_init"].contains { (name: String) in unsafe dlsym(nil, name) != nil }
    }

    /// Whether a process that crashes leaves a file named core in its folder.
    package static var dumpsCore: Bool {
        guard !isInstrumented else { return false }
        let pattern = (try? String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)) ?? "|"
        return pattern.hasPrefix("core")
    }

    /// This program's file.
    package static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    /// Lets the process be dumped and read, as it is outside of an exit test.
    package static func open() {
        guard let address = unsafe dlsym(nil, "prctl") else { return }
        typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        _ = unsafe unsafeBitCast(address, to: Control.self)(4, 1, 0, 0, 0)  // PR_SET_DUMPABLE
    }

    /// In how many places of writable memory some bytes stand, which are given masked so that they stand in none.
    ///
    /// - Parameters:
    ///   - masked: the bytes, each XORed with 0xA5.
    ///   - address: the mapping that has this address is left out.
    package static func places(masked: [UInt8], outside address: UInt) throws -> Int {
        let memory = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/mem"))
        let list = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/maps")).readToEnd() ?? Data()
        let maps = String(decoding: list, as: UTF8.self)
        // Read into one buffer that is no part of what is searched.
        let room = 1 << 20
        let buffer = unsafe mmap(nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let buffer = unsafe buffer, unsafe buffer != MAP_FAILED else { return -1 }
        defer { unsafe munmap(buffer, room) }
        let own = UInt(bitPattern: buffer)
        var count = 0
        for line in maps.split(separator: "\n") {
            let parts = line.split(separator: " ")
            let ends = parts[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard parts[1].hasPrefix("rw"), !(ends[0]..<ends[1]).contains(address) else { continue }
            var place = ends[0]
            while place < ends[1] {
                if (own..<own + UInt(room)).contains(place) {
                    place = own + UInt(room)
                    continue
                }
                let end = min(place < own ? min(ends[1], own) : ends[1], place + UInt(room))
                // Some mappings of the kernel's cannot be read.
                let read = unsafe pread(memory.fileDescriptor, buffer, Int(end - place), off_t(place))
                if read > 0 {
                    count += unsafe self.count(masked, in: UnsafeRawBufferPointer(start: buffer, count: read))
                }
                // A place across two readings is read whole by the second.
                place = end - place == room ? end - UInt(masked.count - 1) : end
            }
        }
        return count
    }

    /// How often the bytes behind a mask stand in a buffer.
    package static func count(_ masked: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress, masked.count > 1, bytes.count >= masked.count else { return 0 }
        let first = Int32(masked[0] ^ 0xA5)
        let last = bytes.count - masked.count
        var (count, place) = (0, 0)
        while place <= last, let found = unsafe memchr(base + place, first, last + 1 - place) {
            let start = unsafe UnsafeRawPointer(found) - base
            if masked.indices.allSatisfy({ unsafe bytes[start + $0] ^ 0xA5 == masked[$0] }) { count += 1 }
            place = start + 1
        }
        return count
    }
}
