internal import CStrongroomSystemCalls

/// Places for what several threads keep at hand: what one has put down it mostly finds again on the same core, still in its cache,
/// and meets nobody there. A thread may be moved at any time, so a place is one that all may use all the same.
package enum Core {
    package static let placeCount = 8
    /// One of something at each place. What is changed often has a cache line of its own, 64 bytes.
    package typealias Places<Value: ~Copyable> = InlineArray<8, Value>

    /// The place of the core that runs this thread; 0 where the system does not tell.
    package static var place: Int { Int(max(strongroom_current_core(), 0)) & (placeCount - 1) }
}
