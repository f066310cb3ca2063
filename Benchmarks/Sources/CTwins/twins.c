#include "CTwins.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

struct twin_gcm { EVP_CIPHER *cipher; EVP_CIPHER_CTX *seal, *open; };

twin_gcm *twin_gcm_new(const uint8_t key[32]) {
    twin_gcm *t = malloc(sizeof *t);
    t->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    t->seal = EVP_CIPHER_CTX_new();
    t->open = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex2(t->seal, t->cipher, key, NULL, NULL);
    EVP_DecryptInit_ex2(t->open, t->cipher, key, NULL, NULL);
    return t;
}

int twin_gcm_seal(twin_gcm *t, const uint8_t nonce[12], const uint8_t *in, size_t n, uint8_t *out, uint8_t tag[16]) {
    int count, last;
    return EVP_EncryptInit_ex2(t->seal, NULL, NULL, nonce, NULL) && EVP_EncryptUpdate(t->seal, out, &count, in, (int)n)
        && EVP_EncryptFinal_ex(t->seal, out + count, &last)
        && EVP_CIPHER_CTX_ctrl(t->seal, EVP_CTRL_AEAD_GET_TAG, 16, tag);
}

int twin_gcm_open(
    twin_gcm *t, const uint8_t nonce[12], const uint8_t *in, size_t n, uint8_t *out, const uint8_t tag[16]) {
    int count, last;
    return EVP_DecryptInit_ex2(t->open, NULL, NULL, nonce, NULL) && EVP_DecryptUpdate(t->open, out, &count, in, (int)n)
        && EVP_CIPHER_CTX_ctrl(t->open, EVP_CTRL_AEAD_SET_TAG, 16, (void *)tag)
        && EVP_DecryptFinal_ex(t->open, out + count, &last);
}

struct twin_sha256 { EVP_MD *function; EVP_MD_CTX *context; };

twin_sha256 *twin_sha256_new(void) {
    twin_sha256 *t = malloc(sizeof *t);
    t->function = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    t->context = EVP_MD_CTX_new();
    EVP_DigestInit_ex2(t->context, t->function, NULL);
    return t;
}

int twin_sha256_hash(twin_sha256 *t, const uint8_t *in, size_t n, uint8_t out[32]) {
    return EVP_DigestInit_ex2(t->context, NULL, NULL) && EVP_DigestUpdate(t->context, in, n)
        && EVP_DigestFinal_ex(t->context, out, NULL);
}

struct twin_sha384 { EVP_MD *function; EVP_MD_CTX *context; };

twin_sha384 *twin_sha384_new(void) {
    twin_sha384 *t = malloc(sizeof *t);
    t->function = EVP_MD_fetch(NULL, "SHA2-384", NULL);
    t->context = EVP_MD_CTX_new();
    return t;
}

int twin_sha384_begin(twin_sha384 *t) { return EVP_DigestInit_ex2(t->context, t->function, NULL); }
int twin_sha384_update(twin_sha384 *t, const uint8_t *in, size_t n) { return EVP_DigestUpdate(t->context, in, n); }
int twin_sha384_end(twin_sha384 *t, uint8_t out[48]) { return EVP_DigestFinal_ex(t->context, out, NULL); }

struct twin_hmac { EVP_MAC *mac; EVP_MAC_CTX *context; };

twin_hmac *twin_hmac_new(const uint8_t *key, size_t n) {
    twin_hmac *t = malloc(sizeof *t);
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA2-256", 0), OSSL_PARAM_construct_end()};
    t->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    t->context = EVP_MAC_CTX_new(t->mac);
    EVP_MAC_init(t->context, key, n, parameters);
    return t;
}

int twin_hmac_tag(twin_hmac *t, const uint8_t *in, size_t n, uint8_t out[32]) {
    size_t count;
    return EVP_MAC_init(t->context, NULL, 0, NULL) && EVP_MAC_update(t->context, in, n)
        && EVP_MAC_final(t->context, out, &count, 32);
}

struct twin_p256 { EVP_PKEY *key; EVP_PKEY_CTX *sign, *verify; };

twin_p256 *twin_p256_new(void) {
    twin_p256 *t = malloc(sizeof *t);
    t->key = EVP_EC_gen("P-256");
    t->sign = EVP_PKEY_CTX_new_from_pkey(NULL, t->key, NULL);
    t->verify = EVP_PKEY_CTX_new_from_pkey(NULL, t->key, NULL);
    EVP_PKEY_sign_init(t->sign);
    EVP_PKEY_verify_init(t->verify);
    return t;
}

int twin_p256_sign(twin_p256 *t, const uint8_t digest[32], uint8_t *signature, size_t *n) {
    return EVP_PKEY_sign(t->sign, signature, n, digest, 32);
}

int twin_p256_verify(twin_p256 *t, const uint8_t digest[32], const uint8_t *signature, size_t n) {
    return EVP_PKEY_verify(t->verify, signature, n, digest, 32);
}

// The C library's allocator, counted.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
static uint64_t allocations;
void *malloc(size_t n) { __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED); return __libc_malloc(n); }
void *calloc(size_t n, size_t m) { __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED); return __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED); return __libc_realloc(p, n); }
uint64_t twin_allocations(void) { return __atomic_load_n(&allocations, __ATOMIC_RELAXED); }
