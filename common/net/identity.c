#include "common/net/identity.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/net/identity_parts.h"

#define NOT_BEFORE "20200101000000Z"
#define NOT_AFTER "21200101000000Z"
#define ROLE_PREFIX "tierbed:role:"

/* ---- keys ---- */

static void derive(const char *purpose, uint64_t seed, uint32_t node, uint8_t out[IDENTITY_KEY_BYTES]) {
    uint8_t input[12];
    struct bytes_writer writer = bytes_writer_over(input, sizeof input);
    bytes_put_u64(&writer, seed);
    bytes_put_u32(&writer, node);
    crypto_generichash(out, IDENTITY_KEY_BYTES, input, sizeof input, (const uint8_t *)purpose,
                       strlen(purpose));
}

void identity_key_seed(uint64_t seed, uint32_t node, uint8_t out[IDENTITY_KEY_BYTES]) {
    derive("tierbed-node-key-v1", seed, node, out);
}

void identity_authority_seed(uint64_t seed, uint8_t out[IDENTITY_KEY_BYTES]) {
    derive("tierbed-authority-key-v1", seed, 0, out);
}

void identity_public_key(const uint8_t seed[IDENTITY_KEY_BYTES], uint8_t out[IDENTITY_KEY_BYTES]) {
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(out, secret, seed);
    sodium_memzero(secret, sizeof secret);
}

static EVP_PKEY *private_key(const uint8_t seed[IDENTITY_KEY_BYTES]) {
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, IDENTITY_KEY_BYTES);
}

/* ---- issuing ---- */

static bool add_name(X509_NAME *to, const char *field, const char *value) {
    return X509_NAME_add_entry_by_txt(to, field, MBSTRING_ASC, (const unsigned char *)value, -1, -1, 0) == 1;
}

static bool set_name(X509_NAME *to, const char *unit, const char *common) {
    return add_name(to, "O", "Tierbed") && add_name(to, "OU", unit) && add_name(to, "CN", common);
}

static bool add_extension(X509 *certificate, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool set_frame(X509 *certificate, uint64_t serial) {
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), NOT_BEFORE) == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), NOT_AFTER) == 1;
}

/* As X509_set_pubkey, without the tenth of a millisecond that OpenSSL's encoders take. */
static bool set_key(X509 *certificate, const uint8_t key[IDENTITY_KEY_BYTES]) {
    uint8_t *copy = OPENSSL_memdup(key, IDENTITY_KEY_BYTES);
    if (copy != NULL && X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate), OBJ_nid2obj(NID_ED25519),
                                               V_ASN1_UNDEF, NULL, copy, IDENTITY_KEY_BYTES) == 1)
        return true;
    OPENSSL_free(copy);
    return false;
}

static bool make_authority(X509 *certificate, EVP_PKEY *key) {
    X509_NAME *name = X509_get_subject_name(certificate);
    return set_frame(certificate, 1) && set_name(name, "authority", "Tierbed testbed authority") &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(certificate, NID_key_usage, "critical,keyCertSign") &&
           add_extension(certificate, NID_subject_key_identifier, "hash") &&
           X509_sign(certificate, key, NULL) > 0;
}

