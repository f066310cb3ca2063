// What Swift cannot import from OpenSSL: parameter names are string macros, and OSSL_PARAM arrays want stable addresses.
// No logic lives here.
#ifndef STRONGROOM_OPENSSL_SHIMS_H
#define STRONGROOM_OPENSSL_SHIMS_H

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdint.h>

// Reading the tag through a parameter costs a tenth less than the EVP_CTRL_AEAD_GET_TAG control.
static inline int strongroom_cipher_get_tag(EVP_CIPHER_CTX *context, void *tag, size_t count) {
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, count), OSSL_PARAM_construct_end()};
    return EVP_CIPHER_CTX_get_params(context, parameters);
}

static inline int strongroom_cipher_set_tag(EVP_CIPHER_CTX *context, const void *tag, size_t count) {
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, (void *)tag, count), OSSL_PARAM_construct_end()};
    return EVP_CIPHER_CTX_set_params(context, parameters);
}

// The name of a digest or cipher that a MAC is built on.
static inline int strongroom_mac_init(
    EVP_MAC_CTX *context, const unsigned char *key, size_t count, const char *parameter, const char *algorithm) {
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_utf8_string(parameter, (char *)algorithm, 0), OSSL_PARAM_construct_end()};
    return EVP_MAC_init(context, key, count, parameters);
}

static const char *const strongroom_parameter_digest = OSSL_MAC_PARAM_DIGEST;
static const char *const strongroom_parameter_cipher = OSSL_MAC_PARAM_CIPHER;

// Which parts of a key its parameters hold.
static const int strongroom_selection_public = EVP_PKEY_PUBLIC_KEY;
static const int strongroom_selection_pair = EVP_PKEY_KEYPAIR;

// EVP_PKEY_Q_keygen is variadic.
static inline EVP_PKEY *strongroom_generate_ec(OSSL_LIB_CTX *library, const char *curve) {
    return EVP_PKEY_Q_keygen(library, NULL, "EC", curve);
}
static inline EVP_PKEY *strongroom_generate_rsa(OSSL_LIB_CTX *library, size_t bits) {
    return EVP_PKEY_Q_keygen(library, NULL, "RSA", bits);
}
static inline EVP_PKEY *strongroom_generate_raw(OSSL_LIB_CTX *library, const char *algorithm) {
    return EVP_PKEY_Q_keygen(library, NULL, algorithm);
}

static inline uint32_t strongroom_atomic_load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
static inline void strongroom_atomic_store(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

#endif
