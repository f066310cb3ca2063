// What libssl asks in the middle of a handshake, made answerable from Swift: signatures, the verdict on a peer's
// certificates, and what it tells on the way. And its macros, which Swift cannot import.
#ifndef STRONGROOM_LIBSSL_SHIMS_H
#define STRONGROOM_LIBSSL_SHIMS_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdint.h>

// --- The state of a connection that C and Swift share ---

enum strongroom_question {
    strongroom_question_none,
    // `message` is to be signed by `signer` with `scheme`, into `signature`; the answer is `signature_count`, 0 to refuse.
    strongroom_question_signature,
    // `verification` holds a peer's certificates; the answer is `verdict`.
    strongroom_question_verdict,
};

typedef struct strongroom_connection {
    // The Swift object, not retained.
    void *owner;
    // Gives the verdict at once where the handshake does not run in a fibre: X509_V_OK or another X509_V_ERR_*.
    int (*verify)(struct strongroom_connection *connection);

    // Descriptions of the fatal alerts that went out and came in; -1 for none.
    int sent_alert;
    int received_alert;

    // What a handshake that has paused in its fibre waits for.
    enum strongroom_question question;
    void *signer;
    uint16_t scheme;
    const uint8_t *message;
    size_t message_count;
    uint8_t *signature;
    size_t signature_capacity;
    size_t signature_count;
    X509_STORE_CTX *verification;
    int verdict;

    // Lines for the key log, each ended by a newline, and sessions that can be resumed, until Swift takes them.
    char *key_log;
    size_t key_log_count;
    SSL_SESSION *sessions[4];
    size_t session_count;
} strongroom_connection;

void strongroom_connection_attach(strongroom_connection *connection, SSL *ssl);
static inline void strongroom_clear_errors(void) { ERR_clear_error(); }
// Erases the lines of the key log that have been taken.
void strongroom_connection_erase_key_log(strongroom_connection *connection);
// Frees what Swift has not taken.
void strongroom_connection_clear(strongroom_connection *connection);

// One step of a handshake. Returns what SSL_get_error makes of it.
int strongroom_handshake(strongroom_connection *connection, SSL *ssl);

// The connection whose handshake runs on this thread, or NULL.
strongroom_connection *strongroom_current_connection(void);

// A number of this thread, which no other one ever has: the system gives the same name to one thread after the other.
uint64_t strongroom_thread_number(void);

// --- Contexts ---

// Wires what a context asks and tells to the connections that are made of it.
void strongroom_context_attach(SSL_CTX *context);
void strongroom_context_log_keys(SSL_CTX *context);
// Protocols in the order of preference, each after its length (RFC 7301, 3.1). They must outlive the context.
typedef struct {
    const uint8_t *bytes;
    unsigned int count;
} strongroom_protocols;
void strongroom_context_select_protocols(SSL_CTX *context, strongroom_protocols *protocols);

// --- Keys that are elsewhere ---

// Signs `message`, and writes at most `capacity` bytes to `signature`. Returns how many, 0 where it refuses.
typedef size_t (*strongroom_sign)(
    void *signer, uint16_t scheme, const uint8_t *message, size_t count, uint8_t *signature, size_t capacity);

// A library context with OpenSSL's default provider and that of such keys; NULL where there is none.
OSSL_LIB_CTX *strongroom_tls_library(void);

// A key pair whose public half is in a SubjectPublicKeyInfo, and whose private half is `signer`. `sign` is called where the
// handshake does not run in a fibre; in one it pauses for each signature.
EVP_PKEY *strongroom_signing_key(
    OSSL_LIB_CTX *library, const uint8_t *info, size_t count, void *signer, strongroom_sign sign);

// --- Macros ---

static const uint64_t strongroom_option_no_ticket = SSL_OP_NO_TICKET;
static const uint64_t strongroom_option_server_preference = SSL_OP_CIPHER_SERVER_PREFERENCE;

static inline int strongroom_context_set_versions(SSL_CTX *context, int lowest, int highest) {
    return SSL_CTX_set_min_proto_version(context, lowest) && SSL_CTX_set_max_proto_version(context, highest);
}
// These options and no others: a context begins with what the system's configuration file says.
static inline void strongroom_context_set_options(SSL_CTX *context, uint64_t others) {
    SSL_CTX_clear_options(context, SSL_CTX_get_options(context));
    SSL_CTX_set_options(
        context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_ENABLE_MIDDLEBOX_COMPAT
                     | SSL_OP_CLEANSE_PLAINTEXT | others);
}
// Without a chain of its own making: Swift has given the whole chain, and libssl would verify it in each handshake.
// What could not be written is written again from elsewhere.
static inline void strongroom_context_set_modes(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}
static inline int strongroom_context_set_groups(SSL_CTX *context, const char *groups) {
    return SSL_CTX_set1_groups_list(context, groups);
}
// How servers sign, and how clients do.
static inline int strongroom_context_set_signature_algorithms(
    SSL_CTX *context, const char *servers, const char *clients) {
    return SSL_CTX_set1_sigalgs_list(context, servers) && SSL_CTX_set1_client_sigalgs_list(context, clients);
}
static inline int strongroom_context_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate);
}
static inline void strongroom_context_cache_server_sessions(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(context, 4096);
    SSL_CTX_set_timeout(context, 7200);
}
static inline void strongroom_context_hand_out_client_sessions(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}
static inline void strongroom_context_cache_no_sessions(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline int strongroom_set_server_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }
static inline void strongroom_set_pausing(SSL *ssl, int is_pausing) {
    if (is_pausing) {
        SSL_set_mode(ssl, SSL_MODE_ASYNC);
    } else {
        SSL_clear_mode(ssl, SSL_MODE_ASYNC);
    }
}
static inline size_t strongroom_pending(BIO *bio) { return BIO_ctrl_pending(bio); }
static inline int strongroom_certificate_count(const STACK_OF(X509) *certificates) {
    return certificates ? sk_X509_num(certificates) : 0;
}
static inline X509 *strongroom_certificate_at(const STACK_OF(X509) *certificates, int index) {
    return sk_X509_value(certificates, index);
}
static inline const STACK_OF(X509) *strongroom_presented(X509_STORE_CTX *context) {
    return X509_STORE_CTX_get0_untrusted(context);
}
static inline uint16_t strongroom_negotiated_group(SSL *ssl) { return (uint16_t)SSL_get_negotiated_group(ssl); }
static inline int strongroom_has_extended_master_secret(SSL *ssl) { return SSL_get_extms_support(ssl) == 1; }
// Names of authorities whose certificates are wanted of clients.
static inline int strongroom_context_add_client_authority(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add_client_CA(context, certificate);
}

#endif
