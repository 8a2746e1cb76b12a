#include "common/record/machine.h"

#include <dlfcn.h>
#include <fftw3.h>
#include <matio.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <yaml.h>

#include "common/learn/blas.h"

/* x86 calls it "model name"; other architectures have none, or another word. */
static void find_processor(char *model, size_t size) {
    snprintf(model, size, "unknown");
    FILE *stream = fopen("/proc/cpuinfo", "re");
    char line[512];
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        colon += strspn(colon, ": \t");
        snprintf(model, size, "%.*s", (int)strcspn(colon, "\n"), colon);
        break;
    }
    if (stream != NULL)
        fclose(stream);
}

json_t *machine_describe(void) {
    struct utsname about;
    char model[256], kernel[sizeof about.sysname + sizeof about.release + 2];
    if (uname(&about) != 0)
        memset(&about, 0, sizeof about);
    find_processor(model, sizeof model);
    snprintf(kernel, sizeof kernel, "%s %s", about.sysname, about.release);
    json_int_t memory_bytes = (json_int_t)sysconf(_SC_PHYS_PAGES) * (json_int_t)sysconf(_SC_PAGESIZE);
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "name", about.nodename, "kernel", kernel, "cpu", model,
                     "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_bytes", memory_bytes,
                     "architecture", about.machine);
}

/* Only the programs that speak MPI carry this symbol; this library must not include its header, so it asks
 * the loader. The signature is that of the MPI standard (3.1, section 8.1.1), with plain C types in every
 * binding. */
static void find_mpi(char *text, size_t size) {
    int (*library_version)(char *, int *) = NULL;
    void *symbol = dlsym(RTLD_DEFAULT, "MPI_Get_library_version");
    snprintf(text, size, "none");
    if (symbol == NULL)
        return;
    char version[8192] = ""; /* MPI_MAX_LIBRARY_VERSION_STRING is 256 in Open MPI, 8192 in MPICH */
    int length = 0;
    memcpy(&library_version, &symbol, sizeof symbol);
    library_version(version, &length);
    snprintf(text, size, "%.*s", (int)strcspn(version, ",\n"), version);
}

json_t *machine_libraries(void) {
    char mpi[128], matio[32], openblas[160] = "not loaded"; /* before the first large layer */
    int major = 0, minor = 0, release = 0;
    find_mpi(mpi, sizeof mpi);
    Mat_GetLibraryVersion(&major, &minor, &release);
    snprintf(matio, sizeof matio, "%d.%d.%d", major, minor, release);
    if (*blas_core() != '\0')
        snprintf(openblas, sizeof openblas, "%s, %s kernels", blas_version(), blas_core());
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "mpi", mpi, "sqlite",
                     sqlite3_libversion(), "libsodium", sodium_version_string(), "openssl",
                     OpenSSL_version(OPENSSL_VERSION), "libyaml", yaml_get_version_string(), "jansson",
                     jansson_version_str(), "fftw", fftw_version, "matio", matio, "openblas", openblas);
}