enum status identity_authority_open(const uint8_t seed[IDENTITY_KEY_BYTES],
                                    struct identity_authority **authority, struct error *error) {
    struct identity_authority *made = calloc(1, sizeof *made);
    *authority = NULL;
    if (made == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the testbed's authority");
    made->key = private_key(seed);
    made->certificate = X509_new();
    if (made->key == NULL || made->certificate == NULL || !make_authority(made->certificate, made->key)) {
        identity_authority_close(made);
        return error_set(error, STATUS_FAILED, "OpenSSL could not make the testbed's authority");
    }
    identity_public_key(seed, made->public);
    *authority = made;
    return STATUS_OK;
}

void identity_authority_close(struct identity_authority *authority) {
    if (authority == NULL)
        return;
    EVP_PKEY_free(authority->key);
    X509_free(authority->certificate);
    free(authority);
}

static enum status to_der(const X509 *certificate, struct identity_certificate *out) {
    int bytes = i2d_X509(certificate, NULL);
    uint8_t *at = out->data;
    out->bytes = 0;
    if (bytes <= 0 || (unsigned)bytes > sizeof out->data)
        return STATUS_LIMIT;
    out->bytes = (uint32_t)i2d_X509(certificate, &at);
    return STATUS_OK;
}

enum status identity_authority_certificate(const struct identity_authority *authority,
                                           struct identity_certificate *certificate) {
    return to_der(authority->certificate, certificate);
}

static bool make_node(X509 *certificate, const struct identity_authority *authority,
                      const struct identity_subject *subject) {
    char role[IDENTITY_ROLE_MAX + sizeof "URI:" ROLE_PREFIX];
    snprintf(role, sizeof role, "URI:" ROLE_PREFIX "%s", subject->role);
    return set_name(X509_get_subject_name(certificate), subject->role, subject->name) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate)) == 1 &&
           set_key(certificate, subject->key) &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyAgreement") &&
           add_extension(certificate, NID_subject_alt_name, role) &&
           X509_sign(certificate, authority->key, NULL) > 0;
}

enum status identity_issue(const struct identity_authority *authority, const struct identity_subject *subject,
                           uint64_t serial, struct identity_certificate *certificate, struct error *error) {
    X509 *made = X509_new();
    bool done = made != NULL && authority->key != NULL && set_frame(made, serial) &&
                make_node(made, authority, subject) && to_der(made, certificate) == STATUS_OK;
    X509_free(made);
    return done ? STATUS_OK
                : error_set(error, STATUS_FAILED, "OpenSSL could not make a certificate for %s",
                            subject->name);
}

/* ---- checking ---- */

/* Text of an ASN.1 string without zeros in it. */
static bool take_text(const unsigned char *data, int bytes, char *text, size_t size) {
    if (bytes <= 0 || (size_t)bytes >= size || memchr(data, '\0', (size_t)bytes) != NULL)
        return false;
    memcpy(text, data, (size_t)bytes);
    text[bytes] = '\0';
    return true;
}

static bool take_name(const X509 *certificate, char *text) {
    const X509_NAME *name = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
        return false;
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return take_text(ASN1_STRING_get0_data(value), ASN1_STRING_length(value), text, IDENTITY_NAME_MAX);
}

/* Exactly one name in the extension, and it tells the role. */
static bool role_of(const GENERAL_NAMES *names, char *text) {
    const size_t prefix = strlen(ROLE_PREFIX);
    if (sk_GENERAL_NAME_num(names) != 1)
        return false;
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, 0);
    if (name->type != GEN_URI)
        return false;
    const unsigned char *data = ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
    int bytes = ASN1_STRING_length(name->d.uniformResourceIdentifier);
    return bytes > (int)prefix && memcmp(data, ROLE_PREFIX, prefix) == 0 &&
           take_text(data + prefix, bytes - (int)prefix, text, IDENTITY_ROLE_MAX);
}

static bool take_role(const X509 *certificate, char *text) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool taken = names != NULL && role_of(names, text);
    GENERAL_NAMES_free(names);
    return taken;
}

bool identity_raw_key(const X509 *certificate, uint8_t key[IDENTITY_KEY_BYTES]) {
    ASN1_OBJECT *algorithm;
    const uint8_t *data;
    int bytes;
    X509_PUBKEY *public = X509_get_X509_PUBKEY(certificate);
    if (public == NULL || X509_PUBKEY_get0_param(&algorithm, &data, &bytes, NULL, public) != 1 ||
        OBJ_obj2nid(algorithm) != NID_ED25519 || bytes != (int)IDENTITY_KEY_BYTES)
        return false;
    memcpy(key, data, IDENTITY_KEY_BYTES);
    return true;
}

