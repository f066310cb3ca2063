// A provider of keys whose private half is elsewhere: a Swift signer, in this process, in an HSM or at a key service.
//
// libssl finds out about a key's kind, size and public half as with any other, because all of that is answered by a public
// key of OpenSSL's own. Signing goes to the signer: at once, or by pausing the fibre in which the handshake runs.
#include "CStrongroomLibSSLShims.h"
#include <openssl/async.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <string.h>

#define PROVIDER "strongroom-signer"
#define SIGNATURE "STRONGROOM-SIGNATURE"
#define SIGNER "strongroom-signer"

typedef struct {
    void *owner;
    strongroom_sign sign;
} signer;

typedef struct {
    OSSL_LIB_CTX *library;
    const char *algorithm;
    EVP_PKEY *public_half;
    int is_private;
    signer signer;
} key;

// --- Keys ---

static void *key_new(void *library, const char *algorithm) {
    key *made = OPENSSL_zalloc(sizeof *made);
    if (made == NULL) return NULL;
    made->library = library;
    made->algorithm = algorithm;
    return made;
}
static void *key_new_ec(void *library) { return key_new(library, "EC"); }
static void *key_new_rsa(void *library) { return key_new(library, "RSA"); }
static void *key_new_ed25519(void *library) { return key_new(library, "ED25519"); }

static void key_free(void *data) {
    key *freed = data;
    if (freed == NULL) return;
    EVP_PKEY_free(freed->public_half);
    OPENSSL_free(freed);
}

static int key_has(const void *data, int selection) {
    const key *asked = data;
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && !asked->is_private) return 0;
    return asked->public_half != NULL;
}

static int key_match(const void *one, const void *two, int selection) {
    (void)selection;
    return EVP_PKEY_eq(((const key *)one)->public_half, ((const key *)two)->public_half) == 1;
}

static int key_import(void *data, int selection, const OSSL_PARAM parameters[]) {
    (void)selection;
    key *made = data;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(made->library, made->algorithm, "provider=default");
    int is_made = context != NULL && EVP_PKEY_fromdata_init(context) == 1
        && EVP_PKEY_fromdata(context, &made->public_half, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)parameters) == 1;
    EVP_PKEY_CTX_free(context);
    const OSSL_PARAM *found = OSSL_PARAM_locate_const(parameters, SIGNER);
    if (is_made && found != NULL && found->data_size == sizeof made->signer) {
        memcpy(&made->signer, found->data, sizeof made->signer);
        made->is_private = 1;
    }
    return is_made;
}

static int key_export(void *data, int selection, OSSL_CALLBACK *callback, void *argument) {
    // Another provider that wants the private half gets nothing, and OpenSSL comes back to this one.
    if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) return 0;
    return EVP_PKEY_export(((key *)data)->public_half, EVP_PKEY_PUBLIC_KEY, callback, argument);
}

static const OSSL_PARAM *key_types(int selection) {
    static const OSSL_PARAM none[] = {OSSL_PARAM_END};
    (void)selection;
    return none;
}

static int key_get_parameters(void *data, OSSL_PARAM parameters[]) {
    return EVP_PKEY_get_params(((key *)data)->public_half, parameters);
}

static const OSSL_PARAM *key_gettable_parameters(void *library) {
    static const OSSL_PARAM known[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0),
        OSSL_PARAM_END};
    (void)library;
    return known;
}

// The name is this provider's alone, so that no other one is ever asked to sign.
static const char *key_operation(int operation) { return operation == OSSL_OP_SIGNATURE ? SIGNATURE : NULL; }

#define FUNCTION(id, function) {id, (void (*)(void))function}
#define KEY_FUNCTIONS(name)                                              \
    static const OSSL_DISPATCH name##_functions[] = {                    \
        FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new_##name),                 \
        FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),                      \
        FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),                        \
        FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),                    \
        FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, key_import),                  \
        FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_types),             \
        FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),                  \
        FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_types),             \
        FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_parameters),      \
        FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable_parameters), \
        FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, key_operation), \
        {0, NULL}};
