/* identity_parts: what identity.c and identity_files.c share. */
#ifndef TIERBED_NET_IDENTITY_PARTS_H
#define TIERBED_NET_IDENTITY_PARTS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

struct identity_authority {
    EVP_PKEY *key; /* private; NULL: checks only */
    X509 *certificate;
};

/* OpenSSL keeps a queue of errors per thread; what a hostile certificate left there is of no use. */
void identity_forget_errors(void);

#endif