static bool is_node(X509 *certificate) {
    uint32_t flags = X509_get_extension_flags(certificate);
    return X509_get_version(certificate) == X509_VERSION_3 &&
           (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) == 0 && X509_check_ca(certificate) == 0;
}

/* By libsodium, as every Ed25519 signature of the testbed, and at half the cost of X509_verify. What is
 * signed is encoded anew: a certificate that is not in DER does not verify. */
static bool is_signed(const struct identity_authority *authority, X509 *certificate) {
    uint8_t *text = NULL;
    const ASN1_BIT_STRING *signature;
    const X509_ALGOR *algorithm;
    X509_get0_signature(&signature, &algorithm, certificate);
    const ASN1_OBJECT *name;
    X509_ALGOR_get0(&name, NULL, NULL, algorithm);
    if (OBJ_obj2nid(name) != NID_ED25519 || ASN1_STRING_length(signature) != crypto_sign_BYTES)
        return false;
    int bytes = i2d_re_X509_tbs(certificate, &text);
    bool valid = bytes > 0 && crypto_sign_verify_detached(ASN1_STRING_get0_data(signature), text,
                                                          (unsigned long long)bytes, authority->public) == 0;
    OPENSSL_free(text);
    return valid;
}

static enum identity_finding check(const struct identity_authority *authority, X509 *certificate,
                                   struct identity_subject *subject) {
    if (!is_node(certificate) || !take_name(certificate, subject->name) ||
        !take_role(certificate, subject->role) || !identity_raw_key(certificate, subject->key))
        return IDENTITY_MALFORMED;
    if (X509_check_issued(authority->certificate, certificate) != X509_V_OK ||
        !is_signed(authority, certificate))
        return IDENTITY_FOREIGN;
    return IDENTITY_SOUND;
}

enum identity_finding identity_check(const struct identity_authority *authority, const uint8_t *data,
                                     size_t size, struct identity_subject *subject) {
    struct identity_subject read = {0};
    if (size == 0 || size > IDENTITY_CERTIFICATE_BYTES_MAX)
        return IDENTITY_MALFORMED;
    const uint8_t *at = data;
    X509 *certificate = d2i_X509(NULL, &at, (long)size);
    enum identity_finding finding =
        certificate == NULL || at != data + size ? IDENTITY_MALFORMED : check(authority, certificate, &read);
    X509_free(certificate);
    identity_forget_errors();
    if (finding == IDENTITY_SOUND)
        *subject = read;
    return finding;
}

/* ---- possession ---- */

#define PROOF_TAG "tierbed-join-v1"
#define PROOF_BYTES (sizeof PROOF_TAG + IDENTITY_NONCE_BYTES + 8)

static void proof_text(const struct identity_claim *claim, uint8_t text[PROOF_BYTES]) {
    struct bytes_writer writer = bytes_writer_over(text, PROOF_BYTES);
    bytes_put(&writer, PROOF_TAG, sizeof PROOF_TAG);
    bytes_put(&writer, claim->nonce, IDENTITY_NONCE_BYTES);
    bytes_put_u32(&writer, claim->node);
    bytes_put_u32(&writer, claim->rank);
}

void identity_prove(const uint8_t seed[IDENTITY_KEY_BYTES], const struct identity_claim *claim,
                    uint8_t signature[IDENTITY_SIGNATURE_BYTES]) {
    uint8_t text[PROOF_BYTES], key[IDENTITY_KEY_BYTES], secret[crypto_sign_SECRETKEYBYTES];
    proof_text(claim, text);
    crypto_sign_seed_keypair(key, secret, seed);
    crypto_sign_detached(signature, NULL, text, sizeof text, secret);
    sodium_memzero(secret, sizeof secret);
}

bool identity_proven(const uint8_t key[IDENTITY_KEY_BYTES], const struct identity_claim *claim,
                     const uint8_t signature[IDENTITY_SIGNATURE_BYTES]) {
    uint8_t text[PROOF_BYTES];
    proof_text(claim, text);
    return crypto_sign_verify_detached(signature, text, sizeof text, key) == 0;
}
