import StrongroomTestSupport

/// The questions: PyPI hypothesis invents them, PyPI cryptography knows the answers, and we are asked.
///
/// Each question is a line of JSON on standard output; the answer is a line of hexadecimal digits, or "error". Where an
/// answer is wrong, hypothesis looks for the smallest question that is answered wrongly and shows it on standard error.
enum Oracle {
    static let isInstalled =
        (try? Subprocess.run("python3", ["-c", "import cryptography, hypothesis"]))?.status == 0

    static let script = """
        import json, os, sys
        from hypothesis import HealthCheck, given, seed, settings, strategies as st
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives import hashes, keywrap, serialization as s
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
        from cryptography.hazmat.primitives.kdf.kbkdf import CounterLocation, KBKDFHMAC, Mode

        cases, start = int(sys.argv[1]), int(sys.argv[2])
        HASHES = {"sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256, "sha384": hashes.SHA384,
                  "sha512": hashes.SHA512, "sha3_256": hashes.SHA3_256}
        CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1(),
                  "secp256k1": ec.SECP256K1()}
        ORDERS = {
            "P-256": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
            "P-384": 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
            "P-521": int("01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16),
            "secp256k1": 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141}
        RSA_KEYS = [rsa.generate_private_key(65537, bits) for bits in (2048, 3072)]
        asked = 0

        def ask(**question):
            global asked
            asked += 1
            print(json.dumps({k: v.hex() if isinstance(v, bytes) else str(v) for k, v in question.items()}), flush=True)
            answer = sys.stdin.readline().strip()
            return None if answer == "error" else bytes.fromhex(answer)

        def examples(share):
            return settings(max_examples=max(cases * share // 100, 1), deadline=None, database=None,
                            suppress_health_check=list(HealthCheck))

        def pkcs8(key):
            return key.private_bytes(s.Encoding.DER, s.PrivateFormat.PKCS8, s.NoEncryption())

        def spki(key):
            return key.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)

        names, bytestrings = st.sampled_from(sorted(HASHES)), st.binary(max_size=300)

        @seed(start)
        @examples(20)
        @given(names, st.binary(min_size=1, max_size=200), bytestrings, bytestrings, st.integers(1, 400))
        def hkdf(name, key, salt, info, count):
            kdf = HKDF(HASHES[name](), count, salt, info)
            assert ask(do="hkdf", hash=name, key=key, salt=salt, info=info, count=count) == kdf.derive(key)
            expand = HKDFExpand(HASHES[name](), count, info)
            assert ask(do="expand", hash=name, key=key, info=info, count=count) == expand.derive(key)

        @seed(start)
        @examples(20)
        @given(names, st.binary(min_size=1, max_size=200), bytestrings, bytestrings, st.integers(1, 400))
        def kbkdf(name, key, label, context, count):
            kdf = KBKDFHMAC(HASHES[name](), Mode.CounterMode, count, 4, 4, CounterLocation.BeforeFixed, label, context, None)
            assert ask(do="kbkdf", hash=name, key=key, label=label, context=context, count=count) == kdf.derive(key)

        @seed(start)
        @examples(20)
        @given(st.sampled_from([16, 24, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n)),
               st.binary(min_size=1, max_size=80), st.integers(0, 2**20))
        def wrapping(key, secret, place):
            wrapped = keywrap.aes_key_wrap_with_padding(key, secret)
            assert ask(do="wrap", form="padded", key=key, secret=secret) == wrapped
            assert ask(do="unwrap", form="padded", key=key, wrapped=wrapped) == secret
            plain = (secret * 16)[:max(16, len(secret) // 8 * 8)]
            wrapped = keywrap.aes_key_wrap(key, plain)
            assert ask(do="wrap", form="plain", key=key, secret=plain) == wrapped
            damaged = bytearray(wrapped)
            damaged[place % len(damaged)] ^= 1 + place % 255
            assert ask(do="unwrap", form="plain", key=key, wrapped=bytes(damaged)) is None

        @seed(start)
        @examples(15)
        @given(st.sampled_from(RSA_KEYS), st.sampled_from(["sha1", "sha224", "sha256", "sha384", "sha512"]),
               st.sampled_from(["sha1", "sha224", "sha256", "sha384", "sha512"]), st.binary(max_size=200), bytestrings)
        def oaep(key, name, mask, message, label):
            scheme = padding.OAEP(padding.MGF1(HASHES[mask]()), HASHES[name](), label or None)
            message = message[:key.key_size // 8 - 2 * HASHES[name].digest_size - 2]
            sealed = ask(do="seal", spki=spki(key), hash=name, mask=mask, label=label, message=message)
            assert key.decrypt(sealed, scheme) == message
            theirs = key.public_key().encrypt(message, scheme)
            assert ask(do="open", pkcs8=pkcs8(key), hash=name, mask=mask, label=label, message=theirs) == message

        def private_keys():
            scalars = st.sampled_from(sorted(CURVES)).flatmap(lambda c: st.integers(1, ORDERS[c] - 1).map(
                lambda d: (c, ec.derive_private_key(d, CURVES[c]))))
            raw = st.binary(min_size=32, max_size=32)
            return st.one_of(scalars, raw.map(lambda b: ("ed25519", ed25519.Ed25519PrivateKey.from_private_bytes(b))),
                             raw.map(lambda b: ("x25519", x25519.X25519PrivateKey.from_private_bytes(b))),
                             st.sampled_from(RSA_KEYS).map(lambda k: ("rsa", k)))

        @seed(start)
        @examples(15)
        @given(private_keys())
        def key_formats(pair):
            kind, key = pair
            assert ask(do="private", kind=kind, pkcs8=pkcs8(key)) == pkcs8(key)
            assert ask(do="public", kind=kind, pkcs8=pkcs8(key)) == spki(key)
            assert ask(do="reread", kind=kind, spki=spki(key)) == spki(key)
            if kind in CURVES:
                old = key.private_bytes(s.Encoding.DER, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption())
                assert ask(do="sec1", kind=kind, sec1=old) == old

        @seed(start)
        @examples(10)
        @given(private_keys(), st.integers(0, 2**30), st.integers(1, 255))
        def damaged_keys(pair, place, flip):
            kind, key = pair
            damaged = bytearray(spki(key))
            damaged[place % len(damaged)] ^= flip
            ours = ask(do="reread", kind=kind, spki=bytes(damaged))
            # We may be stricter. What we do take, they take too, and it is the same key.
            if ours is not None:
                theirs = s.load_der_public_key(bytes(damaged))
                assert theirs.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo) == ours

        for check in (hkdf, kbkdf, wrapping, oaep, key_formats, damaged_keys): check()
        print(f"{asked} questions from seed {start}", file=sys.stderr)
        """
}