KEY_FUNCTIONS(ec)
KEY_FUNCTIONS(rsa)
KEY_FUNCTIONS(ed25519)

// --- Signatures ---

typedef struct {
    key *key;
    int hash_bits;
    int is_pss;
} signature;

static void *signature_new(void *library, const char *properties) {
    (void)library, (void)properties;
    return OPENSSL_zalloc(sizeof(signature));
}

static void signature_free(void *context) { OPENSSL_free(context); }

static int signature_set_parameters(void *data, const OSSL_PARAM parameters[]) {
    signature *context = data;
    const OSSL_PARAM *padding = parameters ? OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE) : NULL;
    if (padding == NULL) return 1;
    if (padding->data_type == OSSL_PARAM_UTF8_STRING) {
        context->is_pss = strcmp(padding->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
        return 1;
    }
    int mode = 0;
    if (!OSSL_PARAM_get_int(padding, &mode)) return 0;
    context->is_pss = mode == RSA_PKCS1_PSS_PADDING;
    return 1;
}

static const OSSL_PARAM *signature_settable_parameters(void *context, void *library) {
    static const OSSL_PARAM known[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_END};
    (void)context, (void)library;
    return known;
}

static int signature_start(void *data, const char *digest, void *signing_key, const OSSL_PARAM parameters[]) {
    signature *context = data;
    context->key = signing_key;
    context->is_pss = 0;
    context->hash_bits = 0;
    if (digest != NULL && *digest != '\0') {
        EVP_MD *function = EVP_MD_fetch(context->key->library, digest, NULL);
        if (function == NULL) return 0;
        if (EVP_MD_is_a(function, "SHA256")) context->hash_bits = 256;
        if (EVP_MD_is_a(function, "SHA384")) context->hash_bits = 384;
        if (EVP_MD_is_a(function, "SHA512")) context->hash_bits = 512;
        EVP_MD_free(function);
        if (context->hash_bits == 0) return 0;
    }
    return signature_set_parameters(context, parameters);
}

// The number of a SignatureScheme (RFC 8446, 4.2.3); 0 for none that is used here.
static uint16_t scheme(const signature *context) {
    static const uint16_t ec[] = {0x0403, 0x0503, 0x0603};
    static const uint16_t rsa[] = {0x0401, 0x0501, 0x0601};
    static const uint16_t pss[] = {0x0804, 0x0805, 0x0806};
    if (EVP_PKEY_is_a(context->key->public_half, "ED25519")) return 0x0807;
    if (context->hash_bits == 0) return 0;
    int index = (context->hash_bits - 256) / 128;
    if (EVP_PKEY_is_a(context->key->public_half, "EC")) return ec[index];
    return context->is_pss ? pss[index] : rsa[index];
}

static int signature_sign(
    void *data, unsigned char *made, size_t *count, size_t capacity, const unsigned char *message, size_t message_count) {
    signature *context = data;
    size_t largest = (size_t)EVP_PKEY_get_size(context->key->public_half);
    if (made == NULL) {
        *count = largest;
        return 1;
    }
    uint16_t number = scheme(context);
    if (number == 0 || !context->key->is_private || capacity < largest) return 0;
    signer *by = &context->key->signer;
    if (ASYNC_get_current_job() == NULL) {
        if (by->sign == NULL) return 0;
        *count = by->sign(by->owner, number, message, message_count, made, capacity);
        return *count > 0 && *count <= capacity;
    }
    // A fibre's stack is small: Swift signs outside, at once or later.
    strongroom_connection *connection = strongroom_current_connection();
    if (connection == NULL) return 0;
    connection->question = strongroom_question_signature;
    connection->signer = by->owner;
    connection->scheme = number;
    connection->message = message;
    connection->message_count = message_count;
    connection->signature = made;
    connection->signature_capacity = capacity;
    connection->signature_count = 0;
    ASYNC_pause_job();
    // Nobody answers once this has gone on.
    connection->message = NULL;
    connection->message_count = 0;
    connection->signature = NULL;
    connection->signature_capacity = 0;
    *count = connection->signature_count;
    return *count > 0 && *count <= capacity;
}

