/* Goal and method as test_matrix.c, for the kernels in double precision. */
#include "tests/learn/matrix_cases.h"
