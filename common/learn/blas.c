/* blas: finds, opens and calls OpenBLAS. Its handle is the one mutable global of the core: a library is
 * loaded once a process, whoever asks, and nothing that is computed depends on when. */
#include "common/learn/blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LEARN_DOUBLE
#define GEMM "cblas_dgemm"
#else
#define GEMM "cblas_sgemm"
#endif

/* The C interface of the BLAS (cblas.h), whose headers are not needed to build. */
enum { CBLAS_ROW_MAJOR = 101, CBLAS_AS_IT_IS = 111, CBLAS_TRANSPOSED = 112 };
typedef void (*gemm_function)(int order, int transpose_a, int transpose_b, int rows, int columns, int inner,
                              real alpha, const real *a, int a_stride, const real *b, int b_stride, real beta,
                              real *c, int c_stride);
typedef char *(*text_function)(void);

static struct {
    pthread_once_t once;
    gemm_function gemm; /* NULL: not open */
    char core[64], version[64], problem[512];
} library = {.once = PTHREAD_ONCE_INIT};

/* __builtin_cpu_supports asks CPUID, and XCR0 whether the operating system keeps the registers. */
const char *blas_core_wanted(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "Haswell";
#endif
    return NULL;
}

bool blas_core_is_old(const char *core) {
    static const char *const old[] = {"Prescott",    "Core2",  "Penryn",     "Dunnington",   "Atom",
                                      "Nehalem",     "Athlon", "Opteron",    "Opteron_SSE3", "Barcelona",
                                      "Sandybridge", "Bobcat", "Nano",       "Bulldozer",    "Piledriver",
                                      "Steamroller", "Katmai", "Coppermine", "Northwood",    "Banias"};
    for (size_t i = 0; blas_core_wanted() != NULL && i < sizeof old / sizeof *old; i++)
        if (strcasecmp(core, old[i]) == 0)
            return true;
    return false;
}

/* The serial build first: the others start threads of their own. Any will do, with one thread. */
static void *load(void) {
#if defined(__x86_64__)
    void *serial =
        dlopen("/usr/lib/x86_64-linux-gnu/openblas-serial/libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
#elif defined(__aarch64__)
    void *serial =
        dlopen("/usr/lib/aarch64-linux-gnu/openblas-serial/libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
#else
    void *serial = NULL;
#endif
    return serial != NULL ? serial : dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
}

/* Opens with the variables set that the constructor reads; children of this process must not inherit them. */
static void *load_with_settings(void) {
    const char *wanted = blas_core_wanted();
    bool set_core = wanted != NULL && getenv("OPENBLAS_CORETYPE") == NULL;
    bool set_threads = getenv("OPENBLAS_NUM_THREADS") == NULL;
    if (set_core)
        setenv("OPENBLAS_CORETYPE", wanted, 1);
    if (set_threads)
        setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *handle = load();
    if (set_core)
        unsetenv("OPENBLAS_CORETYPE");
    if (set_threads)
        unsetenv("OPENBLAS_NUM_THREADS");
    return handle;
}

static void *symbol(void *handle, const char *name) {
    void *found = dlsym(handle, name);
    if (found == NULL)
        snprintf(library.problem, sizeof library.problem, "the OpenBLAS of this system has no %s", name);
    return found;
}

/* "OpenBLAS 0.3.21 DYNAMIC_ARCH ..." */
static void read_version(const char *config) {
    const char *begin = strncmp(config, "OpenBLAS ", 9) == 0 ? config + 9 : config;
    snprintf(library.version, sizeof library.version, "%.*s", (int)strcspn(begin, " "), begin);
}

static void open_once(void) {
    void *handle = load_with_settings();
    if (handle == NULL) {
        const char *why = dlerror();
        snprintf(library.problem, sizeof library.problem,
                 "cannot open OpenBLAS, which large layers need: %s; install it: apt-get install "
                 "libopenblas0-serial",
                 why != NULL ? why : "unknown reason");
        return;
    }
    void *gemm = symbol(handle, GEMM), *core = symbol(handle, "openblas_get_corename");
    void *config = symbol(handle, "openblas_get_config"),
         *threads = symbol(handle, "openblas_set_num_threads");
    if (gemm == NULL || core == NULL || config == NULL || threads == NULL)
        return;
    text_function text;
    void (*set_threads)(int);
    memcpy(&text, &core, sizeof text);
    snprintf(library.core, sizeof library.core, "%s", text());
    memcpy(&text, &config, sizeof text);
    read_version(text());
    memcpy(&set_threads, &threads, sizeof set_threads);
    set_threads(1);
    memcpy(&library.gemm, &gemm, sizeof library.gemm);
}

enum status blas_open(struct error *error) {
    pthread_once(&library.once, open_once);
    return library.gemm != NULL ? STATUS_OK : error_set(error, STATUS_UNSUPPORTED, "%s", library.problem);
}

const char *blas_version(void) {
    return library.version;
}

const char *blas_core(void) {
    return library.core;
}

static void start_with_bias(const struct matrix_product *p) {
    for (size_t row = 0; row < p->rows; row++)
        memcpy(p->c + row * p->c_stride, p->bias, p->columns * sizeof *p->bias);
}

void blas_multiply(enum matrix_form form, const struct matrix_product *p) {
    struct error error;
    if (blas_open(&error) != STATUS_OK) {
        fprintf(stderr, "tierbed: %s\n", error.text);
        abort();
    }
    if (p->bias != NULL)
        start_with_bias(p);
    real beta = p->accumulate || p->bias != NULL ? 1 : 0;
    library.gemm(CBLAS_ROW_MAJOR, form == MATRIX_TN ? CBLAS_TRANSPOSED : CBLAS_AS_IT_IS,
                 form == MATRIX_NT ? CBLAS_TRANSPOSED : CBLAS_AS_IT_IS, (int)p->rows, (int)p->columns,
                 (int)p->inner, 1, p->a, (int)p->a_stride, p->b, (int)p->b_stride, beta, p->c,
                 (int)p->c_stride);
}
