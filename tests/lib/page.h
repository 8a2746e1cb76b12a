/* page: what every report must be, whatever the run. */
#ifndef TIERBED_TESTS_LIB_PAGE_H
#define TIERBED_TESTS_LIB_PAGE_H

#include <stddef.h>

/* Fails the test unless every element is closed in order, nothing is fetched from elsewhere, and no number is
 * none. */
void page_check(const char *page);
/* The first of these alone: for pages that speak of the rest. */
void page_check_balanced(const char *page);

/* How often `part` stands in the page. */
size_t page_count(const char *page, const char *part);

#endif
