// TLS over libssl as a careful C programmer writes it: shared contexts, memory BIOs, the chain given whole, a verified peer.
#include "CTwins.h"
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

struct twin_tls {
    SSL_CTX *server, *client;
    SSL *sides[2];
    uint8_t buffer[1 << 15];
};

static X509 *certificate(const uint8_t *der, size_t n) { return d2i_X509(NULL, &der, (long)n); }

twin_tls *twin_tls_new(
    const uint8_t *leaf, size_t leaf_count, const uint8_t *root, size_t root_count, const uint8_t *key, size_t key_count) {
    twin_tls *t = calloc(1, sizeof *t);
    t->server = SSL_CTX_new(TLS_server_method());
    t->client = SSL_CTX_new(TLS_client_method());
    for (int side = 0; side < 2; side++) {
        SSL_CTX *context = side ? t->client : t->server;
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
        SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");
        SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
        SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CLEANSE_PLAINTEXT);
        SSL_CTX_set_session_cache_mode(context, side ? SSL_SESS_CACHE_OFF : SSL_SESS_CACHE_SERVER);
    }
    SSL_CTX_set_options(t->server, SSL_OP_NO_TICKET);
    SSL_CTX_sess_set_cache_size(t->server, 4096);
    SSL_CTX_set_num_tickets(t->server, 1);
    X509 *own = certificate(leaf, leaf_count), *anchor = certificate(root, root_count);
    EVP_PKEY *pair = d2i_AutoPrivateKey(NULL, &key, (long)key_count);
    int is_ready = SSL_CTX_use_certificate(t->server, own) == 1 && SSL_CTX_use_PrivateKey(t->server, pair) == 1
        && X509_STORE_add_cert(SSL_CTX_get_cert_store(t->client), anchor) == 1;
    SSL_CTX_set_verify(t->client, SSL_VERIFY_PEER, NULL);
    X509_free(own);
    X509_free(anchor);
    EVP_PKEY_free(pair);
    return is_ready ? t : NULL;
}

static void end(twin_tls *t) {
    for (int side = 0; side < 2; side++) {
        SSL_free(t->sides[side]);
        t->sides[side] = NULL;
    }
}

static SSL *begin(SSL_CTX *context, int is_client) {
    SSL *ssl = SSL_new(context);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (!is_client) {
        SSL_set_accept_state(ssl);
        return ssl;
    }
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, "localhost");
    SSL_set1_host(ssl, "localhost");
    return ssl;
}

// Carries what waits from one side to the other.
static int carry(twin_tls *t, int from) {
    int carried = 0, n;
    while ((n = BIO_read(SSL_get_wbio(t->sides[from]), t->buffer, sizeof t->buffer)) > 0) {
        BIO_write(SSL_get_rbio(t->sides[!from]), t->buffer, n);
        carried += n;
    }
    return carried;
}

int twin_tls_open(twin_tls *t) {
    end(t);
    t->sides[0] = begin(t->server, 0);
    t->sides[1] = begin(t->client, 1);
    for (int step = 0; step < 4; step++) {
        SSL_do_handshake(t->sides[1]);
        carry(t, 1);
        SSL_do_handshake(t->sides[0]);
        carry(t, 0);
    }
    uint8_t none;
    SSL_read(t->sides[1], &none, 1);  // the ticket
    return SSL_is_init_finished(t->sides[0]) && SSL_is_init_finished(t->sides[1]);
}

int twin_tls_send(twin_tls *t, const uint8_t *in, size_t n, uint8_t *out) {
    if (SSL_write(t->sides[0], in, (int)n) != (int)n) return 0;
    carry(t, 0);
    size_t read = 0;
    while (read < n) {
        int got = SSL_read(t->sides[1], out, (int)(n - read));
        if (got <= 0) return 0;
        read += (size_t)got;
    }
    return 1;
}
