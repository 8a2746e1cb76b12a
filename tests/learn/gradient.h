/* gradient: analytic gradients against central differences, for tests compiled in double precision
 * (test_*_fp64.c).
 *
 *   struct gradient_case one = {.loss = my_loss, .context = &my_context,
 *                               .values = parameters, .gradient = gradients, .count = n, .name = "weights"};
 *   assert_gradient(&one);
 *
 * `loss` computes the loss from the values as they are now, without change to anything it depends on (draws
 * must be the same every time). `gradient` is the analytic one at the values as given. Stay away from kinks
 * (relu at 0). */
#ifndef TIERBED_TESTS_LEARN_GRADIENT_H
#define TIERBED_TESTS_LEARN_GRADIENT_H

#ifndef LEARN_DOUBLE
#error "gradients are checked in double precision: name the test test_*_fp64.c"
#endif

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define GRADIENT_STEP 1e-6
#define GRADIENT_TOLERANCE 1e-6

struct gradient_case {
    double (*loss)(void *context);
    void *context;
    double *values;         /* [count], moved and put back */
    const double *gradient; /* [count] */
    size_t count;
    const char *name; /* in messages */
};

/* (loss(x + h) - loss(x - h)) / 2h in every entry, h = 1e-6 max(1, |x|). */
static inline void gradient_numeric(const struct gradient_case *one, double *numeric) {
    for (size_t i = 0; i < one->count; i++) {
        double at = one->values[i], h = GRADIENT_STEP * fmax(1.0, fabs(at));
        volatile double up = at + h, down = at - h; /* the step that is really taken */
        one->values[i] = up;
        double above = one->loss(one->context);
        one->values[i] = down;
        double below = one->loss(one->context);
        one->values[i] = at;
        numeric[i] = (above - below) / (up - down);
    }
}

/* |analytic - numeric| relative to the larger of both, and to no less than `floor`. */
static inline double gradient_relative_error(double analytic, double numeric, double floor) {
    double scale = fmax(fmax(fabs(analytic), fabs(numeric)), floor);
    return scale > 0 ? fabs(analytic - numeric) / scale : fabs(analytic - numeric);
}

/* The gradient holds, and would not hold with any single entry off by 1e-5 of the largest. Small entries are
 * held against a thousandth of the largest or of the loss: two losses differ by rounding alone. */
static inline void assert_gradient(const struct gradient_case *one) {
    double *numeric = malloc((one->count + 1) * sizeof *numeric);
    assert_non_null(numeric);
    gradient_numeric(one, numeric);
    double largest = 0;
    for (size_t i = 0; i < one->count; i++)
        largest = fmax(largest, fmax(fabs(numeric[i]), fabs(one->gradient[i])));
    if (!(largest > 0))
        fail_msg("%s: every entry of the gradient is 0", one->name);
    double floor = 1e-3 * fmax(largest, fabs(one->loss(one->context)));
    for (size_t i = 0; i < one->count; i++) {
        double analytic = one->gradient[i];
        double error = gradient_relative_error(analytic, numeric[i], floor);
        if (!(error < GRADIENT_TOLERANCE))
            fail_msg("%s[%zu]: gradient %.12g, central difference %.12g, relative error %.3g", one->name, i,
                     analytic, numeric[i], error);
        if (gradient_relative_error(analytic + 1e-5 * largest, numeric[i], floor) < GRADIENT_TOLERANCE)
            fail_msg("%s[%zu]: a wrong gradient passes", one->name, i);
    }
    free(numeric);
}

#endif
