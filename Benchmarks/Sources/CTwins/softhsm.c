// Debian's SoftHSM2 through its PKCS #11 module: a throw-away token, session keys.
#include "CTwins.h"

#if __has_include(<p11-kit-1/p11-kit/pkcs11.h>)
#define CRYPTOKI_GNU 1
#include <p11-kit-1/p11-kit/pkcs11.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct twin_softhsm { struct ck_function_list *calls; ck_session_handle_t session; ck_object_handle_t ec, aes; };

static int open_token(twin_softhsm *t) {
    char folder[] = "/tmp/softhsm-XXXXXX", path[64];
    if (!mkdtemp(folder)) return 0;
    snprintf(path, sizeof path, "%s/softhsm2.conf", folder);
    FILE *file = fopen(path, "w");
    if (!file) return 0;
    fprintf(file, "directories.tokendir = %s\nlog.level = ERROR\n", folder);
    fclose(file);
    setenv("SOFTHSM2_CONF", path, 1);
    void *module = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW);
    if (!module) return 0;
    ck_rv_t (*list)(struct ck_function_list **) = dlsym(module, "C_GetFunctionList");
    if (!list || list(&t->calls) != CKR_OK || t->calls->C_Initialize(NULL) != CKR_OK) return 0;
    unsigned char label[32], pin[] = "12345678";
    memset(label, ' ', sizeof label);
    ck_slot_id_t slots[8];
    unsigned long count = 8;
    if (t->calls->C_InitToken(0, pin, 8, label) != CKR_OK) return 0;
    if (t->calls->C_GetSlotList(1, slots, &count) != CKR_OK) return 0;
    if (t->calls->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &t->session) != CKR_OK) return 0;
    return t->calls->C_Login(t->session, CKU_SO, pin, 8) == CKR_OK && t->calls->C_InitPIN(t->session, pin, 8) == CKR_OK
        && t->calls->C_Logout(t->session) == CKR_OK && t->calls->C_Login(t->session, CKU_USER, pin, 8) == CKR_OK;
}

static int make_keys(twin_softhsm *t) {
    unsigned char yes = 1, p256[] = {6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7};
    unsigned long bytes = 32;
    ck_object_handle_t public;
    struct ck_mechanism ec = {CKM_EC_KEY_PAIR_GEN, NULL, 0}, aes = {CKM_AES_KEY_GEN, NULL, 0};
    struct ck_attribute curve = {CKA_EC_PARAMS, p256, sizeof p256}, sign = {CKA_SIGN, &yes, 1};
    struct ck_attribute symmetric[] = {{CKA_VALUE_LEN, &bytes, sizeof bytes}, {CKA_ENCRYPT, &yes, 1}};
    return t->calls->C_GenerateKeyPair(t->session, &ec, &curve, 1, &sign, 1, &public, &t->ec) == CKR_OK
        && t->calls->C_GenerateKey(t->session, &aes, symmetric, 2, &t->aes) == CKR_OK;
}

twin_softhsm *twin_softhsm_new(void) {
    twin_softhsm *t = calloc(1, sizeof *t);
    if (t && open_token(t) && make_keys(t)) return t;
    free(t);
    return NULL;
}

int twin_softhsm_sign(twin_softhsm *t, const uint8_t digest[32], uint8_t signature[64]) {
    struct ck_mechanism mechanism = {CKM_ECDSA, NULL, 0};
    unsigned long count = 64;
    return t->calls->C_SignInit(t->session, &mechanism, t->ec) == CKR_OK
        && t->calls->C_Sign(t->session, (unsigned char *)digest, 32, signature, &count) == CKR_OK;
}

int twin_softhsm_seal(twin_softhsm *t, const uint8_t nonce[12], const uint8_t *in, size_t n, uint8_t *out) {
    struct ck_gcm_params parameters = {(unsigned char *)nonce, 12, 96, NULL, 0, 128};
    struct ck_mechanism mechanism = {CKM_AES_GCM, &parameters, sizeof parameters};
    unsigned long count = n + 16;
    return t->calls->C_EncryptInit(t->session, &mechanism, t->aes) == CKR_OK
        && t->calls->C_Encrypt(t->session, (unsigned char *)in, n, out, &count) == CKR_OK;
}
#else
twin_softhsm *twin_softhsm_new(void) { return NULL; }
int twin_softhsm_sign(twin_softhsm *t, const uint8_t digest[32], uint8_t signature[64]) { return 0; }
int twin_softhsm_seal(twin_softhsm *t, const uint8_t nonce[12], const uint8_t *in, size_t n, uint8_t *out) { return 0; }
#endif