static const OSSL_DISPATCH signature_functions[] = {
    FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, signature_new),
    FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, signature_free),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signature_start),
    FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signature_sign),
    FUNCTION(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signature_set_parameters),
    FUNCTION(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signature_settable_parameters),
    {0, NULL}};

// --- The provider ---

#define PROPERTIES "provider=" PROVIDER
static const OSSL_ALGORITHM key_kinds[] = {
    {"EC", PROPERTIES, ec_functions, NULL},
    {"RSA", PROPERTIES, rsa_functions, NULL},
    {"ED25519", PROPERTIES, ed25519_functions, NULL},
    {NULL, NULL, NULL, NULL}};
static const OSSL_ALGORITHM signatures[] = {
    {SIGNATURE, PROPERTIES, signature_functions, NULL}, {NULL, NULL, NULL, NULL}};

static const OSSL_ALGORITHM *query(void *library, int operation, int *no_cache) {
    (void)library;
    *no_cache = 0;
    if (operation == OSSL_OP_KEYMGMT) return key_kinds;
    return operation == OSSL_OP_SIGNATURE ? signatures : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query), {0, NULL}};

// The library context to which the provider is about to be added: OpenSSL gives a provider a child of it, which would be
// loaded anew with nothing in it.
static _Thread_local OSSL_LIB_CTX *host;

static int start(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **context) {
    (void)handle, (void)in;
    *out = provider_functions;
    *context = host;
    return host != NULL;
}

OSSL_LIB_CTX *strongroom_tls_library(void) {
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    if (library == NULL) return NULL;
    host = library;
    // Keys of the same kinds that are OpenSSL's own stay its own.
    int is_loaded = OSSL_PROVIDER_load(library, "default") != NULL
        && OSSL_PROVIDER_add_builtin(library, PROVIDER, start) == 1 && OSSL_PROVIDER_load(library, PROVIDER) != NULL
        && EVP_set_default_properties(library, "?provider!=" PROVIDER) == 1;
    host = NULL;
    if (is_loaded) return library;
    OSSL_LIB_CTX_free(library);
    return NULL;
}

EVP_PKEY *strongroom_signing_key(
    OSSL_LIB_CTX *library, const uint8_t *info, size_t count, void *owner, strongroom_sign sign) {
    signer by = {owner, sign};
    OSSL_PARAM extra[] = {OSSL_PARAM_construct_octet_string(SIGNER, &by, sizeof by), OSSL_PARAM_END};
    const unsigned char *cursor = info;
    EVP_PKEY *public_half = d2i_PUBKEY_ex(NULL, &cursor, (long)count, library, NULL);
    OSSL_PARAM *parameters = NULL, *all = NULL;
    EVP_PKEY *made = NULL;
    EVP_PKEY_CTX *context = NULL;
    if (public_half != NULL && EVP_PKEY_todata(public_half, EVP_PKEY_PUBLIC_KEY, &parameters) == 1
        && (all = OSSL_PARAM_merge(parameters, extra)) != NULL) {
        context = EVP_PKEY_CTX_new_from_name(library, EVP_PKEY_get0_type_name(public_half), PROPERTIES);
        if (context != NULL && EVP_PKEY_fromdata_init(context) == 1)
            EVP_PKEY_fromdata(context, &made, EVP_PKEY_KEYPAIR, all);
    }
    EVP_PKEY_CTX_free(context);
    OPENSSL_free(all);
    OSSL_PARAM_free(parameters);
    EVP_PKEY_free(public_half);
    return made;
}
