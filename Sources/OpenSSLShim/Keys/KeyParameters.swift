internal import CStrongroomOpenSSL
internal import CStrongroomOpenSSLShims

/// Collects a key's numbers and has OpenSSL make the key of them: a tenth of the time of its decoders, and no copy of
/// the encoding.
@safe struct KeyParameters: ~Copyable {
    private let builder: OpaquePointer

    init() throws(NativeError) {
        guard let builder = unsafe OSSL_PARAM_BLD_new() else { throw .memory }
        unsafe self.builder = unsafe builder
    }

    deinit { unsafe OSSL_PARAM_BLD_free(builder) }

    /// Adds a text that outlives the call of `make`, such as a literal.
    func add(_ name: StaticString, _ text: UnsafePointer<CChar>) throws(NativeError) {
        guard unsafe OSSL_PARAM_BLD_push_utf8_string(builder, name.characters, text, 0) == 1 else { throw .memory }
    }

    func add(_ name: StaticString, _ bytes: UnsafeRawBufferPointer) throws(NativeError) {
        guard unsafe OSSL_PARAM_BLD_push_octet_string(builder, name.characters, bytes.baseAddress, bytes.count) == 1
        else { throw .memory }
    }

    func add(_ name: StaticString, _ number: borrowing BigNumber) throws(NativeError) {
        guard unsafe OSSL_PARAM_BLD_push_BN(builder, name.characters, number.pointer) == 1 else { throw .memory }
    }

    /// Has OpenSSL make the key, checking what it checks: points on their curve, numbers in range.
    func make(_ algorithm: StaticString, isPrivate: Bool) throws(NativeError) -> OpaquePointer {
        guard let parameters = unsafe OSSL_PARAM_BLD_to_param(builder) else {
            throw .drained("OSSL_PARAM_BLD_to_param")
        }
        // Private numbers were pushed as secure ones, and are erased here.
        defer { unsafe OSSL_PARAM_free(parameters) }
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(LibraryContext.pointer, algorithm.characters, nil) else {
            throw .drained("EVP_PKEY_CTX_new_from_name")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        let selection = isPrivate ? strongroom_selection_pair : strongroom_selection_public
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_fromdata_init(context) == 1,
            unsafe EVP_PKEY_fromdata(context, &key, selection, parameters) == 1,
            let key = unsafe key
        else { throw .drained("EVP_PKEY_fromdata") }
        return unsafe key
    }
}

extension StaticString {
    /// The characters as C wants them. Safe because a literal lives as long as the process and ends in a zero.
    var characters: UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
