/* Goal: matrix products in single precision are right for every shape, write nothing beside their result, and
 * give the same bits each time. Method: a naive loop in double precision; guards between rows. */
#include "tests/learn/matrix_cases.h"
