/// Makes values out of choices.
package struct Generator<Value>: Sendable {
    /// The value of the choices, or nil where they make none.
    package let run: @Sendable (inout Choices) -> Value?

    package init(_ run: @escaping @Sendable (inout Choices) -> Value?) { self.run = run }

    package func map<Other>(_ transform: @escaping @Sendable (Value) -> Other) -> Generator<Other> {
        Generator<Other> { choices in run(&choices).map(transform) }
    }

    package func flatMap<Other>(_ transform: @escaping @Sendable (Value) -> Generator<Other>) -> Generator<Other> {
        Generator<Other> { choices in run(&choices).flatMap { transform($0).run(&choices) } }
    }

    package func filter(_ isWanted: @escaping @Sendable (Value) -> Bool) -> Generator {
        Generator { choices in run(&choices).flatMap { isWanted($0) ? $0 : nil } }
    }

    /// Lists of at most `limit`; each element is preceded by the choice to go on, so that elements can be cut out.
    package func array(upTo limit: Int) -> Generator<[Value]> {
        Generator<[Value]> { choices in
            var values: [Value] = []
            while values.count < limit, choices.draw(upTo: 15) > 0 {
                guard let value = run(&choices) else { return nil }
                values.append(value)
            }
            return values
        }
    }
}

extension Generator {
    package static func zip<A, B>(_ first: Generator<A>, _ second: Generator<B>) -> Generator<(A, B)>
    where Value == (A, B) {
        Generator<(A, B)> { choices in
            guard let a = first.run(&choices), let b = second.run(&choices) else { return nil }
            return (a, b)
        }
    }

    /// One of several generators, the first being the simplest.
    package static func oneOf(_ generators: [Generator]) -> Generator {
        Generator { choices in
            guard !generators.isEmpty else { return nil }
            return generators[Int(choices.draw(upTo: UInt64(generators.count - 1)))].run(&choices)
        }
    }
}

extension Generator where Value == Int {
    /// A number of the range, smaller ones being simpler.
    package static func int(in range: ClosedRange<Int>) -> Generator {
        Generator { choices in range.lowerBound + Int(choices.draw(upTo: UInt64(range.upperBound - range.lowerBound))) }
    }

    /// Lengths around the edges of blocks and frames.
    package static func length(upTo limit: Int) -> Generator {
        let edges = [0, 1, 15, 16, 17, 31, 32, 63, 64, 65, 255, 256, 4095, 4096, 4097, 65535].filter { $0 <= limit }
        return .oneOf([
            Generator { choices in edges[Int(choices.draw(upTo: UInt64(edges.count - 1)))] }, .int(in: 0...limit),
        ])
    }
}

extension Generator where Value == [UInt8] {
    /// Bytes of a generated length.
    package static func bytes(_ length: Generator<Int>) -> Generator {
        Generator { choices in
            guard let count = length.run(&choices) else { return nil }
            // Eight bytes a choice: long values stay short lists.
            var bytes: [UInt8] = []
            bytes.reserveCapacity(count)
            while bytes.count < count {
                let word = choices.draw(upTo: .max)
                for shift in stride(from: 0, to: min(8, count - bytes.count) * 8, by: 8) {
                    bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
                }
            }
            return bytes
        }
    }

    /// The same bytes with a bit flipped, a piece cut out, a piece repeated or a byte added: always different.
    package static func damaged(_ original: [UInt8]) -> Generator {
        Generator { choices in
            var bytes = original
            let kind = choices.draw(upTo: 3)
            let position = bytes.isEmpty ? 0 : Int(choices.draw(upTo: UInt64(bytes.count - 1)))
            switch kind {
            case 0 where !bytes.isEmpty: bytes[position] ^= 1 << UInt8(choices.draw(upTo: 7))
            case 1 where !bytes.isEmpty:
                let count = 1 + Int(choices.draw(upTo: UInt64(min(64, bytes.count - position) - 1)))
                bytes.removeSubrange(position..<(position + count))
            case 2 where !bytes.isEmpty:
                let count = 1 + Int(choices.draw(upTo: UInt64(min(64, bytes.count - position) - 1)))
                bytes.insert(contentsOf: bytes[position..<(position + count)], at: position)
            default: bytes.insert(UInt8(choices.draw(upTo: 255)), at: position)
            }
            return bytes == original ? nil : bytes
        }
    }
}
