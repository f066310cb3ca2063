// What Swift cannot import from OpenSSL: parameter names are string macros, and OSSL_PARAM arrays want stable addresses.
// No logic lives here.
#ifndef STRONGROOM_OPENSSL_SHIMS_H
#define STRONGROOM_OPENSSL_SHIMS_H

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdint.h>
#include <string.h>

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

// A key pair of an algorithm whose private key is a seed, which is read where it stands.
static inline EVP_PKEY *strongroom_key_from_seed(
    OSSL_LIB_CTX *library, const char *algorithm, const unsigned char *seed, size_t count) {
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_octet_string("seed", (void *)seed, count), OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(library, algorithm, NULL);
    EVP_PKEY *key = NULL;
    if (context && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters);
    EVP_PKEY_CTX_free(context);
    return key;
}

// How to treat a message: 1 done, 0 failed, -1 where the linked OpenSSL does not know how. It would pass over a parameter that it does
// not know without a word, and sign something else.
static inline int strongroom_signature_set(EVP_MD_CTX *context, const OSSL_PARAM *parameter) {
    EVP_PKEY_CTX *key = EVP_MD_CTX_get_pkey_ctx(context);
    const OSSL_PARAM *known = key ? EVP_PKEY_CTX_settable_params(key) : NULL;
    if (!known || !OSSL_PARAM_locate_const(known, parameter->key)) return -1;
    return EVP_PKEY_CTX_set_params(key, parameter);
}
static inline int strongroom_signature_prehash(EVP_MD_CTX *context, const char *instance) {
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_utf8_string("instance", (char *)instance, 0), OSSL_PARAM_construct_end()};
    return strongroom_signature_set(context, parameters);
}
static inline int strongroom_signature_representative(EVP_MD_CTX *context) {
    int yes = 1;
    OSSL_PARAM parameters[2] = {OSSL_PARAM_construct_int("mu", &yes), OSSL_PARAM_construct_end()};
    return strongroom_signature_set(context, parameters);
}

static inline int strongroom_signature_identity(EVP_MD_CTX *context, const char *identity) {
    EVP_PKEY_CTX *key = EVP_MD_CTX_get_pkey_ctx(context);
    return key && EVP_PKEY_CTX_set1_id(key, identity, strlen(identity)) == 1;
}

static inline uint32_t strongroom_atomic_load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
static inline void strongroom_atomic_store(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

#endif
