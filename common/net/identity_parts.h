/* identity_parts: what identity.c and identity_files.c share. */
#ifndef TIERBED_NET_IDENTITY_PARTS_H
#define TIERBED_NET_IDENTITY_PARTS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/net/identity.h"

struct identity_authority {
    EVP_PKEY *key; /* private; NULL: checks only */
    X509 *certificate;
    uint8_t public[IDENTITY_KEY_BYTES];
};

/* The Ed25519 key in a certificate; false for another kind of key. */
bool identity_raw_key(const X509 *certificate, uint8_t key[IDENTITY_KEY_BYTES]);

/* OpenSSL keeps a queue of errors per thread; what a hostile certificate left there is of no use. */
void identity_forget_errors(void);

#endif
