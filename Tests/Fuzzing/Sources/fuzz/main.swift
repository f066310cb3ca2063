import CFuzzer
import Foundation

// fuzz NAME [libFuzzer's arguments]   runs one target
// fuzz --seeds FOLDER                 writes each target's first inputs to FOLDER/NAME
// fuzz --list                         lists the targets
let arguments = CommandLine.arguments
try await Fixtures.prepare()
try await CertificateInputs.prepare()
try await AttestationInputs.prepare()
try await KeyStoreInputs.prepare()
try await BackupInputs.prepare()
try await ConnectionInputs.prepare()
switch arguments.dropFirst().first {
case "--list": Target.allCases.forEach { print($0.rawValue) }
case "--seeds":
    let folder = URL(fileURLWithPath: arguments.count > 2 ? arguments[2] : "seeds")
    for target in Target.allCases {
        let place = folder.appendingPathComponent(target.rawValue)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        for (index, seed) in try await Seeds.make(target).enumerated() {
            try Data(seed).write(to: place.appendingPathComponent("seed-\(index)"))
        }
    }
case let name?:
    guard let target = Target(rawValue: name) else { fatalError("no target \(name); see --list") }
    Harness.target = target
    var count = Int32(arguments.count - 1)
    var words: [UnsafeMutablePointer<CChar>?] =
        ([arguments[0]] + arguments.dropFirst(2)).map { strdup($0) } + [nil]
    words.withUnsafeMutableBufferPointer { words in
        var start = words.baseAddress
        exit(
            LLVMFuzzerRunDriver(&count, &start) { bytes, count in
                Harness.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
                return 0
            })
    }
case nil: print("which target? see --list")
}
