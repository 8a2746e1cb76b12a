/* identity: who a node is: an Ed25519 key (RFC 8032) and an X.509 certificate of the testbed's authority that
 * binds it to a name and a role (RFC 5280, RFC 8410).
 *
 * Subject: O = Tierbed, OU = role, CN = name. The role that counts is the URI `tierbed:role:ROLE` in
 * subjectAltName. Certificates of one seed are equal to the last byte: fixed validity (2020 to 2120), serial
 * from the node's id, deterministic signatures. Dates are not checked: virtual time has no calendar, and one
 * scenario must give one result on any day. One authority, no chains longer than one. */
#ifndef TIERBED_NET_IDENTITY_H
#define TIERBED_NET_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define IDENTITY_KEY_BYTES 32u /* seed of a private key; a public key */
#define IDENTITY_SIGNATURE_BYTES 64u
#define IDENTITY_NONCE_BYTES 32u
#define IDENTITY_NAME_MAX 48u
#define IDENTITY_ROLE_MAX 16u
#define IDENTITY_CERTIFICATE_BYTES_MAX 2048u /* in DER */
#define IDENTITY_PEM_BYTES_MAX 4096u

/* The seed of a node's Ed25519 key when no key directory is given, and that of the authority's: keyed BLAKE2b
 * of (seed, node). Everybody who knows the scenario knows them. */
void identity_key_seed(uint64_t seed, uint32_t node, uint8_t out[IDENTITY_KEY_BYTES]);
void identity_authority_seed(uint64_t seed, uint8_t out[IDENTITY_KEY_BYTES]);
void identity_public_key(const uint8_t seed[IDENTITY_KEY_BYTES], uint8_t out[IDENTITY_KEY_BYTES]);

/* Whom a certificate is about. */
struct identity_subject {
    char name[IDENTITY_NAME_MAX];
    char role[IDENTITY_ROLE_MAX];
    uint8_t key[IDENTITY_KEY_BYTES]; /* public */
};

struct identity_certificate {
    uint8_t data[IDENTITY_CERTIFICATE_BYTES_MAX]; /* DER */
    uint32_t bytes;
};

/* The testbed's authority. With its private key it issues; with its certificate alone it only checks. */
struct identity_authority;
enum status identity_authority_open(const uint8_t seed[IDENTITY_KEY_BYTES],
                                    struct identity_authority **authority, struct error *error);
void identity_authority_close(struct identity_authority *authority);
enum status identity_authority_certificate(const struct identity_authority *authority,
                                           struct identity_certificate *certificate);

/* Only for an authority with its private key. `serial` > 0. */
enum status identity_issue(const struct identity_authority *authority, const struct identity_subject *subject,
                           uint64_t serial, struct identity_certificate *certificate, struct error *error);

/* The serial of a node's certificate; 1 is the authority's own. */
static inline uint64_t identity_serial(uint32_t node) {
    return (uint64_t)node + 2;
}

enum identity_finding {
    IDENTITY_SOUND = 0,
    IDENTITY_MALFORMED, /* no certificate of the form above */
    IDENTITY_FOREIGN    /* not signed by this authority */
};
/* Reads a certificate that anybody may have sent; `subject` is filled only when it is sound. */
enum identity_finding identity_check(const struct identity_authority *authority, const uint8_t *data,
                                     size_t size, struct identity_subject *subject);

/* Proof that who shows a certificate holds its key: a signature over (run nonce, node, rank). */
struct identity_claim {
    const uint8_t *nonce; /* IDENTITY_NONCE_BYTES */
    uint32_t node, rank;
};
void identity_prove(const uint8_t seed[IDENTITY_KEY_BYTES], const struct identity_claim *claim,
                    uint8_t signature[IDENTITY_SIGNATURE_BYTES]);
bool identity_proven(const uint8_t key[IDENTITY_KEY_BYTES], const struct identity_claim *claim,
                     const uint8_t signature[IDENTITY_SIGNATURE_BYTES]);

/* How a node's attempt to join a run ended. */
enum join_verdict {
    JOIN_ADMITTED = 0,
    JOIN_ABSENT,     /* it showed no certificate */
    JOIN_MALFORMED,  /* what it showed is none */
    JOIN_FOREIGN,    /* signed by nobody this run trusts */
    JOIN_WRONG_NAME, /* somebody else's */
    JOIN_WRONG_ROLE, /* of another role than the scenario gives the node */
    JOIN_UNPROVEN,   /* it does not hold the key */
    JOIN_VERDICT_COUNT
};

/* PEM texts, as the openssl command reads and writes them; `text` has room for IDENTITY_PEM_BYTES_MAX. */
enum status identity_key_to_pem(const uint8_t seed[IDENTITY_KEY_BYTES], char *text);
enum status identity_certificate_to_pem(const struct identity_certificate *certificate, char *text);

/* What `tierbed keys init` left in a directory: ca.pem and ca.key, and NAME.pem and NAME.key of each node.
 * STATUS_IO when a file cannot be read, STATUS_INVALID when it is not what its name says. */
enum status identity_load_authority(const char *dir, struct identity_authority **authority,
                                    struct error *error);
enum status identity_load_key(const char *dir, const char *name, uint8_t seed[IDENTITY_KEY_BYTES],
                              struct error *error);
enum status identity_load_certificate(const char *dir, const char *name,
                                      struct identity_certificate *certificate, struct error *error);
/* Writes "DIR/NAME.SUFFIX" into `path` of DURABLE_PATH_MAX bytes. */
enum status identity_path(char *path, const char *dir, const char *name, const char *suffix,
                          struct error *error);
#define IDENTITY_AUTHORITY_NAME "ca"

#endif
