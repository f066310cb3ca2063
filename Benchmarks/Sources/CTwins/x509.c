// OpenSSL's own X.509: what a C programmer issues and verifies certificates with.
#include "CTwins.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

struct twin_x509 { EVP_PKEY *issuer, *subject; X509 *root; X509_STORE *store; };

static EVP_PKEY *new_key(void) { return EVP_EC_gen("P-256"); }

twin_x509 *twin_x509_new(const uint8_t *root, size_t n) {
    twin_x509 *t = malloc(sizeof *t);
    t->issuer = new_key();
    t->subject = new_key();
    t->root = d2i_X509(NULL, &root, (long)n);
    t->store = X509_STORE_new();
    X509_STORE_add_cert(t->store, t->root);
    return t;
}

static void add(X509 *certificate, X509V3_CTX *context, int kind, const char *value) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, kind, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

int twin_x509_issue(twin_x509 *t) {
    X509 *certificate = X509_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    BIGNUM *number = BN_new();
    BN_rand(number, 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
    BN_to_ASN1_INTEGER(number, serial);
    X509_set_version(certificate, 2);
    X509_set_serialNumber(certificate, serial);
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"leaf", -1, -1, 0);
    X509_set_subject_name(certificate, name);
    X509_set_issuer_name(certificate, X509_get_subject_name(t->root));
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400 * 90);
    X509_set_pubkey(certificate, t->subject);
    X509V3_CTX context;
    X509V3_set_ctx(&context, t->root, certificate, NULL, NULL, 0);
    add(certificate, &context, NID_authority_key_identifier, "keyid");
    add(certificate, &context, NID_subject_key_identifier, "hash");
    add(certificate, &context, NID_key_usage, "critical,digitalSignature");
    add(certificate, &context, NID_ext_key_usage, "serverAuth");
    add(certificate, &context, NID_subject_alt_name, "DNS:www.example.com");
    int count = X509_sign(certificate, t->issuer, EVP_sha256());
    unsigned char *encoded = NULL;
    count = count > 0 ? i2d_X509(certificate, &encoded) : 0;
    OPENSSL_free(encoded);
    X509_NAME_free(name);
    ASN1_INTEGER_free(serial);
    BN_free(number);
    X509_free(certificate);
    return count > 0;
}

int twin_x509_verify(
    twin_x509 *t, const uint8_t *leaf, size_t leaf_count, const uint8_t *middle, size_t middle_count, const uint8_t *root,
    size_t root_count) {
    X509 *certificate = d2i_X509(NULL, &leaf, (long)leaf_count), *issuer = d2i_X509(NULL, &middle, (long)middle_count);
    X509 *anchor = d2i_X509(NULL, &root, (long)root_count);
    STACK_OF(X509) *others = sk_X509_new_null();
    sk_X509_push(others, issuer);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, t->store, certificate, others);
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set1_host(parameters, "www.example.com", 0);
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
    int is_valid = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    sk_X509_free(others);
    X509_free(certificate);
    X509_free(issuer);
    X509_free(anchor);
    return is_valid;
}
