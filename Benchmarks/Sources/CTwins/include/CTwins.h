// What a careful C programmer writes: algorithms fetched once, contexts keyed once, the caller's buffers.
#ifndef CTWINS_H
#define CTWINS_H

#include <stddef.h>
#include <stdint.h>

typedef struct twin_gcm twin_gcm;
twin_gcm *twin_gcm_new(const uint8_t key[32]);
int twin_gcm_seal(twin_gcm *, const uint8_t nonce[12], const uint8_t *in, size_t n, uint8_t *out, uint8_t tag[16]);
int twin_gcm_open(twin_gcm *, const uint8_t nonce[12], const uint8_t *in, size_t n, uint8_t *out, const uint8_t tag[16]);

typedef struct twin_sha256 twin_sha256;
twin_sha256 *twin_sha256_new(void);
int twin_sha256_hash(twin_sha256 *, const uint8_t *in, size_t n, uint8_t out[32]);

// GCM frame by frame, and SHA-384 over what that gives: what a signed message cannot do without.
typedef struct twin_sha384 twin_sha384;
twin_sha384 *twin_sha384_new(void);
int twin_sha384_begin(twin_sha384 *);
int twin_sha384_update(twin_sha384 *, const uint8_t *in, size_t n);
int twin_sha384_end(twin_sha384 *, uint8_t out[48]);

typedef struct twin_hmac twin_hmac;
twin_hmac *twin_hmac_new(const uint8_t *key, size_t n);
int twin_hmac_tag(twin_hmac *, const uint8_t *in, size_t n, uint8_t out[32]);

typedef struct twin_p256 twin_p256;
twin_p256 *twin_p256_new(void);
int twin_p256_sign(twin_p256 *, const uint8_t digest[32], uint8_t *signature, size_t *n);
int twin_p256_verify(twin_p256 *, const uint8_t digest[32], const uint8_t *signature, size_t n);

// SoftHSM2's module; NULL where it, or p11-kit's header, is missing. `out` has room for the tag.
typedef struct twin_softhsm twin_softhsm;
twin_softhsm *twin_softhsm_new(void);
int twin_softhsm_sign(twin_softhsm *, const uint8_t digest[32], uint8_t signature[64]);
int twin_softhsm_seal(twin_softhsm *, const uint8_t nonce[12], const uint8_t *in, size_t n, uint8_t *out);

// OpenSSL's X.509: issues a certificate; parses a leaf, its issuer and the root, and verifies them for www.example.com.
typedef struct twin_x509 twin_x509;
twin_x509 *twin_x509_new(const uint8_t *root, size_t n);
int twin_x509_issue(twin_x509 *);
int twin_x509_verify(
    twin_x509 *, const uint8_t *leaf, size_t leaf_count, const uint8_t *middle, size_t middle_count, const uint8_t *root,
    size_t root_count);

// libssl with memory BIOs: a full handshake of TLS 1.3 in which the client verifies; bytes from the server to the client.
typedef struct twin_tls twin_tls;
twin_tls *twin_tls_new(
    const uint8_t *leaf, size_t leaf_count, const uint8_t *root, size_t root_count, const uint8_t *key, size_t key_count);
int twin_tls_open(twin_tls *);
int twin_tls_send(twin_tls *, const uint8_t *in, size_t n, uint8_t *out);

// How often this process has called malloc, calloc or realloc.
uint64_t twin_allocations(void);

#endif
