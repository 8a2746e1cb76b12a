/* identity_files: keys and certificates as PEM, in memory and in the directory of `tierbed keys init`. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/identity.h"
#include "common/net/identity_parts.h"
#include "common/record/durable.h"

void identity_forget_errors(void) {
    ERR_clear_error();
}

/* ---- writing ---- */

static enum status take_memory(BIO *memory, char *text) {
    char *data = NULL;
    long bytes = BIO_get_mem_data(memory, &data);
    if (bytes <= 0 || bytes >= (long)IDENTITY_PEM_BYTES_MAX)
        return STATUS_LIMIT;
    memcpy(text, data, (size_t)bytes);
    text[bytes] = '\0';
    return STATUS_OK;
}

enum status identity_key_to_pem(const uint8_t seed[IDENTITY_KEY_BYTES], char *text) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, IDENTITY_KEY_BYTES);
    BIO *memory = BIO_new(BIO_s_secmem());
    enum status status = STATUS_FAILED;
    if (key != NULL && memory != NULL &&
        PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1)
        status = take_memory(memory, text);
    BIO_free(memory);
    EVP_PKEY_free(key);
    return status;
}

enum status identity_certificate_to_pem(const struct identity_certificate *certificate, char *text) {
    const uint8_t *at = certificate->data;
    X509 *x509 = d2i_X509(NULL, &at, certificate->bytes);
    BIO *memory = BIO_new(BIO_s_mem());
    enum status status = STATUS_FAILED;
    if (x509 != NULL && memory != NULL && PEM_write_bio_X509(memory, x509) == 1)
        status = take_memory(memory, text);
    BIO_free(memory);
    X509_free(x509);
    identity_forget_errors();
    return status;
}

/* ---- reading ---- */

enum status identity_path(char *path, const char *dir, const char *name, const char *suffix,
                          struct error *error) {
    char file[IDENTITY_NAME_MAX + 16];
    int length = snprintf(file, sizeof file, "%s.%s", name, suffix);
    if (length < 0 || (size_t)length >= sizeof file)
        return error_set(error, STATUS_INVALID, "the name %s is too long", name);
    return durable_path(path, dir, file, error);
}

static enum status read_pem(const char *dir, const char *name, const char *suffix, BIO **memory,
                            struct error *error) {
    char path[DURABLE_PATH_MAX], *text = NULL;
    size_t size = 0;
    *memory = NULL;
    TRY(identity_path(path, dir, name, suffix, error));
    TRY(durable_read(path, IDENTITY_PEM_BYTES_MAX, &text, &size, error));
    *memory = BIO_new(BIO_s_mem());
    bool taken = *memory != NULL && BIO_write(*memory, text, (int)size) == (int)size;
    sodium_memzero(text, size);
    free(text);
    return taken ? STATUS_OK : error_set(error, STATUS_MEMORY, "no memory for %s", path);
}

static enum status not_what_it_says(const char *dir, const char *name, const char *suffix, const char *what,
                                    struct error *error) {
    identity_forget_errors();
    return error_set(error, STATUS_INVALID,
                     "%s/%s.%s holds no %s; make the directory anew with `tierbed keys init`", dir, name,
                     suffix, what);
}

/* No pass phrase is ever asked for. */
static int no_passphrase(char *text, int size, int writing, void *context) {
    if (size > 0)
        text[0] = '\0';
    (void)writing;
    (void)context;
    return -1;
}

enum status identity_load_key(const char *dir, const char *name, uint8_t seed[IDENTITY_KEY_BYTES],
                              struct error *error) {
    BIO *memory;
    size_t bytes = IDENTITY_KEY_BYTES;
    enum status status = read_pem(dir, name, "key", &memory, error);
    EVP_PKEY *key = status == STATUS_OK ? PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL) : NULL;
    BIO_free(memory);
    bool taken = key != NULL && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
                 EVP_PKEY_get_raw_private_key(key, seed, &bytes) == 1 && bytes == IDENTITY_KEY_BYTES;
    EVP_PKEY_free(key);
    if (status == STATUS_OK && !taken)
        status = not_what_it_says(dir, name, "key", "Ed25519 private key without pass phrase", error);
    return status;
}

static enum status load_x509(const char *dir, const char *name, X509 **certificate, struct error *error) {
    BIO *memory;
    *certificate = NULL;
    enum status status = read_pem(dir, name, "pem", &memory, error);
    if (status == STATUS_OK)
        *certificate = PEM_read_bio_X509(memory, NULL, no_passphrase, NULL);
    BIO_free(memory);
    if (status == STATUS_OK && *certificate == NULL)
        status = not_what_it_says(dir, name, "pem", "certificate", error);
    return status;
}

enum status identity_load_certificate(const char *dir, const char *name,
                                      struct identity_certificate *certificate, struct error *error) {
    X509 *x509;
    uint8_t *at = certificate->data;
    certificate->bytes = 0;
    TRY(load_x509(dir, name, &x509, error));
    int bytes = i2d_X509(x509, NULL);
    bool fits = bytes > 0 && (size_t)bytes <= sizeof certificate->data;
    if (fits)
        certificate->bytes = (uint32_t)i2d_X509(x509, &at);
    X509_free(x509);
    return fits ? STATUS_OK
                : error_set(error, STATUS_INVALID, "%s/%s.pem: the certificate is larger than %u bytes", dir,
                            name, IDENTITY_CERTIFICATE_BYTES_MAX);
}

enum status identity_load_authority(const char *dir, struct identity_authority **authority,
                                    struct error *error) {
    X509 *certificate;
    *authority = NULL;
    TRY(load_x509(dir, IDENTITY_AUTHORITY_NAME, &certificate, error));
    uint8_t key[IDENTITY_KEY_BYTES];
    struct identity_authority *loaded = NULL;
    if (identity_raw_key(certificate, key) && X509_check_ca(certificate) == 1)
        loaded = calloc(1, sizeof *loaded);
    if (loaded == NULL) {
        X509_free(certificate);
        return not_what_it_says(dir, IDENTITY_AUTHORITY_NAME, "pem", "certificate of an Ed25519 authority",
                                error);
    }
    loaded->certificate = certificate;
    memcpy(loaded->public, key, sizeof key);
    *authority = loaded;
    return STATUS_OK;
}
