#include "CStrongroomLibSSLShims.h"
#include <openssl/async.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// A fibre never leaves its thread, so this is right within one as well.
static _Thread_local strongroom_connection *current;

strongroom_connection *strongroom_current_connection(void) { return current; }

uint64_t strongroom_thread_number(void) {
    static atomic_uint_fast64_t last;
    static _Thread_local uint64_t number;
    if (number == 0) number = atomic_fetch_add(&last, 1) + 1;
    return number;
}

void strongroom_connection_attach(strongroom_connection *connection, SSL *ssl) {
    connection->sent_alert = -1;
    connection->received_alert = -1;
    SSL_set_app_data(ssl, connection);
}

void strongroom_connection_erase_key_log(strongroom_connection *connection) {
    OPENSSL_clear_free(connection->key_log, connection->key_log_count);
    connection->key_log = NULL;
    connection->key_log_count = 0;
}

void strongroom_connection_clear(strongroom_connection *connection) {
    strongroom_connection_erase_key_log(connection);
    for (size_t index = 0; index < connection->session_count; index++) SSL_SESSION_free(connection->sessions[index]);
    connection->session_count = 0;
}

int strongroom_handshake(strongroom_connection *connection, SSL *ssl) {
    strongroom_connection *outer = current;
    current = connection;
    connection->question = strongroom_question_none;
    int result = SSL_get_error(ssl, SSL_do_handshake(ssl));
    current = outer;
    return result;
}

static int verify(X509_STORE_CTX *verification, void *unused) {
    (void)unused;
    SSL *ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
    strongroom_connection *connection = SSL_get_app_data(ssl);
    connection->verification = verification;
    if (ASYNC_get_current_job() != NULL) {
        // A fibre's stack is small: Swift answers outside.
        connection->verdict = X509_V_ERR_UNSPECIFIED;
        connection->question = strongroom_question_verdict;
        ASYNC_pause_job();
    } else {
        connection->verdict = connection->verify(connection);
    }
    connection->verification = NULL;
    X509_STORE_CTX_set_error(verification, connection->verdict);
    return connection->verdict == X509_V_OK;
}

static void note_alert(const SSL *ssl, int where, int value) {
    // Above the description stands the level; warnings end nothing.
    if (!(where & SSL_CB_ALERT) || value >> 8 != SSL3_AL_FATAL) return;
    strongroom_connection *connection = SSL_get_app_data(ssl);
    if (where & SSL_CB_READ) {
        connection->received_alert = value & 0xFF;
    } else {
        connection->sent_alert = value & 0xFF;
    }
}

static void note_keys(const SSL *ssl, const char *line) {
    strongroom_connection *connection = SSL_get_app_data(ssl);
    size_t length = strlen(line);
    size_t count = connection->key_log_count + length + 1;
    char *grown = OPENSSL_clear_realloc(connection->key_log, connection->key_log_count, count);
    if (grown == NULL) return;
    memcpy(grown + connection->key_log_count, line, length);
    grown[count - 1] = '\n';
    connection->key_log = grown;
    connection->key_log_count = count;
}

// Returns 1 where it keeps the session.
static int note_session(SSL *ssl, SSL_SESSION *session) {
    strongroom_connection *connection = SSL_get_app_data(ssl);
    if (SSL_is_server(ssl)) return 0;
    if (connection->session_count == sizeof connection->sessions / sizeof *connection->sessions) return 0;
    connection->sessions[connection->session_count++] = session;
    return 1;
}

// Any name is served, or a context has been chosen by it: libssl keeps it with the session.
static int accept_name(SSL *ssl, int *alert, void *unused) {
    (void)ssl, (void)alert, (void)unused;
    return SSL_TLSEXT_ERR_OK;
}

static int select_protocol(
    SSL *ssl, const unsigned char **selected, unsigned char *count, const unsigned char *offered,
    unsigned int offered_count, void *argument) {
    (void)ssl;
    strongroom_protocols *own = argument;
    int result = SSL_select_next_proto(
        (unsigned char **)selected, count, own->bytes, own->count, offered, offered_count);
    // Nothing in common ends the handshake (RFC 7301, 3.2).
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void strongroom_context_attach(SSL_CTX *context) {
    SSL_CTX_set_cert_verify_callback(context, verify, NULL);
    SSL_CTX_set_info_callback(context, note_alert);
    SSL_CTX_sess_set_new_cb(context, note_session);
    SSL_CTX_set_tlsext_servername_callback(context, accept_name);
}

void strongroom_context_log_keys(SSL_CTX *context) { SSL_CTX_set_keylog_callback(context, note_keys); }

void strongroom_context_select_protocols(SSL_CTX *context, strongroom_protocols *protocols) {
    SSL_CTX_set_alpn_select_cb(context, select_protocol, protocols);
}
