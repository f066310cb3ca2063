internal import CStrongroomOpenSSL
internal import Synchronization

extension NativeKey {
    /// A public key from an encoded point (SEC 1, 2.3.3), compressed or not. OpenSSL checks that it is on the curve.
    package static func publicKey(curve: String, point: Span<UInt8>) throws(NativeError) -> NativeKey {
        // OpenSSL would remember that a point came compressed, and give it back so.
        guard point.count > 1, point[0] == 4, curve != sm2 else {
            // Compressed, and nothing else: hybrid forms are not for keys (RFC 5480, 2.2).
            guard point.count > 1, point[0] == 2 || point[0] == 3 || curve == sm2 && point[0] == 4 else {
                throw .length
            }
            return try publicKey(naming: curve, point)
        }
        // Taking the curve from another key costs a third of naming it.
        let curveKey = try curveKey(curve)
        defer { withExtendedLifetime(curveKey) {} }
        let template = try unsafe curveKey.pointer
        guard let key = unsafe EVP_PKEY_new() else { throw .memory }
        let isMade =
            unsafe EVP_PKEY_copy_parameters(key, template) == 1
            && point.withUnsafeBufferPointer {
                unsafe EVP_PKEY_set1_encoded_public_key(key, $0.baseAddress, $0.count) == 1
            }
        guard isMade else {
            unsafe EVP_PKEY_free(key)
            throw .drained("EVP_PKEY_set1_encoded_public_key")
        }
        return unsafe NativeKey(taking: key, isPrivate: false)
    }

    private static func publicKey(naming curve: String, _ point: Span<UInt8>) throws(NativeError) -> NativeKey {
        let parameters = try KeyParameters()
        let name = curve
        let key = unsafe try curve.withCharacters { curve throws(NativeError) in
            unsafe try point.withUnsafeBytes { point throws(NativeError) in
                unsafe try parameters.add("group", curve)
                unsafe try parameters.add("pub", point)
                return unsafe try parameters.make(type(name), isPrivate: false)
            }
        }
        return unsafe NativeKey(taking: key, isPrivate: false)
    }

    /// Some public key on a curve, for its parameters.
    private static func curveKey(_ curve: String) throws(NativeError) -> NativeKey {
        if let known = curveKeys.withLock({ $0[curve] }) { return known }
        let encoded = try generate(curve: curve).publicPoint()
        let made = try publicKey(naming: curve, encoded.span)
        return curveKeys.withLock { keys in
            // The first one stays, whoever else has made one meanwhile.
            if let first = keys[curve] { return first }
            keys[curve] = made
            return made
        }
    }

    /// The curve whose keys are of a type of their own.
    package static let sm2 = "SM2"
    private static func type(_ curve: String) -> StaticString { curve == sm2 ? "SM2" : "EC" }

    private static let curveKeys = Mutex<[String: NativeKey]>([:])

    /// A key pair from its private number, whose point is calculated anew: a point from elsewhere may not be its own.
    package static func privateKey(curve: String, scalar: Span<UInt8>) throws(NativeError) -> NativeKey {
        guard let number = BigNumber(scalar) else { throw .memory }
        let point = try publicPoint(curve, number)
        let parameters = try KeyParameters()
        let name = curve
        let key = unsafe try curve.withCharacters { curve throws(NativeError) in
            unsafe try point.span.withUnsafeBytes { point throws(NativeError) in
                unsafe try parameters.add("group", curve)
                unsafe try parameters.add("pub", point)
                try parameters.add("priv", number)
                return unsafe try parameters.make(type(name), isPrivate: true)
            }
        }
        return unsafe NativeKey(taking: key, isPrivate: true)
    }

    /// The public point, uncompressed: 04 || x || y.
    package func publicPoint() throws(NativeError) -> [UInt8] {
        let key = unsafe try pointer
        var point = [UInt8](repeating: 0, count: 133)
        var count = 0
        let isRead = unsafe point.withUnsafeMutableBytes {
            unsafe EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, $0.baseAddress, $0.count, &count) == 1
        }
        guard isRead, count >= 3, count % 2 == 1, point[0] == 4 else {
            throw .drained("EVP_PKEY_get_octet_string_param")
        }
        point.removeLast(point.count - count)
        return point
    }

    /// Writes a number of the key, such as "priv" or "n", with leading zeros to fill the buffer.
    package func write(_ name: StaticString, into bytes: inout MutableSpan<UInt8>) throws(NativeError) {
        guard try number(name).write(into: &bytes) else { throw .length }
    }

    /// How many bytes a number of the key needs.
    package func byteCount(of name: StaticString) throws(NativeError) -> Int { try number(name).byteCount }

    private func number(_ name: StaticString) throws(NativeError) -> BigNumber {
        let key = unsafe try pointer
        var number: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(key, name.characters, &number) == 1,
            let owned = unsafe BigNumber(taking: number)
        else { throw .drained("EVP_PKEY_get_bn_param") }
        return owned
    }

    private static func publicPoint(_ curve: String, _ scalar: borrowing BigNumber) throws(NativeError) -> [UInt8] {
        var identifier = unsafe EC_curve_nist2nid(curve)
        if identifier == 0 { identifier = unsafe OBJ_sn2nid(curve) }
        guard let group = unsafe EC_GROUP_new_by_curve_name_ex(LibraryContext.pointer, nil, identifier) else {
            throw .unavailable(curve)
        }
        defer { unsafe EC_GROUP_free(group) }
        guard let order = unsafe EC_GROUP_get0_order(group), unsafe BN_is_zero(scalar.pointer) == 0,
            unsafe BN_cmp(scalar.pointer, order) < 0
        else { throw .length }
        guard let point = unsafe EC_POINT_new(group) else { throw .memory }
        defer { unsafe EC_POINT_free(point) }
        // SM2 signs with 1 / (1 + d): of the order less 1 there is none, and OpenSSL would look for it for ever (GB/T 32918.1, 6.1).
        if curve == sm2 {
            guard let rest = unsafe BigNumber(difference: order, scalar.pointer) else { throw .memory }
            guard unsafe BN_is_one(rest.pointer) == 0 else { throw .length }
        }
        let scratch = try BigNumberScratch()
        guard unsafe EC_POINT_mul(group, point, scalar.pointer, nil, nil, scratch.pointer) == 1 else {
            throw .drained("EC_POINT_mul")
        }
        var bytes = [UInt8](repeating: 0, count: 133)
        let count = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            unsafe EC_POINT_point2oct(
                group, point, POINT_CONVERSION_UNCOMPRESSED, bytes.baseAddress, bytes.count, scratch.pointer)
        }
        guard count > 0 else { throw .drained("EC_POINT_point2oct") }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}

extension String {
    /// The characters as C wants them, for the time of a call.
    func withCharacters<R, E: Error>(_ body: (UnsafePointer<CChar>) throws(E) -> R) throws(E) -> R {
        // withCString knows no typed errors.
        let result = unsafe withCString { characters -> Result<R, E> in
            do throws(E) { return unsafe .success(try body(characters)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
