/* machine: what a run is made on, for its manifest: host, processor, memory, kernel, versions of libraries.
 */
#ifndef TIERBED_RECORD_MACHINE_H
#define TIERBED_RECORD_MACHINE_H

#include <jansson.h>

/* New objects, owned by the caller; what cannot be found out is "unknown" or 0. NULL without memory. */
json_t *machine_describe(void);
json_t *machine_libraries(void);

#endif
