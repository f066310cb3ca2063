#ifndef STRONGROOM_LIBSSL_H
#define STRONGROOM_LIBSSL_H

#include <openssl/opensslv.h>
#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "Strongroom needs OpenSSL 3.0 or newer (Debian and Ubuntu: apt install libssl-dev)"
#endif

#include <openssl/ssl.h>
#include <openssl/x509.h>

#endif
